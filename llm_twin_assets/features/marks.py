"""Marks that ride in the text: how links, emphasis and code come through an extractor that keeps words alone.

Extractors choose best when they look at plain words, and forget the rest. So a character of the text is exchanged,
before they look, for a private-use one (Unicode planes 15 and 16) that means "this character, and here a link begins".
Lengths, which extractors decide by, stay as they were; what is chosen brings its marks along, and what is not takes
them with it. Afterwards each mark gives back its character.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from lxml import etree
from lxml.html import HtmlElement

Kind = Literal["link", "strong", "emphasis", "code", "block", "place"]

_FIRST, _LAST = 0xF0000, 0x10FFFD
_PRIVATE = re.compile("[\U000f0000-\U0010fffd]")
# Texts that are more than blanks; each knows the element that it stands in or behind.
_TEXTS = etree.XPath("descendant::text()[normalize-space()]")


@dataclass(frozen=True, slots=True)
class Mark:
    """Where something begins or ends. `value` is a link's address, or the number of a code block or a place."""

    kind: Kind
    value: str | int = ""
    end: bool = False


_SILENT = Mark("place", -1)


@dataclass
class Marks:
    """The marks of one page. The same mark on the same character is the same private character: copies stay alike."""

    taken: frozenset[str] = frozenset()
    _meaning: dict[str, tuple[str, Mark]] = field(default_factory=dict)
    _known: dict[tuple[str, Mark], str] = field(default_factory=dict)
    _next: int = _FIRST

    @property
    def silent(self) -> str:
        """A character that takes up room and means nothing: reading drops it."""
        return self.put("", _SILENT)

    @classmethod
    def beside(cls, text: str) -> "Marks":
        """Marks for a text, none of which is a character of that text."""
        return cls(frozenset(_PRIVATE.findall(text)))

    def put(self, character: str, mark: Mark) -> str:
        """The private character for a character ('' for none) with a mark; itself when all are used up."""
        key = (character, mark)
        if key not in self._known:
            while chr(self._next) in self.taken or self._next & 0xFFFE == 0xFFFE:
                self._next += 1
            if self._next > _LAST:
                return character
            self._known[key] = chr(self._next)
            self._meaning[chr(self._next)] = key
            self._next += 1
        return self._known[key]

    def read(self, text: str) -> Iterator[str | Mark]:
        """The text as runs of characters and the marks between them."""
        if silent := self._known.get(("", _SILENT)):
            text = text.replace(silent, "")
        begin = 0
        for match in _PRIVATE.finditer(text):
            if match[0] not in self._meaning:
                continue
            if match.start() > begin:
                yield text[begin : match.start()]
            yield from self._expand(match[0])
            begin = match.end()
        if begin < len(text):
            yield text[begin:]

    def plain(self, text: str) -> str:
        """The text as it was."""
        if text.isascii() or not _PRIVATE.search(text):
            return text
        return "".join(run for run in self.read(text) if isinstance(run, str))

    def _expand(self, private: str) -> Iterator[str | Mark]:
        character, mark = self._meaning[private]
        if not mark.end:
            yield mark
        if character in self._meaning:
            yield from self._expand(character)
        elif character:
            yield character
        if mark.end:
            yield mark

    def around(self, element: HtmlElement, kind: Kind, value: str | int = "") -> None:
        """Mark the words of an element, from its first to its last character that is no blank."""
        if len(element) == 0:
            places = [(element, False)] if (element.text or "").strip() else []
        else:
            places = [(text.getparent(), text.is_tail) for text in _TEXTS(element)]
        if places:
            self._exchange(*places[0], Mark(kind, value))
            self._exchange(*places[-1], Mark(kind, value, end=True))

    def before(self, element: HtmlElement, kind: Kind, value: str | int = "") -> None:
        """Mark where the words that stand directly in an element begin."""
        if (element.text or "").strip():
            self._exchange(element, False, Mark(kind, value))

    def _exchange(self, element: HtmlElement, is_tail: bool, mark: Mark) -> None:
        """Exchange the first, or for an end the last, character that is no blank of the text in or after an element."""
        text: str = element.tail if is_tail else element.text
        at = len(text.rstrip()) - 1 if mark.end else len(text) - len(text.lstrip())
        changed = text[:at] + self.put(text[at], mark) + text[at + 1 :]
        if is_tail:
            element.tail = changed
        else:
            element.text = changed
