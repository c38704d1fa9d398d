"""Texts as the filters see them: words, whatever their case and punctuation, and the n-grams they make, as numbers."""

import re
import unicodedata
from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from llm_twin_assets.domain.minhash import Hashes, hashed

Words: TypeAlias = Hashes
Grams: TypeAlias = NDArray[np.uint64]

# Chinese and Japanese put no blanks between words: there a character counts as one.
_UNSPACED = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_WORD = re.compile(rf"[{_UNSPACED}]|[^\W{_UNSPACED}]+")
_COUNTED = re.compile(rf"[{_UNSPACED}]|[^\s{_UNSPACED}]+")
# The fractional parts of the golden ratio and of the square root of three, times 2^64, made odd.
_FACTOR, _STIR = 0x9E3779B97F4A7C15, 0xBB67AE8584CAA73B


def word_count(text: str) -> int:
    """How many words a reader would count."""
    return sum(1 for _ in _COUNTED.finditer(text))


def plain_words(text: str) -> Iterator[str]:
    """The words in lower case, without punctuation."""
    return (match.group() for match in _WORD.finditer(unicodedata.normalize("NFKC", text).casefold()))


def words_of(text: str) -> Words:
    """The words in order, as numbers."""
    return hashed(plain_words(text))


def ngrams(words: Words, n: int) -> Grams:
    """Every n words that stand in a row as one number of 64 bits; empty where there are fewer."""
    count = len(words) - n + 1
    if count <= 0:
        return np.empty(0, np.uint64)
    stirred = words.astype(np.uint64) * np.uint64(_STIR)
    grams = stirred[:count].copy()
    for offset in range(1, n):  # modulo 2^64, which is what unsigned numbers do
        grams *= np.uint64(_FACTOR)
        grams += stirred[offset : offset + count]
    return grams ^ (grams >> np.uint64(29))
