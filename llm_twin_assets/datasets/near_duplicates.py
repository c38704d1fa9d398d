"""Which texts say nearly the same: MinHash signatures, compared where locality-sensitive hashing sees a chance.

Whether two texts are alike depends on these two alone, never on what else there is: so a cluster can only grow when
texts are added, which is what the split relies on. (Broder 1997; Leskovec, Rajaraman, Ullman: Mining of Massive
Datasets, chapter 3.)
"""

import zlib
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from llm_twin_assets.datasets.words import Grams, ngrams, words_of

Signature: TypeAlias = NDArray[np.uint32]

PERMUTATIONS = 128
# 32 bands of 4: a pair that is .7 alike is compared with a chance of .9998, one of .5 with .87.
_BANDS, _ROWS = 32, 4
_SHINGLE = 2
# Of so few words a single other one makes another text: they are the same, or they are not alike.
_SHORT = 6
_AT_ONCE = 4096
_SEED = 13


def signature(text: str) -> Signature:
    """MinHash over pairs of words: the share of equal values estimates the Jaccard index, ± .04 at .7."""
    return minhash(_shingles(text))


def minhash(shingles: Grams) -> Signature:
    """The least value of each permutation over a set of numbers."""
    least = np.full(PERMUTATIONS, np.iinfo(np.uint64).max, np.uint64)
    factors, offsets = _permutations()
    for start in range(0, len(shingles), _AT_ONCE):
        part = shingles[start : start + _AT_ONCE]
        # Multiply-shift hashing (Dietzfelbinger et al. 1997): the upper half of the product is what is random.
        np.minimum(least, (part[:, None] * factors + offsets).min(axis=0), out=least)
    return (least >> np.uint64(32)).astype(np.uint32)


def clusters(signatures: Sequence[Signature], threshold: float) -> NDArray[np.int64]:
    """For each text the first one of its cluster: texts that a chain of pairs, each alike enough, connects."""
    labels = np.arange(len(signatures))
    if len(signatures) < 2:
        return labels
    values = np.stack(signatures)
    for group in _sharing_a_band(values):
        for place in range(len(group) - 1):
            others = group[place + 1 :]
            others = others[labels[others] != labels[group[place]]]
            alike = (values[others] == values[group[place]]).mean(axis=1) >= threshold
            for other in others[alike]:
                join(labels, group[place], other)
    return labels


def join(labels: NDArray[np.int64], one: int | np.int64, other: int | np.int64) -> None:
    """Make one cluster of two, named after the first text of either."""
    kept, gone = sorted((labels[one], labels[other]))
    labels[labels == gone] = kept


def members(labels: NDArray[np.int64]) -> Iterable[list[int]]:
    """The clusters of two and more."""
    order = np.argsort(labels, kind="stable")
    borders = np.flatnonzero(np.diff(labels[order])) + 1
    return ([int(each) for each in part] for part in np.split(order, borders) if len(part) > 1)


def _shingles(text: str) -> Grams:
    words = words_of(text)
    if len(words) >= _SHORT:
        return np.unique(ngrams(words, _SHINGLE))
    whole = text.strip().encode("utf-8", "surrogatepass")  # may be of signs and pictures alone
    return ngrams(words, len(words)) if len(words) else np.array([zlib.crc32(whole)], np.uint64)


def _sharing_a_band(values: NDArray[np.uint32]) -> Iterator[NDArray[np.int64]]:
    for band in range(_BANDS):
        rows = np.ascontiguousarray(values[:, band * _ROWS : (band + 1) * _ROWS])
        _, keys = np.unique(rows.view(np.dtype((np.void, rows.itemsize * _ROWS))).ravel(), return_inverse=True)
        order = np.argsort(keys, kind="stable")
        borders = np.flatnonzero(np.diff(keys[order])) + 1
        yield from (part for part in np.split(order, borders) if len(part) > 1)


@cache
def _permutations() -> tuple[Grams, Grams]:
    # The raw stream of a bit generator is the same in every version of NumPy (NEP 19).
    drawn = np.random.PCG64(_SEED).random_raw(2 * PERMUTATIONS).astype(np.uint64)
    return drawn[:PERMUTATIONS] | np.uint64(1), drawn[PERMUTATIONS:]
