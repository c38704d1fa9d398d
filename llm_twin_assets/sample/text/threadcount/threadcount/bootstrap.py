"""Say whether one model is better than another, page by page and with an interval."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean


@dataclass(frozen=True)
class Interval:
    """A mean difference and the interval that the bootstrap puts around it."""

    mean: float
    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        """Whether the whole interval lies on one side of zero."""
        return self.low > 0.0 or self.high < 0.0


def page_differences(old: Sequence[float], new: Sequence[float]) -> list[float]:
    """Subtract the old score from the new one, page by page. Read these before you read any mean."""
    if len(old) != len(new):
        raise ValueError(f"the scores must be of the same pages: {len(old)} old, {len(new)} new")
    return [after - before for before, after in zip(old, new, strict=True)]


def paired_bootstrap(
    old: Sequence[float],
    new: Sequence[float],
    *,
    resamples: int = 10_000,
    confidence: float = 0.95,
    seed: int = 0,
) -> Interval:
    """Put a percentile interval around the mean of the new scores minus the old ones, after Efron.

    Pages are drawn with replacement, and each page brings both of its scores along, so that a page
    which is hard for both models adds nothing to the noise. The same seed gives the same interval.
    With only a few pages the interval is somewhat too narrow: print the differences as well.
    """
    differences = page_differences(old, new)
    if len(differences) < 2:
        raise ValueError("the bootstrap needs at least two pages")
    if not 0.0 < confidence < 1.0:
        raise ValueError(f"confidence must lie between 0 and 1, not {confidence}")
    if resamples < 1:
        raise ValueError(f"resamples must be at least 1, not {resamples}")
    rng = random.Random(seed)
    means = sorted(fmean(rng.choices(differences, k=len(differences))) for _ in range(resamples))
    cut = int((1.0 - confidence) / 2.0 * resamples)
    return Interval(mean=fmean(differences), low=means[cut], high=means[-1 - cut])
