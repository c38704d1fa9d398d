"""Candidate and reference, measure by measure: how far apart they are, and whether that is what the gate asks for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from llm_twin_assets.domain.release import Comparison, Interval
from llm_twin_assets.evaluation.measure import DocumentValue, Measure, Measured
from llm_twin_assets.evaluation.statistics import Difference, Paired, difference
from resources.evaluation_settings import Evaluation

BITS_PER_BYTE = Measure("bits_per_byte", "bits per byte of held-out text", "superiority", "lower", "bits")


@dataclass(frozen=True, slots=True)
class Scores:
    """All that was measured of one model; bits per byte are weighed by `sizes`, the documents' UTF-8 bytes."""

    measured: Measured
    sizes: Mapping[str, float]

    def weights(self, measure: Measure) -> Mapping[str, float] | None:
        """What a document weighs in a measure; None where all count the same."""
        return self.sizes if measure == BITS_PER_BYTE else None

    def with_also(self, measured: Measured) -> "Scores":
        """These and others."""
        return Scores({**self.measured, **measured}, self.sizes)


def compare(candidate: Scores, reference: Scores, settings: Evaluation) -> tuple[Comparison, ...]:
    """Every measure that the candidate has, against the same of the reference."""
    # Each measure that alone may show an improvement takes its share of the chance of error (Bonferroni).
    chances = max(sum(measure.kind == "superiority" for measure in candidate.measured), 1)
    return tuple(
        _limited(measure, values, reference.measured.get(measure, ()), settings)
        if measure.kind == "hard_limit"
        else _compared(
            measure,
            Paired.of(values, reference.measured.get(measure, ()), candidate.weights(measure)),
            settings,
            chances if measure.kind == "superiority" else 1,
        )
        for measure, values in candidate.measured.items()
    )


def gain_of(measure: Measure | Comparison, interval: Interval) -> Interval:
    """A difference as a gain: more is better, whatever the measure."""
    if measure.better == "higher":
        return interval
    return Interval(mean=-interval.mean, low=-interval.high, high=-interval.low)


def _compared(measure: Measure, paired: Paired, settings: Evaluation, chances: int) -> Comparison:
    count = len(paired.documents)
    is_gated = measure.kind != "report"
    plain = Comparison(
        measure=measure.name,
        label=measure.label,
        kind=measure.kind,
        better=measure.better,
        unit=measure.unit,
        documents=count,
        candidate=paired.mean(paired.candidate) if count else None,
        reference=paired.mean(paired.reference) if count else None,
        holds=False if is_gated else None,
    )
    if count < 2:
        return plain
    found = difference(paired, settings)
    shown = plain.model_copy(update={"difference": found.interval(settings.confidence)})
    return _judged(shown, measure, found, settings, chances) if is_gated else shown


def _judged(shown: Comparison, measure: Measure, found: Difference, settings: Evaluation, chances: int) -> Comparison:
    confidence = 1 - (1 - settings.confidence) / chances
    bound = gain_of(measure, found.interval(confidence)).low
    threshold = _threshold(measure, settings)
    return shown.model_copy(
        update={
            "bound": bound,
            "threshold": threshold,
            "holds": bound > threshold,
            "detectable": found.detectable(confidence),
        }
    )


def _threshold(measure: Measure, settings: Evaluation) -> float:
    if measure.kind == "non_inferior":
        return -settings.margins.of(measure.name)
    return settings.min_improvement if measure == BITS_PER_BYTE else settings.min_style_improvement


def _limited(
    measure: Measure, ours: Sequence[DocumentValue], theirs: Sequence[DocumentValue], settings: Evaluation
) -> Comparison:
    """The worst of all documents: a mean would let one secret pass among many harmless answers."""
    worst = _worst(measure, ours)
    limit: float | None = settings.limits.model_dump().get(measure.name)
    return Comparison(
        measure=measure.name,
        label=measure.label,
        kind=measure.kind,
        better=measure.better,
        unit=measure.unit,
        documents=len(ours),
        candidate=worst,
        reference=_worst(measure, theirs),
        bound=worst,
        threshold=limit,
        holds=None if limit is None else worst is not None and _within(measure, worst, limit),
    )


def _worst(measure: Measure, values: Sequence[DocumentValue]) -> float | None:
    found = [each.value for each in values]
    return (max(found) if measure.better == "lower" else min(found)) if found else None


def _within(measure: Measure, value: float, limit: float) -> bool:
    return value <= limit if measure.better == "lower" else value >= limit
