"""How much of a text is said by another: word F1, ROUGE-L and chrF, each from 0 to 1.

The same figures as SQuAD's script, rouge-score and sacrebleu, whose definitions these are; words are those of any
script, where rouge-score knows ASCII's alone.
"""

import re
import string
from collections import Counter
from collections.abc import Hashable, Sequence

from llm_twin_assets.datasets.words import plain_words

_ARTICLE = re.compile(r"\b(a|an|the)\b")
_UNPUNCTUATED = str.maketrans("", "", string.punctuation)
# chrF2 (Popović 2017): characters in runs of up to six, recall counting twice as much as precision.
_ORDER, _BETA = 6, 2


def word_f1(text: str, reference: str) -> float:
    """Harmonic mean of precision and recall over words in any order (Rajpurkar et al., EMNLP 2016, §6.1)."""
    said, wanted = _squad_words(text), _squad_words(reference)
    if not said or not wanted:
        return float(said == wanted)
    return _f(_shared(said, wanted), len(said), len(wanted))


def rouge_l(text: str, reference: str) -> float:
    """F1 over the longest common subsequence of words (Lin 2004, §3.1, with β = 1 as in rouge-score)."""
    said, wanted = list(plain_words(text)), list(plain_words(reference))
    return _f(_common_subsequence(said, wanted), len(said), len(wanted))


def chrf(text: str, reference: str) -> float:
    """Character n-gram F2 of the mean precision and recall over the orders that both texts have."""
    said, wanted = "".join(text.split()), "".join(reference.split())
    orders = range(1, min(_ORDER, len(said), len(wanted)) + 1)
    shared = [_shared(_runs(said, n), _runs(wanted, n)) for n in orders]
    if not any(shared):
        return 0.0
    precision = sum(count / (len(said) - n + 1) for n, count in zip(orders, shared, strict=True)) / len(orders)
    recall = sum(count / (len(wanted) - n + 1) for n, count in zip(orders, shared, strict=True)) / len(orders)
    return (1 + _BETA**2) * precision * recall / (_BETA**2 * precision + recall)


def _squad_words(text: str) -> list[str]:
    return _ARTICLE.sub(" ", text.lower().translate(_UNPUNCTUATED)).split()


def _runs(text: str, n: int) -> list[str]:
    return [text[start : start + n] for start in range(len(text) - n + 1)]


def _shared(one: Sequence[Hashable], other: Sequence[Hashable]) -> int:
    return (Counter(one) & Counter(other)).total()


def _f(shared: int, said: int, wanted: int) -> float:
    return 2 * shared / (said + wanted) if shared else 0.0


def _common_subsequence(one: Sequence[str], other: Sequence[str]) -> int:
    """Length of the longest one (Wagner and Fischer's table, a row at a time)."""
    row = [0] * (len(other) + 1)
    for word in one:
        before = row
        row = [0]
        for at, candidate in enumerate(other):
            row.append(before[at] + 1 if word == candidate else max(before[at + 1], row[at]))
    return row[-1]
