"""Markdown as a row of lines that rules can look at: what they say without their marks, and where they stand."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from llm_twin_assets.features.markdown_blocks import Block, markdown_blocks

# Longer paragraphs are nobody's button: their words are not looked at.
LONGEST = 320
LONGEST_PARAGRAPH = 4_000

_ITEM = re.compile(r"[ \t]*(?:[-*+]|\d{1,3}[.)])(?:[ \t]+|$)")
_LEADING = re.compile(r"(?:[ \t>]|#{1,6}(?=[ \t])|[-*+](?=[ \t]|$)|\d{1,3}[.)](?=[ \t]|$))+")
_BREAK = re.compile(r"[ \t]*(?:[-*+][ \t]+)?([-*_])(?:[ \t]*\1){2,}[ \t]*$")
_LINK = re.compile(
    r"(?<!!)\[([^\]\n]*)\]\(<?[^()\s]*(?:\([^()\s]*\)[^()\s]*)*>?(?:\s+\"[^\"\n]*\")?\)|<(https?://[^>\s]+)>"
)
_TARGET = re.compile(r"(?:\]\(<?|<|^|\s)(https?://[^\s<>]*[^\s<>).,])")
_IMAGE = re.compile(r"!\[[^\]\n]*\]\([^()\n]*\)")
_EMPHASIS = re.compile(r"\*+|(?<![\w_])_(?=[^_\s])|(?<=[^_\s])_(?![\w_])|\\(?=[^\w\s])")


@dataclass(frozen=True, slots=True)
class Line:
    """A paragraph, or one line of a paragraph of several; `whole` tells which. `words` is "" for what no rule may
    read, `target` the address of its first link.

    `text[start:end]` is the line without its line end.
    """

    start: int
    end: int
    kind: Literal["heading", "item", "text", "break", "code"]
    words: str
    target: str = ""
    whole: bool = True


def text_lines(text: str, longest: int = 2 * LONGEST) -> Iterator[Line]:
    """The lines of a Markdown text, in order; code, fenced or indented, comes as blocks that say nothing.

    So do lines that are longer than the `longest` to be read.
    """
    listed = False
    for block in markdown_blocks(text):
        end = block.start + len(text[block.start : block.end].rstrip())
        source = text[block.start : end]
        if block.kind == "fence":
            yield Line(block.start, end, "code", "")
            # One at the margin ends the list before it.
            listed = listed and source.startswith((" ", "\t"))
            continue
        indented = source.startswith(("    ", "\t"))
        # `* * *` is a break, and what is indented behind it is code.
        item = _ITEM.match(source) and not _BREAK.match(source)
        if indented and not listed:
            yield Line(block.start, end, "code", "")
            continue
        listed = indented or bool(item)
        yield from _lines(block, source, longest)


def paragraphs(text: str) -> Iterator[Line]:
    """The same, a line for each paragraph, up to the longest that is layout rather than text."""
    rows: list[Line] = []
    for line in text_lines(text, LONGEST_PARAGRAPH):
        if rows and (line.whole or text[rows[-1].end : line.start].strip(" \t") != "\n"):
            yield joined_rows(rows)
            rows = []
        if line.whole:
            yield line
        else:
            rows.append(line)
    if rows:
        yield joined_rows(rows)


def joined_rows(rows: Sequence[Line]) -> Line:
    """The lines of one paragraph as one."""
    words = " ".join(row.words for row in rows)
    return Line(rows[0].start, rows[-1].end, rows[0].kind, words, next((row.target for row in rows if row.target), ""))


def _lines(block: Block, source: str, longest: int) -> Iterator[Line]:
    if block.kind == "heading":
        shown = block.heading if "\n" in source else source
        said = words(shown) if len(shown) <= longest else ""
        yield Line(block.start, block.start + len(source), "heading", said, target(shown))
    elif "\n" not in source:
        yield _line(block.start, source, longest, whole=True)
    else:
        start = block.start
        for each in source.split("\n"):
            yield _line(start, each, longest, whole=False)
            start += len(each) + 1


def _line(start: int, source: str, longest: int, whole: bool) -> Line:
    end = start + len(source)
    if _BREAK.match(source):
        return Line(start, end, "break", "***", whole=whole)
    if source.startswith((" " * 8, "\t\t")):
        return Line(start, end, "code", "", whole=whole)
    said = words(source) if len(source) <= longest else ""
    return Line(start, end, "item" if _ITEM.match(source) else "text", said, target(source), whole)


def target(source: str) -> str:
    """The address of a line's first link, "" without one."""
    found = _TARGET.search(source) if "://" in source else None
    return found[1] if found else ""


def words(source: str) -> str:
    """What a line says: without list and heading marks, emphasis, images and the addresses of links."""
    bare = source[match.end() :] if (match := _LEADING.match(source)) else source
    if "[" in bare or "<" in bare:
        bare = _LINK.sub(lambda link: link[1] if link[1] is not None else link[2], _IMAGE.sub("", bare))
    if "*" in bare or "_" in bare or "\\" in bare:
        bare = _EMPHASIS.sub("", bare)
    return " ".join(bare.split())
