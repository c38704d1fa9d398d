"""Chunks found to the sections they stand in: neighbours under the same heading or definition, joined.

The index holds chunks, not documents, and chunks leave out the blanks between them. Joined text has as many blanks as
the document has there, so that every other character is at its place: `text[i]` is `document[start + i]`.
Where blanks were put in is on record (`gaps`): what is quoted never holds one.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from operator import itemgetter
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


def neighbours(index: Index, found: Sequence[FoundChunk], reach: int) -> list[FoundChunk]:
    """The chunks around those found, `reach` to either side within their sections; none that was found itself.

    The nearest come first, those of the best chunk before those of the next. Each has the score of its chunk.
    """
    known = {chunk.chunk_id for chunk in found}
    placed: list[tuple[int, FoundChunk]] = []
    for chunk in found:
        rows = _within_section(index, chunk, reach)
        placed += [(abs(row["ordinal"] - (chunk.ordinal or 0)), _of_row(chunk, row)) for row in rows]
    around: dict[str, FoundChunk] = {}
    for _, each in sorted(placed, key=itemgetter(0)):
        if each.chunk_id not in known:
            around.setdefault(each.chunk_id, each)
    return list(around.values())


def merged(chunks: Sequence[FoundChunk]) -> list[FoundChunk]:
    """Chunks that follow upon each other in a section as one, in place of the first of them that is named."""
    named = sorted(enumerate(chunks), key=lambda pair: (pair[1].document_id, pair[1].ordinal or 0))
    runs: list[tuple[list[int], list[dict[str, Any]]]] = []
    for place, chunk in named:
        row = asdict(chunk)
        if runs and _adjoin(runs[-1][1][-1], row):
            runs[-1][0].append(place)
            runs[-1][1].append(row)
        else:
            runs.append(([place], [row]))
    return [_spanning(chunks[min(places)], rows) for places, rows in sorted(runs, key=lambda run: min(run[0]))]


def _covers(section: FoundChunk, chunk: FoundChunk) -> bool:
    return section.document_id == chunk.document_id and section.start <= chunk.start and chunk.end <= section.end


def _grown(index: Index, chunk: FoundChunk, most: int) -> FoundChunk:
    rows = _within_section(index, chunk, _REACH)
    first, last = 0, len(rows) - 1
    while first < last and rows[last]["end"] - rows[first]["start"] > most:
        # What is farther from the chunk goes first: it stays in the middle of what is kept.
        if chunk.start - rows[first]["start"] > rows[last]["end"] - chunk.end:
            first += 1
        else:
            last -= 1
    return _spanning(chunk, rows[first : last + 1]) if rows else chunk


def _spanning(chunk: FoundChunk, rows: Sequence[Mapping[str, Any]]) -> FoundChunk:
    text, gaps = _joined(rows)
    return replace(chunk, start=rows[0]["start"], end=rows[-1]["end"], text=text, gaps=gaps)


def _of_row(chunk: FoundChunk, row: Mapping[str, Any]) -> FoundChunk:
    own = {name: row[name] for name in ("chunk_id", "ordinal", "start", "end", "text")}
    return replace(chunk, **own)


def _within_section(index: Index, chunk: FoundChunk, reach: int) -> Sequence[Mapping[str, Any]]:
    """The rows about a chunk that are of its section, itself among them; none if it has no place."""
    if chunk.ordinal is None:
        return []
    rows = index.neighbours(chunk.document_id, max(0, chunk.ordinal - reach), chunk.ordinal + reach)
    at = next((place for place, row in enumerate(rows) if row["chunk_id"] == chunk.chunk_id), None)
    if at is None:
        return []
    first, last = _section(rows, at)
    return rows[first : last + 1]


def _section(rows: Sequence[Mapping[str, Any]], at: int) -> tuple[int, int]:
    """The run of rows about `at` that have its context and follow upon each other."""
    first = last = at
    while first > 0 and _adjoin(rows[first - 1], rows[first]):
        first -= 1
    while last + 1 < len(rows) and _adjoin(rows[last], rows[last + 1]):
        last += 1
    return first, last


def _adjoin(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    same = one["document_id"] == other["document_id"] and one["context"] == other["context"]
    return same and one["ordinal"] is not None and one["ordinal"] + 1 == other["ordinal"]


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
