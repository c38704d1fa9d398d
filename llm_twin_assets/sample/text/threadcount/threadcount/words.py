"""Count words and sentences, the plainest facts about a page."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

# An apostrophe or a hyphen inside a word belongs to it: "don't" and "near-duplicate" are one word each.
_WORD = re.compile(r"\w+(?:['’-]\w+)*")
# Closing quotes and brackets may stand between the end mark and the white space.
_SENTENCE_END = re.compile(r"[.!?…]+[\"'”’)\]]*(?=\s|$)")


@dataclass(frozen=True)
class PageCount:
    """How many words and sentences a page has."""

    words: int
    sentences: int

    @property
    def words_per_sentence(self) -> float:
        """The mean sentence length in words, or 0.0 for a page without sentences."""
        return self.words / self.sentences if self.sentences else 0.0


def words(text: str) -> list[str]:
    """Return the words of a text in order, with their case, inner apostrophes and inner hyphens kept."""
    return _WORD.findall(text)


def sentence_count(text: str) -> int:
    """Count sentences by their end marks, so that the point in "3.5" does not end one.

    A text with words but no end mark, such as a heading, counts as one sentence. An abbreviation
    followed by white space counts as an end: that is the price of having no model.
    """
    if not _WORD.search(text):
        return 0
    return max(1, len(_SENTENCE_END.findall(text)))


def count_page(text: str) -> PageCount:
    """Count the words and sentences of one page."""
    return PageCount(words=len(words(text)), sentences=sentence_count(text))


def count_pages(texts: Iterable[str]) -> PageCount:
    """Sum the counts of several pages, so that the mean sentence length is over sentences and not over pages."""
    counts = [count_page(text) for text in texts]
    return PageCount(
        words=sum(count.words for count in counts),
        sentences=sum(count.sentences for count in counts),
    )
