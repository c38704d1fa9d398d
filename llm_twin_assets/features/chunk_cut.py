"""Where a text may be cut: at blank lines, lines, sentences, words, characters."""

import re
import unicodedata
from collections.abc import Iterator

Span = tuple[int, int]

# Each level ends its pieces after the match; the next level is for pieces that are still too long. Sentences end with
# the marks of Latin, Chinese and Japanese, Arabic and Urdu, Devanagari and Armenian.
LEVELS = (
    re.compile(r"\n(?:[^\S\n]*\n)+"),
    re.compile(r"\n"),
    re.compile(r"(?<=[.!?…。！？؟۔।։])[\"'”’»)\]]*\s+|(?<=[。！？])"),
    re.compile(r"\s+"),
)
# A text without a coarse cut (50 MB in one line) is worked through in stretches of this many characters.
WINDOW = 65_536
# Sequences of code points that make one character for the reader are at most about this long (UAX #29; an emoji family
# with skin tones has ten).
_LONGEST_CHARACTER = 16
_JOINER = "\u200d"
_MODIFIERS = frozenset([_JOINER, "\ufe0e", "\ufe0f", *(chr(tone) for tone in range(0x1F3FB, 0x1F400))])


def pieces(text: str, span: Span, ends: re.Pattern[str]) -> Iterator[Span]:
    """The span cut after each match."""
    start, end = span
    for match in ends.finditer(text, start, end):
        if start < match.end() < end:
            yield (start, match.end())
            start = match.end()
    yield (start, end)


def window_end(text: str, start: int) -> int:
    """Where the window that begins here ends: after its last line if it has one, else its last word."""
    end = start + WINDOW
    for mark in ("\n\n", "\n", ". ", " "):
        if (found := text.rfind(mark, start + WINDOW // 2, end)) >= 0:
            return found + len(mark)
    return within_character(text, start, end, len(text))


def within_character(text: str, start: int, stop: int, end: int) -> int:
    """The stop, moved back so that no accent or emoji is torn; where all is accents, as it was."""
    place = stop
    while start < place < end and stop - place < _LONGEST_CHARACTER:
        if not (_continues(text[place]) or text[place - 1] == _JOINER):
            return place
        place -= 1
    return stop


def word_start(text: str, start: int, end: int) -> int:
    """The first beginning of a line, else of a word, at or after `start`; `end` if there is none before it."""
    if start == 0 or text[start - 1] == "\n":
        return start
    line = text.find("\n", start, end)
    if 0 <= line < end - 1:
        return line + 1
    for place in range(start, end):
        if text[place - 1].isspace() and not text[place].isspace():
            return place
    return end


def trimmed(text: str, span: Span) -> Span | None:
    """The span without blank lines before it and blanks after it; None if nothing is left."""
    start, end = span
    inner = text[start:end].rstrip()
    blank = len(inner) - len(inner.lstrip())
    return (text.rfind("\n", start, start + blank) + 1 or start, start + len(inner)) if inner else None


def _continues(character: str) -> bool:
    return character in _MODIFIERS or unicodedata.combining(character) > 0
