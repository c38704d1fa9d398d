"""Search an author's chunks without a service."""

from llm_twin_assets.commands.console import OUT
from llm_twin_assets.definitions import embedder
from llm_twin_assets.domain.chunk import FoundChunk
from llm_twin_assets.features.retrieve import retrieve
from resources.lance_store import LanceVectorStore
from resources.settings import Environment, Settings
from resources.vector_store import Filters


def search(author: str, question: str, k: int, filters: Filters, environment: Environment) -> list[FoundChunk]:
    """The k best chunks of the newest embedded state."""
    settings = Settings.load(environment.config)
    settings.author(author)
    index = LanceVectorStore(environment.under("embedded")).open(author)
    return retrieve(index, embedder(settings), question, k, filters)


def show(found: list[FoundChunk]) -> None:
    """Chunks with where they are from and how each part of the search ranked them."""
    for number, chunk in enumerate(found, start=1):
        ranks = f"meaning #{chunk.dense_rank or '–'}, words #{chunk.text_rank or '–'}"
        OUT.print(f"[bold]{number}. {chunk.title}[/]  [dim]{chunk.score:.4f} ({ranks})[/]")
        OUT.print(
            f"   [dim]{chunk.platform}/{chunk.category}  {chunk.url or chunk.document_id}  {chunk.start}:{chunk.end}[/]"
        )
        OUT.print(f"   {' '.join(chunk.text.split())[:280]}\n", markup=False)
    if not found:
        OUT.print("Nothing found.")
