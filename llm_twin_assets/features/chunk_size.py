"""How much fits into one chunk, and how spans of a text are packed into chunks."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from llm_twin_assets.features.chunk_cut import LEVELS, WINDOW, Span, pieces, window_end, within_character, word_start
from llm_twin_assets.features.chunk_ruler import Count, Ruler

# No tokenizer yields fewer tokens than this many characters each in real text; WordPiece, though, makes one [UNK] of a
# word of 100 characters or more, and would let a megabyte of base64 pass as one token.
_MAX_CHARACTERS_PER_TOKEN = 16
# The ruler is not as far off as this: what it says is that much too long is not asked of the tokenizer.
_CLEARLY = 1.25
# The context may take this share of a chunk at most.
_CONTEXT_SHARE = 3
SEPARATOR = " › "


@dataclass
class Sizer:
    """Fits spans of one text into chunks of at most `max_tokens`, context included.

    What fits is always asked of the tokenizer, about exactly what will be embedded; the ruler only says where to try.
    A chunk that continues another under the same context begins with up to `overlap` tokens of it.
    """

    text: str
    count: Count
    max_tokens: int
    overlap: int = 0
    _contexts: dict[tuple[str, ...], str] = field(default_factory=dict)
    _rooms: dict[str, int] = field(default_factory=dict)

    def context(self, parts: Sequence[str]) -> str:
        """The parts joined; where they take too much room the middle goes first, then the end of each."""
        key = tuple(part for part in (" ".join(part.split()) for part in parts) if part)
        if key not in self._contexts:
            self._contexts[key] = self._shortened(list(key))
        return self._contexts[key]

    def cost(self, span: Span) -> float:
        """Tokens of a span by itself, to some, special tokens left out."""
        return self._ruler.between(*span)

    def room(self, context: str) -> int:
        """Tokens left for text beside a context."""
        if context not in self._rooms:
            self._rooms[context] = self.max_tokens - self.count(f"{context}\n\n" if context else "")
        return self._rooms[context]

    def fits(self, span: Span, context: str) -> bool:
        """Whether the span makes one chunk."""
        return self._excess(span, context, self.max_tokens) <= 0

    def pack(self, spans: Sequence[Span], context: str) -> Iterator[Span]:
        """Consecutive spans joined into as few and as even chunks as fit; a span that is too long is cut."""
        if not spans:
            return
        if self.fits((spans[0][0], spans[-1][1]), context):
            yield (spans[0][0], spans[-1][1])
            return
        before: int | None = None
        for start, end in self._packed(spans, context, 0):
            if self.text[start:end].isspace():
                continue
            yield (start if before is None else self._overlapping(before, (start, end), context), end)
            before = start

    def _packed(self, spans: Sequence[Span], context: str, level: int) -> Iterator[Span]:
        limit = self.max_tokens - self.overlap
        room = max(1, self.room(context) - self.overlap)
        costs = [self.cost(span) for span in spans]
        target = _even(sum(costs), room)
        first = 0
        while first < len(spans):
            last, total = first + 1, costs[first]
            while last < len(spans) and total < target and total + costs[last] <= room:
                total += costs[last]
                last += 1
            while last > first + 1 and (excess := self._excess((spans[first][0], spans[last - 1][1]), context, limit)):
                total, last = self._without(excess, costs, first, last, total)
            # One span alone may use the room of the overlap too: it is not cut for the sake of another's words.
            if last > first + 1 or self.fits(spans[first], context):
                yield (spans[first][0], spans[last - 1][1])
            else:
                yield from self._cut(spans[first], context, level)
            first = last

    @staticmethod
    def _without(excess: int, costs: Sequence[float], first: int, last: int, total: float) -> tuple[float, int]:
        """Spans dropped from the end until as much is gone as was too much."""
        wanted = total - excess
        while last > first + 1:
            last -= 1
            total -= costs[last]
            if total <= wanted:
                break
        return total, last

    def _excess(self, span: Span, context: str, limit: int) -> int:
        """Tokens beyond the limit, 0 if it fits."""
        start, end = span
        estimate = round(self.cost(span))
        if end - start > self.max_tokens * _MAX_CHARACTERS_PER_TOKEN or estimate > limit * _CLEARLY:
            return max(1, estimate - limit)
        text = self.text[start:end]
        return max(0, self.count(f"{context}\n\n{text}" if context else text) - limit)

    def _cut(self, span: Span, context: str, level: int) -> Iterator[Span]:
        """A span that is too long, at the coarsest level that cuts it; a huge one in windows, to bound memory."""
        start, end = span
        while end - start > 2 * WINDOW:
            middle = window_end(self.text, start)
            yield from self._cut((start, middle), context, level)
            start = middle
        for deeper in range(level, len(LEVELS)):
            cut = list(pieces(self.text, (start, end), LEVELS[deeper]))
            if len(cut) > 1:
                yield from self._packed(cut, context, deeper + 1)
                return
        yield from self._halved((start, end), context)

    def _halved(self, span: Span, context: str) -> Iterator[Span]:
        """One word too long for a chunk, cut wherever it fits."""
        start, end = span
        step = min(end - start, self.max_tokens * _MAX_CHARACTERS_PER_TOKEN)
        while start < end:
            stop = min(end, start + step)
            while stop > start + 1 and not self.fits((start, stop), context):
                step = max(1, (stop - start) // 2)
                stop = start + step
            stop = within_character(self.text, start, stop, end)
            yield (start, stop)
            start = stop

    def _overlapping(self, before: int, span: Span, context: str) -> int:
        """Where the chunk begins with the overlap, which never reaches back over the chunk before it."""
        start, end = span
        length = min(start - before - 1, self.overlap * _MAX_CHARACTERS_PER_TOKEN)
        while length > 0 and self.cost((start - length, start)) > self.overlap:
            length = length * 3 // 4
        while length > 0:
            earlier = word_start(self.text, start - length, start)
            if earlier < start and self.fits((earlier, end), context):
                return earlier
            length //= 2
        return start

    @cached_property
    def _ruler(self) -> Ruler:
        return Ruler.of(self.text, self.count)

    @cached_property
    def _special(self) -> int:
        return self.count("")

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


def _even(total: float, room: int) -> float:
    """How full to make each chunk, so that the last is not a scrap."""
    return total / max(1, -(-total // room))
