"""Spans of a document that can stand as an answer: whole paragraphs, verbatim, of bearable length."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from llm_twin_assets.datasets.words import word_count

_BLANK_LINES = re.compile(r"\n[ \t]*\n")
_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})[^\n]*$", re.MULTILINE)


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


def passages(text: str, span: Span, max_words: int) -> list[Span]:
    """The span as rows of whole paragraphs: as few as fit into `max_words` each, and about as long as each other.

    A paragraph that is longer by itself is a passage of its own; a fenced block is never cut. What ends in a colon
    goes with what it announces.
    """
    found = _announced(text, paragraphs(text, trimmed(text, span)), max_words)
    sizes = [word_count(each.of(text)) for each in found]
    even = sum(sizes) / max(1, -(-sum(sizes) // max_words))
    rows: list[Span] = []
    words = 0
    for paragraph, size in zip(found, sizes, strict=True):
        if rows and words + size <= max_words and words + size / 2 <= even:
            rows[-1] = Span(rows[-1].start, paragraph.end)
            words += size
        else:
            rows.append(paragraph)
            words = size
    return [trimmed(text, row) for row in rows]


def _announced(text: str, found: Iterable[Span], max_words: int) -> list[Span]:
    """Paragraphs, with what ends in a colon and what follows as one where that fits."""
    joined: list[Span] = []
    for paragraph in found:
        if joined and joined[-1].of(text).rstrip().endswith(":"):
            both = Span(joined[-1].start, paragraph.end)
            if word_count(both.of(text)) <= max_words:
                joined[-1] = both
                continue
        joined.append(paragraph)
    return joined


def closing_paragraphs(text: str, span: Span, max_words: int) -> Span:
    """As many whole paragraphs from the end of the span as fit into `max_words`; at least one."""
    start = end = trimmed(text, span).end
    words = 0
    for paragraph in reversed(list(paragraphs(text, trimmed(text, span)))):
        words += word_count(paragraph.of(text))
        if start < end and words > max_words:
            break
        start = paragraph.start
    return trimmed(text, Span(start, end))


def paragraphs(text: str, span: Span) -> Iterator[Span]:
    """Stretches between blank lines; a fenced block is never parted."""
    blocks = fences(text, span)
    start, block = span.start, next(blocks, None)
    for gap in _BLANK_LINES.finditer(text, span.start, span.end):
        while block and block.end <= gap.start():
            block = next(blocks, None)
        if gap.start() > start and not (block and block.start < gap.start()):
            yield Span(start, gap.start())
            start = gap.end()
    if start < span.end:
        yield Span(start, span.end)


def fences(text: str, span: Span) -> Iterator[Span]:
    """Fenced blocks with their fences (CommonMark 0.31 §4.5); one that nothing closes goes to the end."""
    opened: re.Match[str] | None = None
    for line in _FENCE.finditer(text, span.start, span.end):
        if opened is None:
            opened = line
        elif line[1].startswith(opened[1]) and not line[0].strip(" \t`~"):
            yield Span(opened.start(), line.end())
            opened = None
    if opened:
        yield Span(opened.start(), span.end)
