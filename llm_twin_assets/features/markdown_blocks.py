"""Markdown as a row of blocks with their exact spans: headings, fences, paragraphs (lists and tables included)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

_ATX = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*$")
_SETEXT = re.compile(r" {0,3}(=+|-{2,})[ \t]*$")
# A fence may stand in a list item or a quotation.
_FENCE = re.compile(r"([ \t>]*)(?:(?:[-*+]|\d+[.)])[ \t]+)?(`{3,}|~{3,})([^`\n]*)$")


@dataclass(frozen=True, slots=True)
class Block:
    """A span of Markdown that belongs together; `level` and `heading` are set for headings alone."""

    kind: Literal["heading", "fence", "text"]
    start: int
    end: int
    level: int = 0
    heading: str = ""


@dataclass(slots=True)
class _Open:
    """The paragraph, or the fence if it has a mark, that the line before belongs to.

    `first` is a paragraph's only line while it has but one: what an underline makes a heading.
    """

    start: int
    end: int
    first: str = ""
    mark: str = ""
    quoted: bool = False

    @property
    def block(self) -> Block:
        return Block("fence" if self.mark else "text", self.start, self.end)

    def left_by(self, line: str) -> bool:
        """Whether the line is after the quotation that the fence stands in."""
        return self.quoted and not line.lstrip().startswith(">")

    def closed_by(self, line: str) -> bool:
        """Whether the line closes the fence (CommonMark 0.31, section 4.5)."""
        text = line.strip(" \t>") if self.quoted else line.strip()
        return text.startswith(self.mark) and set(text) == {self.mark[0]}


# Blocks that a line ends, and what is open after it.
_Step = tuple[tuple[Block, ...], _Open | None]


def markdown_blocks(text: str) -> Iterator[Block]:
    """The blocks in order, in one pass; together they cover everything that is not blank.

    A fence that is never closed runs to the end, or to the end of the quotation that it stands in.
    """
    current: _Open | None = None
    for start, end in _lines(text):
        line = text[start:end].rstrip("\n")
        step = _inside if current and current.mark else _outside
        ended, current = step(current, line, start, end)
        yield from ended
    if current:
        yield current.block


def _lines(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    while start < len(text):
        end = text.find("\n", start) + 1 or len(text)
        yield start, end
        start = end


def _inside(fence: _Open | None, line: str, start: int, end: int) -> _Step:
    if fence is None or fence.left_by(line):
        ended, current = _outside(None, line, start, end)
        return ((fence.block, *ended) if fence else ended), current
    fence.end = end
    return ((fence.block,), None) if fence.closed_by(line) else ((), fence)


def _outside(paragraph: _Open | None, line: str, start: int, end: int) -> _Step:
    ended = (paragraph.block,) if paragraph else ()
    if fence := _fence(line, start, end):
        return ended, fence
    if paragraph and (heading := _underlined(paragraph, line, end)):
        return (heading,), None
    if heading := _heading(line, start, end):
        return (*ended, heading), None
    if not line or line.isspace():
        return ended, None
    if paragraph:
        paragraph.end, paragraph.first = end, ""
        return (), paragraph
    return (), _Open(start, end, line)


def _fence(line: str, start: int, end: int) -> _Open | None:
    if "```" not in line and "~~~" not in line:
        return None
    match = _FENCE.match(line)
    return _Open(start, end, mark=match[2], quoted=">" in match[1]) if match else None


def _heading(line: str, start: int, end: int) -> Block | None:
    atx = _ATX.match(line) if "#" in line[:4] else None
    return Block("heading", start, end, len(atx[1]), (atx[2] or "").strip()) if atx else None


def _underlined(paragraph: _Open, line: str, end: int) -> Block | None:
    """The heading that this line makes of the one line before it."""
    if not paragraph.first or paragraph.first.startswith((" " * 4, "\t")):
        return None
    under = _SETEXT.match(line)
    return (
        Block("heading", paragraph.start, end, 1 if under[1][0] == "=" else 2, paragraph.first.strip())
        if under
        else None
    )
