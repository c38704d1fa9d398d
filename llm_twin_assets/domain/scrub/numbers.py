"""Stretches of a text with many digits: the only places where numbers of people, cards and telephones can be."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from llm_twin_assets.domain.scrub.spans import Accept, Span, in_address, line_before

# At least six digits, with a blank, two signs or capitals and a blank between two of them at the most.
_ISLAND = re.compile(r"\d(?:[^\S\n]?[-+./()A-Z\u2010-\u2013]{0,2}[^\S\n]?\d){5,}")
# Room for the letters before and behind the digits: `GB29 NWBK 6016…`, `RSSMRA85T10A562S`.
_BEFORE, _AFTER = 18, 24
_CONTEXT = 48

Alone = Literal["always", "prose", "never"]


class Place(NamedTuple):
    """`text[start:end]`, and how many digits are in it."""

    start: int
    end: int
    digits: int


def islands(text: str) -> list[Place]:
    """Where digits are dense, with some room on both sides."""
    places: list[Place] = []
    for match in _ISLAND.finditer(text):
        start, end = max(0, match.start() - _BEFORE), min(len(text), match.end() + _AFTER)
        digits = len(digits_of(match.group()))
        if places and start < places[-1].end:
            start, digits = places[-1].start, digits + places.pop().digits
        places.append(Place(start, end, digits))
    return places


def digits_of(text: str) -> str:
    """The digits alone."""
    return "".join(each for each in text if each.isdecimal())


@dataclass(frozen=True, slots=True)
class NumberRule:
    """A number with a form, at least so many `digits`, and mostly a check digit.

    Where the form says too little, one of the words of `context` has to stand before it on its line: `alone` is where
    it needs none.
    """

    pattern: re.Pattern[str]
    accept: Accept
    context: re.Pattern[str]
    alone: Alone = "prose"
    digits: int = 9

    def spans(self, text: str, places: Sequence[Place], code: bool) -> Iterator[Span]:
        """Where in the given places such a number is."""
        for place in places:
            if place.digits < self.digits:
                continue
            for match in self.pattern.finditer(text, place.start, place.end):
                if self.accept(match) and self._expected(text, match.start(), code):
                    yield match.span()

    def _expected(self, text: str, position: int, code: bool) -> bool:
        if self.context.search(line_before(text, position, _CONTEXT)):
            return True
        if in_address(text, position):
            return False
        return self.alone == "always" or (self.alone == "prose" and not code)
