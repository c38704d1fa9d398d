"""A text as its blocks: paragraphs, lists, fenced code. Each is an exact span."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile
from typing import Literal

Kind = Literal["prose", "list", "code", "heading"]

_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})")
_HEADING = re.compile(r"^ {0,3}#{1,6}\s")
_ITEM = re.compile(r"^\s*(?:[-*+]|\d{1,3}[.)])\s")


@dataclass(frozen=True, slots=True)
class Block:
    """`text[start:end]` of the text it was found in, without blanks around it."""

    start: int
    end: int
    kind: Kind


def blocks(text: str) -> list[Block]:
    """The blocks of a Markdown text, in order. A fence that is never closed reaches to the end."""
    return [block for start, end in _spans(text) if (block := _block(text, start, end)) is not None]


def open_fence(text: str) -> str | None:
    """The fence that a text leaves open, or None."""
    fence: str | None = None
    for line in text.splitlines():
        fence = _fence_after(line, fence)
    return fence


def fenced(code: str, language: str = "") -> str:
    """Code in a fence that is longer than any fence in it."""
    longest = max((len(match.group()) for match in re.finditer(r"`{3,}", code)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{language}\n{code}\n{fence}"


def _spans(text: str) -> Iterator[tuple[int, int]]:
    """Runs of lines that no blank line and no border of a fence or heading divides."""
    start = at = 0
    fence: str | None = None
    for line in text.splitlines(keepends=True):
        after = _fence_after(line, fence)
        opens, closes = fence is None and after is not None, fence is not None and after is None
        alone = fence is None and (not line.strip() or _HEADING.match(line) is not None)
        if opens or alone:
            yield start, at
            start = at
        at += len(line)
        if closes or alone:
            yield start, at
            start = at
        fence = after
    yield start, len(text)


def _fence_after(line: str, fence: str | None) -> str | None:
    match = _FENCE.match(line)
    if match is None:
        return fence
    if fence is None:
        return match.group(1)
    closes = match.group(1).startswith(fence) and not line.strip().strip(fence[0])
    return None if closes else fence


def _block(text: str, start: int, end: int) -> Block | None:
    raw = text[start:end]
    # Blank lines go, but the indentation of the first line stays: in code and lists it says something.
    leading = sum(len(line) for line in takewhile(lambda line: not line.strip(), raw.splitlines(keepends=True)))
    stripped = raw[leading:].rstrip()
    if not stripped:
        return None
    return Block(start + leading, start + leading + len(stripped), _kind(stripped))


def _kind(text: str) -> Kind:
    if _FENCE.match(text):
        return "code"
    if _HEADING.match(text):
        return "heading"
    if _ITEM.match(text):
        return "list"
    return "code" if all(line.startswith(("    ", "\t")) for line in text.splitlines()) else "prose"
