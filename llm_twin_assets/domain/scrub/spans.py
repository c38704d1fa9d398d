"""Where in a text something is: rules that find it, guarded by what is cheap to look for first."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

Span = tuple[int, int]
Accept = Callable[[re.Match[str]], bool]


def _always(_: re.Match[str]) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Rule:
    """A pattern, tried only where one of `hints` is in the text (any text if there are none).

    What is found is the group `found` if the pattern has one, else the whole match. Every quantifier in a pattern is
    bounded or starts at a boundary, so that no text, however hostile, costs more than time linear in its length.
    """

    hints: tuple[str, ...]
    pattern: re.Pattern[str]
    accept: Accept = _always

    def spans(self, text: str) -> Iterator[Span]:
        """Where the rule finds something."""
        if self.hints and not any(map(text.__contains__, self.hints)):
            return
        group = "found" if "found" in self.pattern.groupindex else 0
        for match in self.pattern.finditer(text):
            if match.start(group) >= 0 and self.accept(match):
                yield match.span(group)


def found_by(rules: Sequence[Rule], text: str) -> Iterator[Span]:
    """Where any of the rules finds something; spans may overlap."""
    for rule in rules:
        yield from rule.spans(text)


def merged(spans: Iterable[Span]) -> list[Span]:
    """Spans in order, those that overlap as one."""
    result: list[Span] = []
    for start, end in sorted(spans):
        if result and start < result[-1][1]:
            result[-1] = (result[-1][0], max(end, result[-1][1]))
        else:
            result.append((start, end))
    return result


def line_before(text: str, position: int, reach: int) -> str:
    """What stands before a position on its line, at most `reach` characters."""
    return text[max(0, position - reach) : position].rpartition("\n")[2]


_URL_STOP = re.compile(r"[\s\"'<>()\[\]]")


def in_address(text: str, position: int) -> bool:
    """Whether a position is inside a web address or path, where numbers are ids of pages."""
    before = _URL_STOP.split(text[max(0, position - 200) : position])[-1]
    return "://" in before or before.endswith("/") or before.startswith("www.")
