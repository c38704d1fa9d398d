"""A comparison of two shares that may be looked at after every answer, and stopped at whatever look one likes.

Tests of a fixed sample (Fisher's, a t-test) go wrong if somebody looks again and again: sooner or later chance passes
the mark. An e-value does not: under the hypothesis it exceeds `1 / alpha` at any time with probability `alpha` at most
(Ville 1939; Ramdas, Grünwald, Vovk and Shafer, "Game-theoretic statistics and safe anytime-valid inference", 2023).
It needs the counts alone, in no order, so that several processes may add up what each has seen.
"""

import math
from collections.abc import Iterable

# Jeffreys' prior: within half a log of the count of the best that any could be (Krichevsky and Trofimov 1981).
_PRIOR = 0.5


def log_evidence(tried: tuple[int, int], known: tuple[int, int]) -> float:
    """Log of the e-value against "the share among the tried is no higher than among the known".

    Each is a pair (hits, of how many). The counts' likelihood averaged over all shares, over the greatest that the
    hypothesis allows: where the tried have more hits, that is with one share for both.
    """
    (hits, of), (known_hits, known_of) = tried, known
    averaged = _log_mixture(hits, of) + _log_mixture(known_hits, known_of)
    if hits * known_of <= known_hits * of:
        return averaged - _log_likelihood(hits, of) - _log_likelihood(known_hits, known_of)
    return averaged - _log_likelihood(hits + known_hits, of + known_of)


def log_mean(logs: Iterable[float]) -> float:
    """Log of the mean of e-values, which is an e-value again: how several comparisons count as one."""
    values = list(logs)
    most = max(values)
    return most + math.log(sum(math.exp(each - most) for each in values) / len(values))


def _log_mixture(hits: int, of: int) -> float:
    """The likelihood of a sequence with so many hits, averaged over all shares."""
    return _log_beta(hits + _PRIOR, of - hits + _PRIOR) - _log_beta(_PRIOR, _PRIOR)


def _log_likelihood(hits: int, of: int) -> float:
    """The likelihood of such a sequence under its own share."""
    return sum(count * math.log(count / of) for count in (hits, of - hits) if count)


def _log_beta(one: float, other: float) -> float:
    return math.lgamma(one) + math.lgamma(other) - math.lgamma(one + other)
