"""Chunks found to the sections they stand in: neighbours under the same heading or definition, joined.

The index holds chunks, not documents, and chunks leave out the blanks between them. Joined text has as many blanks as
the document has there, so that every other character is at its place: `text[i]` is `document[start + i]`.
Where blanks were put in is on record (`gaps`): what is quoted never holds one.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from llm_twin_assets.domain.chunk import FoundChunk
from resources.vector_store import Index

# How far to look to either side; a section of more chunks than this is longer than any prompt.
_REACH = 16


def whole_sections(index: Index, found: Sequence[FoundChunk], most: int) -> list[FoundChunk]:
    """Each chunk grown to its section, up to `most` characters around it; what grew into one comes once, at its best.

    A chunk longer than `most` stays as it is.
    """
    grown: list[FoundChunk] = []
    for chunk in found:
        if not any(_covers(each, chunk) for each in grown):
            grown.append(_grown(index, chunk, most))
    return grown


def _covers(section: FoundChunk, chunk: FoundChunk) -> bool:
    return section.document_id == chunk.document_id and section.start <= chunk.start and chunk.end <= section.end


def _grown(index: Index, chunk: FoundChunk, most: int) -> FoundChunk:
    if chunk.ordinal is None:
        return chunk
    rows = index.neighbours(chunk.document_id, max(0, chunk.ordinal - _REACH), chunk.ordinal + _REACH)
    at = next((place for place, row in enumerate(rows) if row["chunk_id"] == chunk.chunk_id), None)
    if at is None:
        return chunk
    first, last = _section(rows, at)
    while rows[last]["end"] - rows[first]["start"] > most and first < last:
        # What is farther from the chunk goes first: it stays in the middle of what is kept.
        if chunk.start - rows[first]["start"] > rows[last]["end"] - chunk.end:
            first += 1
        else:
            last -= 1
    kept = rows[first : last + 1]
    text, gaps = _joined(kept)
    return replace(chunk, start=kept[0]["start"], end=kept[-1]["end"], text=text, gaps=gaps)


def _section(rows: Sequence[Mapping[str, Any]], at: int) -> tuple[int, int]:
    """The run of rows about `at` that have its context and follow upon each other."""
    first = last = at
    while first > 0 and _adjoin(rows[first - 1], rows[first]):
        first -= 1
    while last + 1 < len(rows) and _adjoin(rows[last], rows[last + 1]):
        last += 1
    return first, last


def _adjoin(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return bool(one["ordinal"] + 1 == other["ordinal"] and one["context"] == other["context"])


def _joined(rows: Iterable[Mapping[str, Any]]) -> tuple[str, tuple[tuple[int, int], ...]]:
    """The text, and where blanks stand in it that no row vouches for."""
    text, end = "", 0
    gaps: list[tuple[int, int]] = []
    for row in rows:
        gap = int(row["start"]) - end if text else 0
        if gap > 0:
            gaps.append((len(text), len(text) + gap))
        # Chunks may overlap: then the second begins with what the first ended with.
        text += _blanks(gap) + row["text"] if gap >= 0 else row["text"][-gap:]
        end = max(end, int(row["end"]))
    return text, tuple(gaps)


def _blanks(count: int) -> str:
    """A paragraph's end, then the indentation of what follows: what stands between chunks but for rare cases."""
    return "\n" * min(count, 2) + " " * max(0, count - 2)
