"""The splitter that most begin with, for comparison: separators by turns, joined up to a size in tokens, no context."""

from collections.abc import Callable, Iterator, Sequence

_SEPARATORS = ("\n\n", "\n", ". ", " ", "")

Counts = Callable[[Sequence[str]], Sequence[int]]


def recursive_spans(text: str, counts: Counts, max_tokens: int) -> Iterator[tuple[int, int]]:
    """Spans of at most `max_tokens`, special tokens included; together they are the text."""
    special = counts([""])[0]
    return _split(text, 0, lambda pieces: [count - special for count in counts(pieces)], max_tokens - special, 0)


def _split(text: str, base: int, costs: Counts, limit: int, level: int) -> Iterator[tuple[int, int]]:
    start = place = base
    size = 0
    pieces = _pieces(text, _SEPARATORS[level])
    for piece, cost in zip(pieces, costs(pieces), strict=True):
        if place > start and size + cost > limit:
            yield start, place
            start, size = place, 0
        if cost > limit and level + 1 < len(_SEPARATORS):
            yield from _split(piece, place, costs, limit, level + 1)
            start = place + len(piece)
        else:
            size += cost
        place += len(piece)
    if place > start:
        yield start, place


def _pieces(text: str, separator: str) -> list[str]:
    if not separator:
        return list(text)
    pieces = text.split(separator)
    return [*(piece + separator for piece in pieces[:-1]), pieces[-1]]
