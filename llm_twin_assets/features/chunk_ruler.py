"""How many tokens lie between two places of a text, known everywhere from one pass over it."""

import re
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass

Count = Callable[[str], int]

# Characters that are counted at once. Shorter ones are slower (the tokenizer's cost per call), longer ones less exact,
# since within one the tokens are taken to be spread evenly.
_STEP = 256
_BLANK = re.compile(r"\s")


@dataclass(frozen=True, slots=True)
class Ruler:
    """Tokens before each mark of a text, special tokens left out.

    A text of n characters costs one pass of the tokenizer in pieces of bounded length: linear, in time and in memory,
    where counting every paragraph, line and word by itself is a pass each, and counting 50 MB at once takes gigabytes.
    """

    marks: tuple[int, ...]
    tokens: tuple[int, ...]

    @classmethod
    def of(cls, text: str, count: Count) -> "Ruler":
        """Measure a text."""
        special = count("")
        marks, tokens = [0], [0]
        while marks[-1] < len(text):
            start = marks[-1]
            end = min(len(text), start + _STEP)
            if end < len(text) and (blank := _BLANK.search(text, end, end + _STEP // 4)):
                end = blank.start()  # not within a word: its parts are other tokens than the whole
            marks.append(end)
            tokens.append(tokens[-1] + max(0, count(text[start:end]) - special))
        return cls(tuple(marks), tuple(tokens))

    def between(self, start: int, end: int) -> float:
        """Tokens of `text[start:end]`, to some."""
        return self._before(end) - self._before(start)

    def _before(self, place: int) -> float:
        index = bisect_right(self.marks, place) - 1
        if index + 1 >= len(self.marks):
            return self.tokens[-1]
        share = (place - self.marks[index]) / (self.marks[index + 1] - self.marks[index])
        return self.tokens[index] + share * (self.tokens[index + 1] - self.tokens[index])
