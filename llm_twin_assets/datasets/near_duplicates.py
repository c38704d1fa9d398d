"""Which texts say nearly the same: MinHash signatures, compared where locality-sensitive hashing sees a chance.

Whether two texts are alike depends on these two alone, never on what else there is: so a cluster can only grow when
texts are added, which is what the split relies on. (Broder 1997; Leskovec, Rajaraman, Ullman: Mining of Massive
Datasets, chapter 3.)
"""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from llm_twin_assets.datasets.words import plain_words, words_of
from llm_twin_assets.domain.minhash import Signature, hashed, minhash, word_pairs

# 32 bands of 4: a pair that is .7 alike is compared with a chance of .9998, one of .5 with .87.
_BANDS, _ROWS = 32, 4
# Of so few words a single other one makes another text: they are the same, or they are not alike.
_SHORT = 6


def signature(text: str) -> Signature:
    """MinHash over pairs of words."""
    words = words_of(text)
    if len(words) >= _SHORT:
        return minhash(word_pairs(words))
    # It may be of signs and pictures alone.
    return minhash(hashed([" ".join(plain_words(text)) or text.strip()]))


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


def _sharing_a_band(values: NDArray[np.uint32]) -> Iterator[NDArray[np.int64]]:
    for band in range(_BANDS):
        rows = np.ascontiguousarray(values[:, band * _ROWS : (band + 1) * _ROWS])
        _, keys = np.unique(rows.view(np.dtype((np.void, rows.itemsize * _ROWS))).ravel(), return_inverse=True)
        order = np.argsort(keys, kind="stable")
        borders = np.flatnonzero(np.diff(keys[order])) + 1
        yield from (part for part in np.split(order, borders) if len(part) > 1)
