"""Text as its sentences and content words, each with its place."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from llm_twin_assets.features.stop_words import STOP_WORDS

_WORD = re.compile(r"\w+(?:['’]\w+)?")
_ENDING = re.compile(r"['’](s|t|re|ve|ll|d|m)$")
_CLOSING = r"[\"'”’)\]*_`]*"
# A sentence ends at . ! ? … before white space and a beginning, or at a line's end.
_SENTENCE = re.compile(rf"[^\n]+?(?:[.!?…]{_CLOSING}(?=\s+[\"'“‘(\[*_`]*[A-Z0-9])|(?=\n)|$)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Sentence:
    """`text[start:end]` of the text it was found in."""

    start: int
    end: int
    text: str


def sentences(text: str) -> Iterator[Sentence]:
    """The sentences of a text, blanks around them left out; every line ends one."""
    for match in _SENTENCE.finditer(text):
        if stripped := match.group().strip():
            start = match.start() + match.group().index(stripped)
            yield Sentence(start, start + len(stripped), stripped)


def words(text: str) -> list[str]:
    """All words of a text, folded: lower case, no possessive, no plural s."""
    return [_folded(word) for word in _WORD.findall(text.lower())]


# Asked twice for every passage of an answer, .1 ms each; and the passages that are found often are few.
@lru_cache(maxsize=256)
def content_words(text: str) -> tuple[str, ...]:
    """The words of a text that carry its subject, folded, in order."""
    return tuple(_folded(word) for word in _WORD.findall(text.lower()) if _carries(word))


def _carries(word: str) -> bool:
    return word not in STOP_WORDS and (len(word) > 1 or word.isdigit())


def _folded(word: str) -> str:
    if not word.isalnum():  # what has an apostrophe; an answer's passages are some 400 words, and most have none
        word = _ENDING.sub("", word)
    # A plural or a verb's third person: "chunks" is "chunk", but "class" and "bus" stay.
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")) else word
