"""The heading tree of a Markdown document, with exact character spans."""

import re
from dataclasses import dataclass

# CommonMark 0.31: ATX headings (§4.2) and fenced code blocks (§4.5), up to three spaces of indentation.
_HEADING = re.compile(r" {0,3}(#{1,6})(?=[ \t]|$)")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and the text below it up to the next heading of any level.

    `path` is the titles of the headings above it and its own; empty for text before the first heading.
    `start` is where the heading's line begins, `body` where its text begins, `end` where the next section begins.
    """

    path: tuple[str, ...]
    start: int
    body: int
    end: int


def sections(text: str) -> list[Section]:
    """All sections of a Markdown text in order; together they cover it. Headings inside fences are code."""
    found: list[Section] = []
    path: list[tuple[int, str]] = []
    start = body = offset = 0
    fence = ""
    for line in text.splitlines(keepends=True):
        stripped = line.rstrip("\r\n")
        fence, is_fence = _fence_after(stripped, fence)
        heading = None if fence or is_fence else _HEADING.match(stripped)
        if heading:
            if offset > start:
                found.append(Section(tuple(title for _, title in path), start, body, offset))
            level = len(heading[1])
            path = [(above, title) for above, title in path if above < level]
            path.append((level, _title(stripped[heading.end() :])))
            start, body = offset, offset + len(line)
        offset += len(line)
    if offset > start:
        found.append(Section(tuple(title for _, title in path), start, body, offset))
    return found


def _title(rest: str) -> str:
    """What follows the opening `#`s, less an optional closing run of them."""
    title = rest.strip()
    without = title.rstrip("#")
    closed = without != title and (not without or without[-1] in " \t")
    return without.rstrip() if closed else title


def _fence_after(line: str, fence: str) -> tuple[str, bool]:
    """The fence that is open after this line ("" for none), and whether the line is a fence itself."""
    match = _FENCE.match(line)
    if not match:
        return fence, False
    if not fence:
        return match[1], True
    closes = match[1][0] == fence[0] and len(match[1]) >= len(fence) and not line[match.end() :].strip()
    return ("" if closes else fence), True
