"""Definitions of a source file with the comment that says what they are for, by the file's syntax tree."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from llm_twin_assets.datasets.spans import Span
from llm_twin_assets.features.chunk_grammars import Grammar, tree_sitter_language

if TYPE_CHECKING:
    from tree_sitter import Node

_MAX_PARSED = 256 * 2**10
_MAX_DEPTH = 24
_LONGEST_COMMENT, _LONGEST_SUMMARY = 8000, 600
_COMMENTS = frozenset({"comment", "line_comment", "block_comment"})
# What may stand between a comment and what it is about.
_BETWEEN = frozenset({"attribute_item", "decorator"})
_NOUNS = (
    (re.compile(r"method"), "method"),
    (re.compile(r"function|constructor|macro"), "function"),
    (re.compile(r"class"), "class"),
    (re.compile(r"interface|trait"), "interface"),
)
_MARKERS = re.compile(r"^[ \t]*(?:/\*\*?!?|\*/|\*(?!/)|//[/!]?|#)?[ \t]?|[ \t]{0,8}\*/[ \t]{0,8}$", re.MULTILINE)
# `@param x`, `Parameters:`, `\brief`: after the sentence that says what it is for.
_DETAILS = re.compile(r"\n[ \t]*(?:@\w+|\\\w+|#+ |[A-Z]\w+:[ \t]*$|-{3,}|```)", re.MULTILINE)
_BRIEF = re.compile(r"[@\\](?:brief|summary|description)\s+")
# Not about the definition: licences, orders to tools, rulers, code that was taken out.
_NOISE = re.compile(
    r"copyright|licen[cs]e|spdx-|eslint|prettier|noqa|nolint|clang-format|ts-ignore|istanbul|todo\b|fixme\b|@ts-|"
    r"go:(?:build|generate|embed)|\+build|[;{}]\s*$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Documented:
    """A definition: its name, the kind of thing it is, what its comment says of it, its span with that comment."""

    name: str
    noun: str
    summary: str
    span: Span


def documented(text: str, grammar: Grammar) -> Iterator[Documented]:
    """The definitions of a file that have a comment right above them, methods included."""
    from tree_sitter import Parser

    if len(text) > _MAX_PARSED or "\0" in text:
        return
    source = text.encode(errors="replace")
    root = Parser(tree_sitter_language(grammar)).parse(source).root_node
    if root.type != "ERROR":
        yield from _Reader(text, source, grammar).definitions(root, 0)


@dataclass(frozen=True, slots=True)
class _Reader:
    text: str
    source: bytes
    grammar: Grammar

    def definitions(self, parent: "Node", depth: int) -> Iterator[Documented]:
        """Of the nodes below one, and of those in containers among them."""
        above: list[Node] = []
        for node in parent.named_children:
            if node.type in _COMMENTS or (node.type in _BETWEEN and above):
                # A comment that ends a line of code belongs to that line.
                above = [*above, node] if _adjoins(above, node) else [node] if self._opens_line(node) else []
                continue
            inner = self._inner(node)
            if inner is not None:
                if above and _adjoins(above, node) and not node.has_error:
                    yield from self._definition(above, node, inner)
                if inner.type in self.grammar.containers | self.grammar.transparent and depth < _MAX_DEPTH:
                    yield from self.definitions(inner.child_by_field_name("body") or inner, depth + 1)
            above = []

    def _inner(self, node: "Node") -> "Node | None":
        """The definition in what is wrapped around it; None where there is none."""
        while node.type in self.grammar.wrappers:
            found = next((each for each in node.named_children if self.grammar.defines(each.type)), None)
            if found is None:
                return None
            node = found
        return node if self.grammar.defines(node.type) or node.type in self.grammar.transparent else None

    def _definition(self, above: Sequence["Node"], node: "Node", inner: "Node") -> Iterator[Documented]:
        said = "\n".join(self._said(each) for each in above if each.type in _COMMENTS)
        summary, name = _summary(said), _name(inner, 0)
        if summary and name is not None:
            span = Span(self._place(above[0].start_byte), self._place(node.end_byte))
            noun = next((noun for kind, noun in _NOUNS if kind.search(inner.type)), "type")
            if inner.type in ("lexical_declaration", "variable_declaration", "expression_statement"):
                noun = "function" if b"=>" in self.source[inner.start_byte : inner.end_byte] else "constant"
            yield Documented(self._said(name), noun, summary, span)

    def _opens_line(self, node: "Node") -> bool:
        line = self.source.rfind(b"\n", 0, node.start_byte) + 1
        return not self.source[line : node.start_byte].strip()

    def _said(self, node: "Node") -> str:
        return self.source[node.start_byte : node.end_byte].decode(errors="replace")

    def _place(self, byte: int) -> int:
        """tree-sitter counts bytes, spans are of characters."""
        return len(self.source[:byte].decode(errors="replace"))


def _adjoins(above: Sequence["Node"], node: "Node") -> bool:
    """Whether no blank line lies between."""
    if not above:
        return False
    end = above[-1].end_point
    # Rust's line comments reach to the beginning of the next line.
    return node.start_point.row <= end.row + (0 if end.column == 0 else 1)


def _name(node: "Node", depth: int) -> "Node | None":
    """The name of a definition; C hides it in declarators, JavaScript in the variable that a function is set to."""
    if found := node.child_by_field_name("name"):
        return found
    if node.type in ("identifier", "field_identifier", "qualified_identifier", "type_identifier"):
        return node
    declared = node.child_by_field_name("declarator") or node.child_by_field_name("type")
    if declared is None:
        declared = next((each for each in node.named_children if each.type.endswith(("_declarator", "_spec"))), None)
    return _name(declared, depth + 1) if declared and depth < _MAX_DEPTH else None


def _summary(comment: str) -> str | None:
    """The first paragraph of a comment without its marks, in one line; None if it is none about what follows."""
    said = _BRIEF.sub("", _MARKERS.sub("", comment[:_LONGEST_COMMENT]).strip())
    first = re.split(r"\n\s*\n", _DETAILS.split(f"\n{said}", maxsplit=1)[0].strip(), maxsplit=1)[0]
    line = " ".join(first.split())
    words = len(re.findall(r"[^\W\d_]{2,}", line))
    return line if words >= 3 and len(line) <= _LONGEST_SUMMARY and not _NOISE.search(line) else None
