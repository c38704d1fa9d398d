"""Could chance have made it? One-sided tests of a window of answers, exact where the numbers are small.

Each gives the probability that a window looks like this, or more so, though nothing has changed.
"""

import math

import numpy as np

from llm_twin_assets.monitoring.columns import Floats


def share_above(hits: int, of: int, share: float) -> float:
    """So many hits or more, where the true share is `share` at most (binomial, exact)."""
    from scipy.stats import binom

    return float(binom.sf(hits - 1, of, share))


def share_grown(hits: int, of: int, known_hits: int, known_of: int) -> float:
    """So many hits or more, where both have the same share (Fisher's exact test)."""
    from scipy.stats import hypergeom

    return float(hypergeom.sf(hits - 1, of + known_of, hits + known_hits, of))


def level_grown(values: Floats, known: Floats) -> float:
    """Values so large, where both are drawn alike (Mann and Whitney 1947, by its normal approximation with ties)."""
    from scipy.stats import mannwhitneyu

    return float(mannwhitneyu(values, known, alternative="greater", method="asymptotic").pvalue)


def tail_grown(values: Floats, known: Floats, quantile: float) -> float:
    """So many values beyond that quantile of the known ones, where both are drawn alike.

    How many of n values exceed the r-th least of m known ones has a distribution of its own, whatever theirs: a
    negative hypergeometric one (Gumbel and von Schelling, The Distribution of the Number of Exceedances, 1950). It
    counts in that the quantile of the known values is uncertain as well.
    """
    n, m = len(values), len(known)
    rank = min(m, math.ceil(quantile * m))
    exceeding = int((values > np.partition(known, rank - 1)[rank - 1]).sum())
    return math.fsum(math.exp(_exceedances(more, n, m, rank)) for more in range(exceeding, n + 1))


def _exceedances(exceeding: int, n: int, m: int, rank: int) -> float:
    """Log of the probability that so many of n exceed the `rank`-th least of m."""
    above, below = m - rank, rank - 1
    return _choose(above + exceeding, above) + _choose(below + n - exceeding, below) - _choose(n + m, m)


def _choose(of: int, taken: int) -> float:
    return math.lgamma(of + 1) - math.lgamma(taken + 1) - math.lgamma(of - taken + 1)
