"""Citations: marks in the text, each bound to an exact span of a cleaned document."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from llm_twin_assets.domain.chunk import FoundChunk
from llm_twin_assets.inference.blocks import Block, blocks
from llm_twin_assets.inference.quotes import Quote, best_block, rendered
from llm_twin_assets.inference.support import SupportedSentence

# What a model writes in imitation of a mark says nothing; only what was verified gets one.
_IMITATED = re.compile(r"(?:[ \t]+|^)\[\d{1,2}\](?=[\s.,;:!?]|$)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Citation:
    """The mark `[marker]`: `document.text[start:end] == quote` in the cleaned document."""

    marker: int
    document_id: str
    url: str | None
    title: str
    start: int
    end: int
    quote: str
    score: float


def unmarked(text: str) -> str:
    """A model's text without the marks that it made up."""
    return _IMITATED.sub("", text)


def quoted(quotes: Sequence[Quote], introduction: str) -> tuple[str, tuple[Citation, ...]]:
    """Quotes one after another, each with its mark."""
    citations = tuple(_citation(number, quote) for number, quote in enumerate(quotes, start=1))
    parts = [rendered(quote, f"[{number}]") for number, quote in enumerate(quotes, start=1)]
    return "\n\n".join([introduction, *parts]), citations


def cited(
    text: str, supported: Sequence[SupportedSentence], chunks: Sequence[FoundChunk], *, ended: bool = True
) -> tuple[str, tuple[Citation, ...]]:
    """A supported answer with a mark after each block, for the passages that its sentences stand on.

    The last block of an answer that has not `ended` may go on, and has no marks yet.
    """
    citations: list[Citation] = []
    numbers: dict[tuple[str, int, int], int] = {}
    parts: list[str] = []
    written = 0
    for block in blocks(text):
        marks = []
        for each in supported:
            if block.start <= each.sentence.start < block.end:
                citation = _citation(len(citations) + 1, best_block(chunks[each.passage], each.sentence.text))
                number = numbers.setdefault((citation.document_id, citation.start, citation.end), citation.marker)
                if number == citation.marker:
                    citations.append(citation)
                marks.append(number)
        goes_on = not ended and block.end == len(text)
        parts.append(text[written : block.end] + ("" if goes_on else _marks(block, marks)))
        written = block.end
    return "".join(parts), tuple(citations)


def _marks(block: Block, numbers: Sequence[int]) -> str:
    marks = "".join(f"[{number}]" for number in dict.fromkeys(numbers))
    if not marks:
        return ""
    return f" {marks}" if block.kind in ("prose", "heading") else f"\n\n{marks}"


def _citation(marker: int, quote: Quote) -> Citation:
    chunk = quote.chunk
    return Citation(
        marker=marker,
        document_id=chunk.document_id,
        url=chunk.url,
        title=chunk.title,
        start=chunk.start + quote.start,
        end=chunk.start + quote.end,
        quote=quote.text,
        score=quote.score,
    )
