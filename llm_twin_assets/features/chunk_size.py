"""How much fits into one chunk, and where the rest is cut: at blank lines, lines, sentences, words, characters."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

Span = tuple[int, int]
Count = Callable[[str], int]

# Each level ends its pieces after the match; the next level is for pieces that are still too long.
_LEVELS = (
    re.compile(r"\n(?:[^\S\n]*\n)+"),
    re.compile(r"\n"),
    re.compile(r"(?<=[.!?…。！？])[\"'”’)\]]*\s+|(?<=[。！？])"),
    re.compile(r"\s+"),
)
# No tokenizer yields fewer tokens than this many characters each in real text; WordPiece, though, makes one [UNK] of a
# word of 100 characters or more, and would let a megabyte of base64 pass as one token.
_MAX_CHARACTERS_PER_TOKEN = 16
# The context may take this share of a chunk at most.
_CONTEXT_SHARE = 3
SEPARATOR = " › "


@dataclass
class Sizer:
    """Fits spans of one text into chunks of at most `max_tokens`, context included."""

    text: str
    count: Count
    max_tokens: int
    _contexts: dict[tuple[str, ...], str] = field(default_factory=dict)
    _costs: dict[str, int] = field(default_factory=dict)

    def context(self, parts: Sequence[str]) -> str:
        """The parts joined; where they take too much room the middle goes first, then the end of each."""
        key = tuple(part for part in (" ".join(part.split()) for part in parts) if part)
        if key not in self._contexts:
            self._contexts[key] = self._shortened(list(key))
        return self._contexts[key]

    def cost(self, span: Span) -> int:
        """Tokens of a span by itself, special tokens left out."""
        return max(0, self.count(self.text[slice(*span)]) - self._special)

    def room(self, context: str) -> int:
        """Tokens left for text beside a context."""
        if context not in self._costs:
            self._costs[context] = self.count(f"{context}\n\n" if context else "")
        return self.max_tokens - self._costs[context]

    def fits(self, span: Span, context: str) -> bool:
        """Whether the span makes one chunk; asks the tokenizer about exactly what will be embedded."""
        if span[1] - span[0] > self.max_tokens * _MAX_CHARACTERS_PER_TOKEN:
            return False
        text = self.text[slice(*span)]
        return self.count(f"{context}\n\n{text}" if context else text) <= self.max_tokens

    def pack(self, spans: Sequence[Span], context: str, *, level: int = 0) -> Iterator[Span]:
        """Consecutive spans joined into as few and as even chunks as fit; a span that is too long is cut."""
        room = self.room(context)
        costs = [self.cost(span) for span in spans]
        target = _even(sum(costs), room)
        first = 0
        while first < len(spans):
            last, total = first + 1, costs[first]
            while last < len(spans) and total < target and total + costs[last] <= room:
                total += costs[last]
                last += 1
            while last > first + 1 and not self.fits((spans[first][0], spans[last - 1][1]), context):
                last -= 1
            whole = (spans[first][0], spans[last - 1][1])
            if last > first + 1 or self.fits(whole, context):
                yield whole
            else:
                yield from self._cut(whole, context, level)
            first = last

    def _cut(self, span: Span, context: str, level: int) -> Iterator[Span]:
        for deeper in range(level, len(_LEVELS)):
            pieces = list(_pieces(self.text, span, _LEVELS[deeper]))
            if len(pieces) > 1:
                yield from self.pack(pieces, context, level=deeper + 1)
                return
        yield from self._halved(span, context)

    def _halved(self, span: Span, context: str) -> Iterator[Span]:
        """One word too long for a chunk, cut wherever it fits."""
        start, end = span
        step = min(end - start, self.max_tokens * _MAX_CHARACTERS_PER_TOKEN)
        while start < end:
            stop = min(end, start + step)
            while stop > start + 1 and not self.fits((start, stop), context):
                step = max(1, (stop - start) // 2)
                stop = start + step
            yield (start, stop)
            start = stop

    @property
    def _special(self) -> int:
        return self._costs.setdefault("", self.count(""))

    def _shortened(self, parts: list[str]) -> str:
        room = max(1, self.max_tokens // _CONTEXT_SHARE)
        while len(parts) > 2 and not self._short(parts, room):
            parts.pop(len(parts) // 2)
        while parts and not self._short(parts, room):
            longest = max(range(len(parts)), key=lambda index: len(parts[index]))
            parts[longest] = parts[longest][: len(parts[longest]) // 2].rstrip()
            parts = [part for part in parts if part]
        return SEPARATOR.join(parts)

    def _short(self, parts: Sequence[str], room: int) -> bool:
        joined = SEPARATOR.join(parts)
        return len(joined) <= room * _MAX_CHARACTERS_PER_TOKEN and self.count(f"{joined}\n\n") - self._special <= room


def trimmed(text: str, span: Span) -> Span | None:
    """The span without blank lines before it and blanks after it; None if nothing is left."""
    start, end = span
    while end > start and text[end - 1].isspace():
        end -= 1
    first = start
    while first < end and text[first].isspace():
        if text[first] == "\n":
            start = first + 1
        first += 1
    return (start, end) if first < end else None


def _even(total: int, room: int) -> int:
    """How full to make each chunk, so that the last is not a scrap."""
    chunks = -(-total // room) if room > 0 else 1
    return -(-total // chunks) if chunks else 0


def _pieces(text: str, span: Span, ends: re.Pattern[str]) -> Iterator[Span]:
    start, end = span
    for match in ends.finditer(text, start, end):
        if start < match.end() < end:
            yield (start, match.end())
            start = match.end()
    yield (start, end)
