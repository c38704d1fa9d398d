"""A source file as a row of definitions, by its syntax tree: where each stands, its signature, where it can be cut."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from llm_twin_assets.features.chunk_cut import Span
from llm_twin_assets.features.chunk_grammars import LEADING, Grammar, tree_sitter_language
from llm_twin_assets.features.chunk_size import Sizer

if TYPE_CHECKING:
    from tree_sitter import Node

# Longer files are generated (of repositories, files up to this size are read), and error recovery in what is not that
# language after all goes at 80 KB a second.
_MAX_PARSED = 256 * 2**10
_NOT_TEXT = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f\ufffd]")
_MAX_NOT_TEXT, _MAX_ERRORS = 0.01, 0.25
_MAX_DEPTH = 24
_MAX_SIGNATURE = 240
_BODY_DEPTH = 4


@dataclass(frozen=True, slots=True)
class Unit:
    """A stretch of code, where it is in the file's tree, its signature if it is a definition, the spans it is made of.

    The parts cover the span.
    """

    span: Span
    parts: tuple[Span, ...]
    path: tuple[str, ...] = ()
    signature: str = ""


@dataclass(frozen=True, slots=True)
class _Run:
    """A definition or, without a node, statements that follow each other: where it begins, where it can be cut."""

    start: int
    cuts: tuple[int, ...]
    node: "Node | None"


def definition_units(sizer: Sizer, grammar: Grammar) -> list[Unit] | None:
    """The units in order, which cover the text; None where it does not parse."""
    from tree_sitter import Parser

    text = sizer.text
    if len(text) > _MAX_PARSED or len(_NOT_TEXT.findall(text)) > _MAX_NOT_TEXT * len(text):
        return None
    source = text.encode(errors="replace")
    tree = Parser(tree_sitter_language(grammar)).parse(source)
    root = tree.root_node
    if root.type == "ERROR" or _errors(root) > _MAX_ERRORS * len(source):
        return None
    reader = _Reader(sizer, grammar, None if text.isascii() else _characters(source))
    return list(reader.units(root.named_children, (0, len(text)), (), 0))


def _characters(source: bytes) -> NDArray[np.int64]:
    """How many characters begin before each byte: tree-sitter counts bytes, our spans are of characters."""
    begins = (np.frombuffer(source, np.uint8) & 0xC0) != 0x80
    return np.concatenate([[0], np.cumsum(begins)])


def _errors(root: "Node") -> int:
    """Bytes that are no part of any construct of the language."""
    found, nodes = 0, [root]
    while nodes:
        node = nodes.pop()
        if node.type == "ERROR":
            found += node.end_byte - node.start_byte
        elif node.has_error:
            nodes += node.children
    return found


@dataclass(frozen=True, slots=True)
class _Reader:
    sizer: Sizer
    grammar: Grammar
    characters: NDArray[np.int64] | None

    def units(self, nodes: Sequence["Node"], span: Span, path: tuple[str, ...], depth: int) -> Iterator[Unit]:
        """Units of a file or of what stands in a container, from these of its nodes."""
        runs = [run for run in self._runs(nodes) if span[0] <= run.start < span[1]]
        if not runs or (runs[0].start > span[0] and self.sizer.text[span[0] : runs[0].start].strip()):
            runs.insert(0, _Run(span[0], (), None))
        ends = [*(run.start for run in runs[1:]), span[1]]
        for number, (run, end) in enumerate(zip(runs, ends, strict=True)):
            within = (run.start if number else span[0], end)
            if run.node is None:
                yield Unit(within, _cut(within, run.cuts), path)
            else:
                yield from self._definition(run.node, within, path, depth)

    def _definition(self, node: "Node", span: Span, path: tuple[str, ...], depth: int) -> Iterator[Unit]:
        named = self._named(node)
        opened = depth < _MAX_DEPTH and self.sizer.cost(span) > self.sizer.max_tokens * 2 // 3
        if opened and named.type in self.grammar.transparent:
            yield from self.units(_members(named), span, path, depth + 1)
        elif opened and named.type in self.grammar.containers:
            yield from self.units(_members(named), span, (*path, self._signature(named)), depth + 1)
        elif named.type in self.grammar.transparent:
            yield Unit(span, self._parts(node, span), path)
        else:
            yield Unit(span, self._parts(node, span), path, self._signature(named))

    def _runs(self, nodes: Sequence["Node"]) -> Iterator[_Run]:
        loose: list[int] = []
        for start, node in self._items(nodes):
            if node is None:
                loose.append(start)
                continue
            if loose:
                yield _Run(loose[0], tuple(loose), None)
                loose = []
            yield _Run(start, (), node)
        if loose:
            yield _Run(loose[0], tuple(loose), None)

    def _items(self, nodes: Sequence["Node"]) -> Iterator[tuple[int, "Node | None"]]:
        """Where each node begins, with the comments right above it, and the node if it is a definition."""
        lead: int | None = None
        row = -1  # of the end of the node before
        for node in nodes:
            above, row, first = row, node.end_point.row, node.start_point.row
            start = self._line_start(node)
            if lead is not None and first > above + 1:
                yield lead, None
                lead = None
            if node.type in LEADING:
                lead = start if lead is None else lead  # None for a comment behind code, which belongs to the code
                continue
            start, lead = start if lead is None else lead, None
            if self._is_definition(node):
                yield self._place(node.start_byte) if start is None else start, node
            elif start is not None:
                yield start, None
        if lead is not None:
            yield lead, None

    def _is_definition(self, node: "Node") -> bool:
        return self.grammar.defines(node.type) or node.type in self.grammar.transparent

    def _named(self, node: "Node") -> "Node":
        """The definition inside of what is wrapped around it."""
        while node.type in self.grammar.wrappers or node.type == "expression_statement":
            inner = next((each for each in node.named_children if self.grammar.defines(each.type)), None)
            if inner is None:
                break
            node = inner
        return node

    def _signature(self, node: "Node") -> str:
        """A definition up to its body, in one line."""
        body = _body(node, _BODY_DEPTH)
        start = self._place(node.start_byte)
        end = min(start + _MAX_SIGNATURE, self._place(body.start_byte if body else node.end_byte))
        text = self.sizer.text[start:end]
        return " ".join((text if body else text.split("\n", 1)[0]).split()).rstrip("{:=>( ")

    def _parts(self, node: "Node", span: Span) -> tuple[Span, ...]:
        """The span by statements; those that fill half a chunk are opened themselves."""
        half = self.sizer.max_tokens // 2
        if self.sizer.cost(span) <= half:
            return (span,)
        cuts: set[int] = set()
        nodes = [node]
        while nodes:
            above = -1
            for child in nodes.pop().named_children:
                start, first = self._line_start(child), child.start_point.row
                if start is not None and first > above:
                    cuts.add(start)
                # A comment goes with the statement below it.
                above = child.end_point.row + 1 if child.type in LEADING else -1
                if self.sizer.cost((self._place(child.start_byte), self._place(child.end_byte))) > half:
                    nodes.append(child)
        return _cut(span, sorted(cuts))

    def _line_start(self, node: "Node") -> int | None:
        """Beginning of the line that the node begins, None if something stands before it on the line."""
        place, column = self._place(node.start_byte), node.start_point.column
        line = self._place(node.start_byte - column)
        if place == line:
            return place
        return line if column <= _MAX_SIGNATURE and self.sizer.text[line:place].isspace() else None

    def _place(self, byte: int) -> int:
        return byte if self.characters is None else int(self.characters[byte])


def _members(node: "Node") -> Sequence["Node"]:
    body = node.child_by_field_name("body")
    return body.named_children if body else node.named_children


def _body(node: "Node", depth: int) -> "Node | None":
    """The body of a definition, or of the function that a constant is set to or a call is given."""
    if body := node.child_by_field_name("body"):
        return body
    inner = node.named_children[-2:] if depth else []
    return next((found for each in reversed(inner) if (found := _body(each, depth - 1))), None)


def _cut(span: Span, places: Sequence[int]) -> tuple[Span, ...]:
    bounds = [span[0], *(place for place in places if span[0] < place < span[1]), span[1]]
    return tuple(pairwise(bounds))
