"""Search an author's chunks without a service."""

from collections.abc import Sequence

from rich.table import Table

from llm_twin_assets.commands.console import OUT
from llm_twin_assets.definitions import embedder
from llm_twin_assets.domain.chunk import FoundChunk
from llm_twin_assets.features.retrieve import Retrieved
from llm_twin_assets.features.retriever import retriever_of
from resources.settings import Environment, Settings
from resources.vector_store import Filters
from resources.vector_stores import vector_store

# How much of a section `--sections` shows where twin.yaml does not say.
_SECTION_CHARACTERS = 4000
_SHOWN = 280


def search(
    author: str, question: str, k: int, filters: Filters, environment: Environment, *, sections: bool = False
) -> Retrieved:
    """The k best chunks of the newest embedded state, or the sections they stand in."""
    settings = Settings.load(environment.config)
    settings.author(author)
    how = settings.retrieval
    if sections and not how.section_characters:
        how = how.model_copy(update={"section_characters": _SECTION_CHARACTERS})
    index = vector_store(environment.under("embedded")).open(author)
    return retriever_of(index, embedder(settings), how).find(question, k, filters)


def show(retrieved: Retrieved) -> None:
    """What the search had to do without; how each part of it scored the chunks, as a table; then their texts."""
    found = retrieved.chunks
    for lack in retrieved.lacking:
        OUT.print(f"degraded: {lack}", markup=False, style="yellow")
    if not found:
        OUT.print("Nothing found.")
        return
    OUT.print(_scores(found))
    for number, chunk in enumerate(found, start=1):
        OUT.print(f"\n[bold]{number}.[/] ", end="")
        OUT.print(chunk.context or chunk.title, markup=False, style="bold")
        place = f"{chunk.platform}/{chunk.category}  {chunk.url or chunk.document_id}  {chunk.start}:{chunk.end}"
        OUT.print(f"   {place}", markup=False, style="dim")
        OUT.print(f"   {' '.join(chunk.text.split())[:_SHOWN]}", markup=False)


def _scores(found: Sequence[FoundChunk]) -> Table:
    reranked = any(chunk.rerank_score is not None for chunk in found)
    table = Table("", "title", box=None, pad_edge=False)
    for part in ("meaning", "words", "fused", *(["rerank"] if reranked else [])):
        table.add_column(part, justify="right", no_wrap=True)
    for number, chunk in enumerate(found, start=1):
        cells = [
            _part(chunk.dense_rank, chunk.dense_score),
            _part(chunk.text_rank, chunk.text_score),
            _number(chunk.fused_score),
            *([_number(chunk.rerank_score)] if reranked else []),
        ]
        table.add_row(str(number), chunk.title.replace("[", r"\["), *cells)
    return table


def _part(rank: int | None, score: float | None) -> str:
    return f"#{rank} {_number(score)}" if rank else "–"


def _number(score: float | None) -> str:
    return "–" if score is None else f"{score:.3f}"
