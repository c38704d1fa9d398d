"""What an extractor chose of a page, as Markdown and as plain text.

Reads trees of HTML and of trafilatura's own element names (`head`, `list`, `item`, `quote`, `row`, `cell`, `lb`) alike.
Links, emphasis and code blocks come as marks in the text (see marks.py).
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from lxml.html import HtmlElement

from llm_twin_assets.features.code_fences import CodeBlock
from llm_twin_assets.features.inline_markdown import BREAK, formatted
from llm_twin_assets.features.marks import Mark, Marks

BlockKind = Literal["paragraph", "heading", "list", "quote", "table", "fence"]

_HEADINGS = {"head": 2, **{f"h{level}": level for level in range(1, 7)}}
_LISTS = frozenset({"list", "ul", "ol", "menu"})
_ITEMS = frozenset({"item", "li"})
_QUOTES = frozenset({"quote", "blockquote"})
_ROWS = frozenset({"row", "tr"})
_CELLS = frozenset({"cell", "td", "th"})
_BREAKS = frozenset({"lb", "br"})
_INLINE = frozenset({
    "a", "abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "code", "data", "del", "dfn", "em", "font", "hi", "i",
    "ins", "kbd", "label", "mark", "nobr", "q", "ref", "rp", "rt", "ruby", "s", "samp", "small", "span", "strike",
    "strong", "sub", "sup", "time", "tt", "u", "var", "wbr",
})  # fmt: skip
_SKIPPED = frozenset({"script", "style", "template", "noscript", "svg", "math", "iframe", "graphic", "img"})
_BLANKS = re.compile(r"\s+")
_AROUND_BREAK = re.compile(rf" ?{BREAK}(?: |{BREAK})*")
_LONG_CELL = 400


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, heading, list … as Markdown and as its words alone."""

    kind: BlockKind
    markdown: str
    text: str


class PageReader:
    """Reads blocks out of a tree; `marks` and `code` say what the marks in its text mean."""

    def __init__(self, marks: Marks, code: Sequence[CodeBlock]) -> None:
        self._marks = marks
        self._code = code

    def blocks(self, element: HtmlElement) -> list[Block]:
        """The blocks in an element, in order."""
        found: list[Block] = []
        run: list[str] = []
        self._walk(element, found, run)
        self._flush(found, run)
        return found

    def _walk(self, element: HtmlElement, found: list[Block], run: list[str]) -> None:
        run.append(element.text or "")
        for child in element:
            self._child(child, found, run)
            run.append(child.tail or "")

    def _child(self, child: HtmlElement, found: list[Block], run: list[str]) -> None:
        tag = child.tag
        if not isinstance(tag, str) or tag in _SKIPPED:
            return
        if tag in _BREAKS:
            run.append(BREAK)
        elif tag in _INLINE:
            self._walk(child, found, run)
        else:
            self._flush(found, run)
            if tag in _HEADINGS:
                found += self._heading(child)
            elif tag in _LISTS:
                found += self._list(child)
            elif tag in _QUOTES:
                found += _quoted(self.blocks(child))
            elif tag == "table":
                found += self._table(child)
            else:
                self._walk(child, found, run)
                self._flush(found, run)

    def _flush(self, found: list[Block], run: list[str]) -> None:
        raw = "".join(run)
        run.clear()
        if raw and not raw.isspace():
            found += self._paragraphs(raw)

    def _paragraphs(self, raw: str) -> Iterable[Block]:
        """A run of text as one paragraph, or several where code blocks stand in it."""
        pieces: list[str | Mark] = []
        for piece in self._marks.read(_AROUND_BREAK.sub(BREAK, _BLANKS.sub(" ", raw))):
            block = piece if isinstance(piece, Mark) and piece.kind == "block" else None
            if block is None:
                pieces.append(piece)
            elif block.end:
                pieces.clear()  # what stood in for the code
            else:
                yield from _paragraph(pieces)
                pieces.clear()
                yield self._fence(int(block.value))
        yield from _paragraph(pieces)

    def _fence(self, number: int) -> Block:
        block = self._code[number]
        return Block("fence", block.fence(), block.code)

    def _heading(self, element: HtmlElement) -> Iterable[Block]:
        level = element.get("rend") or element.tag
        marks = "#" * _HEADINGS.get(level, 2)
        for block in self.blocks(element):
            if block.kind == "paragraph":
                line = _one_line(block.markdown).replace("**", "")
                yield Block("heading", f"{marks} {line}", _one_line(block.text))
            else:
                yield block

    def _list(self, element: HtmlElement) -> list[Block]:
        """Lists, with the code blocks between their items: a fence at the margin is exact for every reader."""
        found: list[Block] = []
        lines: list[Block] = []
        ordered = "ol" in (element.tag, element.get("rend"))
        number = _start(element)
        for item in element:
            if item.tag not in _ITEMS and item.tag not in _LISTS:
                lines += self.blocks(item) if isinstance(item.tag, str) else []
                continue
            marker = f"{number}. " if ordered else "- "
            inner = self._list(item) if item.tag in _LISTS else self.blocks(item)
            if not inner:
                continue
            number += item.tag in _ITEMS
            for block in _item(inner, marker if item.tag in _ITEMS else ""):
                if block.kind == "fence":
                    found += [*_joined(lines), block]
                    lines = []
                else:
                    lines.append(block)
        return [*found, *_joined(lines)]

    def _table(self, element: HtmlElement) -> list[Block]:
        rows = [[self.blocks(cell) for cell in row if cell.tag in _CELLS] for row in element.iter(*_ROWS)]
        rows = [row for row in rows if any(row)]
        blocks = [block for row in rows for cell in row for block in cell]
        if not _is_grid(rows, blocks):
            return blocks or self._loose(element)
        width = max(map(len, rows))
        lines = [_row([_cell(cell, "markdown") for cell in row], width) for row in rows]
        lines.insert(1, _row(["---"] * width, width))
        text = "\n".join("\t".join(filter(None, (_cell(cell, "text") for cell in row))) for row in rows)
        return [Block("table", "\n".join(lines), text)]

    def _loose(self, element: HtmlElement) -> list[Block]:
        """A table without rows, as broken pages have them."""
        return [block for child in element for block in self.blocks(child)]


def _item(inner: Sequence[Block], marker: str) -> Iterable[Block]:
    """The blocks of an item: the first behind its marker, the others indented below it; fences at the margin."""
    indent = " " * (len(marker) if marker else 2)
    for number, block in enumerate(inner):
        if block.kind == "fence":
            yield block
            continue
        lines = _one_line(block.markdown) if block.kind == "heading" else block.markdown
        first, *others = lines.split("\n")
        loose = "\n" if number and block.kind != "list" else ""
        begin = marker if number == 0 else f"{loose}{indent}"
        rest = (indent + line if line else line for line in others)
        yield Block("list", "\n".join([begin + first, *rest]), block.text)


def _joined(lines: Sequence[Block]) -> list[Block]:
    if not lines:
        return []
    markdown = "\n".join(each.markdown for each in lines).strip("\n")
    return [Block("list", markdown, "\n".join(each.text for each in lines))]


def _quoted(blocks: Sequence[Block]) -> Iterable[Block]:
    """Blocks as a quotation; code in it stays exact, hence outside."""
    waiting: list[Block] = []
    for block in [*blocks, None]:
        if block is not None and block.kind != "fence":
            waiting.append(block)
            continue
        if waiting:
            lines = "\n\n".join(each.markdown for each in waiting).split("\n")
            markdown = "\n".join(f"> {line}" if line else ">" for line in lines)
            yield Block("quote", markdown, "\n".join(each.text for each in waiting))
            waiting = []
        if block is not None:
            yield block


def _is_grid(rows: Sequence[Sequence[Sequence[Block]]], blocks: Sequence[Block]) -> bool:
    """Whether a table holds data, not a layout: several columns of short cells without code."""
    return (
        bool(rows)
        and max(map(len, rows)) > 1
        and len(rows) > 1
        and not any(block.kind in ("fence", "table", "heading") for block in blocks)
        and max(sum(len(block.text) for block in cell) for row in rows for cell in row) <= _LONG_CELL
    )


def _row(cells: Sequence[str], width: int) -> str:
    return f"| {' | '.join([*cells, *[''] * (width - len(cells))])} |"


def _cell(blocks: Sequence[Block], what: Literal["markdown", "text"]) -> str:
    line = _one_line(" ".join(getattr(block, what) for block in blocks))
    return line.replace("|", "\\|") if what == "markdown" else line


def _start(element: HtmlElement) -> int:
    start = element.get("start") or ""
    return int(start) if start.isdecimal() and len(start) < 6 else 1


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _paragraph(pieces: Sequence[str | Mark]) -> Iterable[Block]:
    text = "".join(piece for piece in pieces if isinstance(piece, str)).strip(f" {BREAK}")
    if text:
        markdown = formatted(pieces).strip(f" {BREAK}")
        yield Block("paragraph", markdown.replace(BREAK, "  \n"), text.replace(BREAK, "\n"))
