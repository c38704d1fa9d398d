"""What is doubtful about a document's quality, as short words. They are shown and counted; nothing is dropped by them.

Rules and bounds after those by which pre-training corpora are filtered, less strict, as one author's words are dear:
Gopher (Rae et al. 2021, https://arxiv.org/abs/2112.11446, table A1), Codex (Chen et al. 2021,
https://arxiv.org/abs/2107.03374, §3.1) and StarCoder (Li et al. 2023, https://arxiv.org/abs/2305.06161) for code.
None of them looks for words of a certain language. Long documents are judged by parts of them.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

from llm_twin_assets.domain.document import Category

_READ, _WINDOW = 20_000, 400
# Gopher keeps 50 to 100,000 words; a post is short by nature.
_FEWEST_WORDS = {Category.ARTICLE: 50, Category.POST: 4, Category.CODE: 3}
# Scripts without blanks between words: about so many characters make one.
_UNSPACED_WORD = 3
_LONG_WORD = 20

# Roughly, and eight times faster than what chunking goes by: a pattern that begins with a character, not with a line.
_FENCED = re.compile(r"(?s)(`{3,}|~{3,})[^`\n]*\n.*?(?:\1|\Z)")
_INLINE_CODE = re.compile(r"`[^`\n]+`")
_LINK = re.compile(r"\[[^\[\]\n]{0,500}\]\([^()\s]{0,2000}[^()\n]{0,300}\)")
_URL = re.compile(r"https?://[^\s<>]+")
_LINKED = 0.7
_CODED = 0.7
# UTF-8 read as Windows-1252: its lead bytes are these letters, its continuation bytes these signs.
_MOJIBAKE = re.compile(
    "[ÂÃâ][\u0080-\u00bf\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc\u2013\u2014\u2018-\u201e\u2020-\u2022\u2026"
    "\u2030\u2039\u203a\u20ac\u2122]"
)
_UNREADABLE = re.compile("[\x00-\x08\x0e-\x1f\x7f\ufffd]")
_DAMAGED = 3
# Gopher: more than 30 % of the lines, or 20 % of the characters, stand in lines said before; we ask for both.
_SAME_LINES, _SAME_CHARACTERS, _LINES = 0.3, 0.2, 8
# By those bounds one file in seventeen of well-known libraries repeats itself: `return self`, one argument a line.
_SAME_CODE = 0.6
# Gopher: the most frequent pair of words makes 20 % of the characters.
_SAME_PAIR, _WORDS = 0.2, 50
# Gopher asks for a letter in 80 % of the words; per character, as many scripts have no words. Vowel signs are none.
_LETTERS = 0.5
_CAPITALS, _CASED = 0.8, 60
# Codex drops files with lines longer than these, StarCoder those with fewer letters and digits.
_MEAN_LINE, _LONGEST_LINE, _ALPHANUMERIC = 100, 1000, 0.25


def quality_flags(text: str, category: Category) -> tuple[str, ...]:
    """What is doubtful, in the order of the alphabet.

    `short`, `encoding_damage` and `repetitive` of all; `machine_text` of code; `mostly_links`, `not_prose` and
    `all_caps` of articles and posts; `mostly_code` of articles.
    """
    flags = _code_flags(text) if category is Category.CODE else _prose_flags(text, category)
    return tuple(sorted(flags))


def _code_flags(text: str) -> Iterator[str]:
    head = text[:_READ]
    lines = head.splitlines() or [""]
    if len(text) < _READ and len(head.split()) < _FEWEST_WORDS[Category.CODE]:
        yield "short"
    if _is_damaged(head):
        yield "encoding_damage"
    long = max(map(len, lines)) > _LONGEST_LINE or len(head) > _MEAN_LINE * len(lines)
    if long or _share(str.isalnum, _windows(head)) < _ALPHANUMERIC:
        yield "machine_text"
    if _repeats_lines(head, _SAME_CODE, _SAME_CODE):
        yield "repetitive"


def _prose_flags(text: str, category: Category) -> Iterator[str]:
    head = text[:_READ]
    prose = _INLINE_CODE.sub(" ", _FENCED.sub("\n", head))
    if category is Category.ARTICLE and len(prose) < (1 - _CODED) * len(head):
        yield "mostly_code"
    fewest = _FEWEST_WORDS[category]
    if len(text) < _LONG_WORD * fewest and _words(text) < fewest:
        yield "short"
    if _is_damaged(prose):
        yield "encoding_damage"
    unlinked = _URL.sub("", _LINK.sub("", prose))
    if len(unlinked) < (1 - _LINKED) * len(prose):
        yield "mostly_links"
    elif unlinked.strip():  # else it is nothing but code, which is said already
        yield from _wording_flags(unlinked)


def _wording_flags(prose: str) -> Iterator[str]:
    sample = _windows(prose)
    if _share(str.isalpha, sample) < _LETTERS:
        yield "not_prose"
    if _is_shouted(sample):
        yield "all_caps"
    if _repeats_lines(prose) or _repeats_words(sample.split()):
        yield "repetitive"


def _windows(text: str) -> str:
    """Beginning, middle and end: what all costs that looks at characters one by one."""
    if len(text) <= 3 * _WINDOW:
        return text
    middle = len(text) // 2
    return f"{text[:_WINDOW]} {text[middle : middle + _WINDOW]} {text[-_WINDOW:]}"


def _words(text: str) -> int:
    words = text.split()
    return sum(len(word) // _UNSPACED_WORD if len(word) > _LONG_WORD else 1 for word in words)


def _is_damaged(text: str) -> bool:
    if text.isascii():
        return len(_UNREADABLE.findall(text)) >= _DAMAGED
    return len(_UNREADABLE.findall(text)) + len(_MOJIBAKE.findall(text)) >= _DAMAGED


def _share(kind: Callable[[str], bool], text: str) -> float:
    characters = "".join(text.split())
    return sum(map(kind, characters)) / len(characters) if characters else 1.0


def _is_shouted(text: str) -> bool:
    if sum(map(str.islower, text[:_WINDOW])) > _CASED:
        return False
    capitals = sum(map(str.isupper, text))
    cased = capitals + sum(map(str.islower, text)) if capitals > _CASED * _CAPITALS else 0
    return cased >= _CASED and capitals > _CAPITALS * cased


def _repeats_lines(text: str, most_lines: float = _SAME_LINES, most_characters: float = _SAME_CHARACTERS) -> bool:
    lines = [line for raw in text.split("\n") if len(line := raw.strip()) > _UNSPACED_WORD]
    if len(lines) < _LINES:
        return False
    again = {line: times - 1 for line, times in Counter(lines).items() if times > 1}
    same = sum(len(line) * times for line, times in again.items())
    return sum(again.values()) > most_lines * len(lines) and same > most_characters * sum(map(len, lines))


def _repeats_words(words: Sequence[str]) -> bool:
    if len(words) < _WORDS:
        return False
    [((one, other), times)] = Counter(pairwise(words)).most_common(1)
    return times * (len(one) + len(other)) > _SAME_PAIR * sum(map(len, words))
