"""Paired comparison of two models over documents."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from llm_twin_assets.domain.release import Interval
from resources.settings import Evaluation


@dataclass(frozen=True, slots=True)
class DocumentScore:
    """What one model needs for one document, in bits, and how long the document is, in UTF-8 bytes."""

    document_id: str
    bits: float
    size: int

    @property
    def bits_per_byte(self) -> float:
        """Comparable across tokenizers; lower is better."""
        return self.bits / self.size


def bits_per_byte(scores: Sequence[DocumentScore]) -> float:
    """Over all documents together, each byte counting the same."""
    return sum(score.bits for score in scores) / sum(score.size for score in scores)


def paired_difference(
    candidate: Sequence[DocumentScore], reference: Sequence[DocumentScore], settings: Evaluation
) -> Interval:
    """Candidate's bits per byte minus the reference's, with a bootstrap interval.

    Documents are drawn with replacement, both models' scores of a document together (Efron and Tibshirani, An
    Introduction to the Bootstrap, 1993, chapters 8 and 13): pairing removes what makes one document harder than
    another.
    """
    if [score.document_id for score in candidate] != [score.document_id for score in reference]:
        raise ValueError("the two models were not scored on the same documents")
    gain = np.array([c.bits - r.bits for c, r in zip(candidate, reference, strict=True)])
    size = np.array([score.size for score in candidate], dtype=np.float64)
    draws = np.random.default_rng(settings.seed).integers(0, len(gain), (settings.bootstrap_draws, len(gain)))
    differences = gain[draws].sum(axis=1) / size[draws].sum(axis=1)
    low, high = np.quantile(differences, _expanded(settings.confidence, len(gain)))
    return Interval(mean=float(gain.sum() / size.sum()), low=float(low), high=float(high))


def _expanded(confidence: float, documents: int) -> tuple[float, float]:
    """Quantiles that make a percentile interval as wide as few documents call for.

    Plain percentiles are too narrow on small samples: simulated here, equal models passed a 2.5% gate in 5.3% of draws
    of 10 documents. The expanded percentile interval corrects for it (Hesterberg, What Teachers Should Know About the
    Bootstrap, The American Statistician 69(4), 2015, section 4.3).
    """
    from scipy.stats import norm, t  # takes longer to load than the code location may

    tail = (1 - confidence) / 2
    widened = math.sqrt(documents / (documents - 1)) * t.ppf(tail, documents - 1)
    return float(norm.cdf(widened)), float(norm.cdf(-widened))
