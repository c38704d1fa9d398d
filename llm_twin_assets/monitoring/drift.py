"""Do people ask about other things than before? Question vectors against those of the release's first answers."""

import math

import numpy as np
from numpy.typing import NDArray

from llm_twin_assets.monitoring.columns import Floats, Vectors

# Who asks goes on asking about the same for a while. Questions that came one after the other are permuted together, or
# two days that were drawn alike would seem apart: three of twenty weeks rang for nothing (benchmarks/week.py).
_BLOCK = 8
# Permutations tried at a time, until it is plain that chance does as well: on traffic that has not changed, once.
_BATCH = 100


def energy_distance(one: Vectors, other: Vectors) -> float:
    """How far apart two samples are, as a share from 0 (alike) to 1: the energy coefficient, unbiased.

    Szekely and Rizzo, Energy statistics, 2013: twice the mean distance between the samples, less the mean distances
    within each, over the first. Zero for equal distributions only; below zero by chance.
    """
    distances, mine = _pooled(one, other)
    return float(_coefficients(distances, mine[None, :])[0])


def drift_chance(one: Vectors, other: Vectors, level: float, seed: int) -> float:
    """The probability of an energy distance so large, were both samples drawn alike; by permutation of blocks.

    Samples are in the order of time; what does not fill a block is left out, and of less than one there is no telling.
    Permutations go on while the probability may turn out to be `level` or less, and end once it cannot (Besag and
    Clifford, Sequential Monte Carlo p-values, 1991): at `level` the test rings falsely in that share of looks, at most.
    """
    one, other = (each[len(each) % _BLOCK :] for each in (one, other))
    if not len(one) or not len(other):
        return 1.0
    distances, mine = _pooled(one, other)
    found = _coefficients(distances, mine[None, :])[0]
    blocks = mine[::_BLOCK]
    draws = math.ceil(2 / level) - 1
    random = np.random.default_rng(seed)
    as_large, tried = 0, 0
    while tried < draws and (1 + as_large) <= level * (draws + 1):
        shuffled = random.permuted(np.tile(blocks, (min(_BATCH, draws - tried), 1)), axis=1).repeat(_BLOCK, axis=1)
        as_large += int((_coefficients(distances, shuffled) >= found).sum())
        tried += len(shuffled)
    return (1 + as_large) / (1 + tried)


def nearest_distances(questions: Vectors, chunks: Vectors) -> Floats:
    """How far each question is from the chunk nearest to it, from 0 to 2: cosine distance.

    Questions and chunks are never alike. How far the one lie from the other can be compared over time.
    """
    if not len(questions) or not len(chunks):
        return np.empty(0, np.float64)
    return np.asarray(1.0 - (_unit(questions) @ _unit(chunks).T).max(axis=1), np.float64)


def _pooled(one: Vectors, other: Vectors) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Euclidean distances between all directions, shape (n, n), and which of them are of the first sample."""
    pooled = _unit(np.concatenate([one, other]))
    squared = np.maximum(2.0 - 2.0 * (pooled @ pooled.T), 0.0)
    np.fill_diagonal(squared, 0.0)
    return np.sqrt(squared, dtype=np.float32), np.arange(len(pooled)) < len(one)


def _coefficients(distances: NDArray[np.float32], mine: NDArray[np.bool_]) -> Floats:
    """The coefficient of each division into two samples, shape of `mine` (divisions, n)."""
    members = mine.astype(np.float32)
    size = int(members[0].sum())
    rest = len(distances) - size
    to_mine = members @ distances
    within = np.einsum("ij,ij->i", to_mine, members, dtype=np.float64)
    all_of_mine = to_mine.sum(axis=1, dtype=np.float64)
    total = float(distances.sum(dtype=np.float64))
    across = all_of_mine - within
    between = across / (size * rest)
    spread = within / (size * (size - 1)) + (total - within - 2 * across) / (rest * (rest - 1))
    coefficients: Floats = (2 * between - spread) / np.maximum(2 * between, 1e-12)
    return coefficients


def _unit(vectors: Vectors) -> Vectors:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-12), np.float32)
