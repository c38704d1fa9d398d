"""Markdown as a row of blocks with their exact spans: headings, fences, paragraphs (lists and tables included)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

_ATX = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*$")
_SETEXT = re.compile(r" {0,3}(=+|-{2,})[ \t]*$")
_FENCE = re.compile(r"[ \t]*(?:(?:[-*+]|\d+[.)])[ \t]+)?(`{3,}|~{3,})([^`\n]*)$")


@dataclass(frozen=True, slots=True)
class Block:
    """A span of Markdown that belongs together; `level` and `heading` are set for headings alone."""

    kind: Literal["heading", "fence", "text"]
    start: int
    end: int
    level: int = 0
    heading: str = ""


@dataclass(frozen=True, slots=True)
class _Line:
    start: int
    end: int
    text: str


def markdown_blocks(text: str) -> list[Block]:
    """The blocks in order; together they cover everything that is not blank."""
    blocks: list[Block] = []
    paragraph: list[_Line] = []
    lines = list(_lines(text))
    index = 0
    while index < len(lines):
        line = lines[index]
        if fence := _FENCE.match(line.text):
            blocks += _text(paragraph)
            after = _end_of_fence(lines, index, fence[1])
            blocks.append(Block("fence", line.start, lines[after - 1].end))
            index = after
            continue
        index += 1
        if heading := _heading(line, paragraph):
            blocks.append(heading)
        elif line.text.strip():
            paragraph.append(line)
            continue
        else:
            blocks += _text(paragraph)
        paragraph.clear()
    return blocks + _text(paragraph)


def _lines(text: str) -> Iterator[_Line]:
    start = 0
    while start < len(text):
        end = text.find("\n", start) + 1 or len(text)
        yield _Line(start, end, text[start:end].rstrip("\n"))
        start = end


def _end_of_fence(lines: list[_Line], index: int, mark: str) -> int:
    """Index of the line after the closing fence; an open fence runs to the end (CommonMark 0.31, section 4.5)."""
    for position in range(index + 1, len(lines)):
        text = lines[position].text.strip()
        if text.startswith(mark) and set(text) == {mark[0]}:
            return position + 1
    return len(lines)


def _heading(line: _Line, paragraph: list[_Line]) -> Block | None:
    """A heading that this line is, or makes of the one line before it."""
    if (
        len(paragraph) == 1
        and (under := _SETEXT.match(line.text))
        and not paragraph[0].text.startswith((" " * 4, "\t"))
    ):
        above = paragraph[0]
        return Block("heading", above.start, line.end, 1 if under[1][0] == "=" else 2, above.text.strip())
    if not paragraph and (atx := _ATX.match(line.text)):
        return Block("heading", line.start, line.end, len(atx[1]), (atx[2] or "").strip())
    return None


def _text(paragraph: list[_Line]) -> list[Block]:
    if not paragraph:
        return []
    block = Block("text", paragraph[0].start, paragraph[-1].end)
    paragraph.clear()
    return [block]
