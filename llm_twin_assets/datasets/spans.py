"""Spans of a document that can stand as an answer: whole paragraphs, verbatim, of bearable length."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_BLANK_LINES = re.compile(r"\n[ \t]*\n")


@dataclass(frozen=True, slots=True)
class Span:
    """A half-open range of characters of a text."""

    start: int
    end: int

    def of(self, text: str) -> str:
        """The characters themselves."""
        return text[self.start : self.end]


def trimmed(text: str, span: Span) -> Span:
    """The span without the blanks around it."""
    inner = span.of(text)
    left = len(inner) - len(inner.lstrip())
    return Span(span.start + left, max(span.start + left, span.start + len(inner.rstrip())))


def leading_paragraphs(text: str, span: Span, max_words: int) -> Span:
    """As many whole paragraphs from the start of the span as fit into `max_words`; at least one.

    A cut never falls inside a fenced block: the paragraphs of a fence count as one.
    """
    span = trimmed(text, span)
    end = span.start
    words = 0
    for paragraph in _paragraphs(text, span):
        words += len(paragraph.of(text).split())
        if end > span.start and words > max_words:
            break
        end = paragraph.end
    return trimmed(text, Span(span.start, end))


def _paragraphs(text: str, span: Span) -> Iterator[Span]:
    start = span.start
    for gap in _BLANK_LINES.finditer(text, span.start, span.end):
        if text.count("```", start, gap.start()) % 2 == 0:
            yield Span(start, gap.start())
            start = gap.end()
    if start < span.end:
        yield Span(start, span.end)
