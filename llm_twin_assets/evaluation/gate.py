"""The gate: may this candidate be offered to a person for approval?

(Knows the author's prose better OR writes more like the author) AND answers no worse AND speaks no worse AND keeps
secrets. The OR gives chance two tries, so each has half of the error (comparison.py). The ANDs give it none: what is
worse in one of them gets through only if that very one errs (an intersection-union test: Berger, Technometrics 24(4),
1982), so each is tested at the whole of it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from llm_twin_assets.domain.release import Comparison
from llm_twin_assets.evaluation.statistics import POWER
from resources.evaluation_settings import Evaluation


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether the gate is passed, and why, in a sentence."""

    passed: bool
    reason: str


def decide(
    comparisons: Sequence[Comparison], reference: str, documents: int, settings: Evaluation, objection: str = ""
) -> Decision:
    """The gate on all comparisons with a reference; `objection` says what makes the figures worthless, if anything."""
    if objection:
        return Decision(False, objection)
    if documents < settings.min_documents:
        return Decision(False, f"{documents} sealed documents are too few; the gate asks for {settings.min_documents}")
    better = [each for each in comparisons if each.kind == "superiority"]
    shown = [each for each in better if each.holds]
    failed = [each for each in comparisons if each.kind in ("non_inferior", "hard_limit") and each.holds is False]
    if shown and not failed:
        return Decision(True, f"better than {reference}: {_all(shown)}")
    missed = [] if shown else [f"not shown to be better than {reference}: {_all(better)}"]
    return Decision(False, "; ".join(missed + [_failed(each) for each in failed]))


def warnings(comparisons: Sequence[Comparison], settings: Evaluation) -> Iterator[str]:
    """What so few sealed documents cannot show, even if it is so."""
    for each in comparisons:
        wanted = _wanted(each, settings)
        if each.kind not in ("superiority", "non_inferior") or wanted is None:
            continue
        if each.detectable is None:
            yield f"{_name(each)}: {each.documents} documents say nothing; an interval takes two at least"
        elif each.detectable > wanted:
            yield _too_few(each, each.detectable, wanted)


def _wanted(comparison: Comparison, settings: Evaluation) -> float | None:
    """The difference that a test set should tell from none."""
    if comparison.kind == "superiority":
        wanted: float | None = settings.worthwhile.model_dump().get(comparison.measure)
        return wanted
    return settings.margins.of(comparison.measure)


def _too_few(comparison: Comparison, detectable: float, wanted: float) -> str:
    # An interval narrows with the root of the number of documents.
    needed = round(comparison.documents * (detectable / wanted) ** 2) if wanted else None
    enough = f"; about {needed} documents would" if needed else ""
    what = (
        f"a gain of {wanted:g} is not shown"
        if comparison.kind == "superiority"
        else f"an equal candidate is not shown to lose less than {wanted:g}"
    )
    return (
        f"{_name(comparison)}: with {comparison.documents} documents {what} in {POWER:.0%} of cases, "
        f"it takes {detectable:.3g}{enough}"
    )


def _all(comparisons: Sequence[Comparison]) -> str:
    return ", ".join(_said(each) for each in comparisons) or "nothing was measured that could show it"


def _said(comparison: Comparison) -> str:
    if comparison.difference is None:
        return f"{_name(comparison)} (too few documents)"
    interval = comparison.difference
    return f"{_name(comparison)} {interval.mean:+.3f} [{interval.low:+.3f}, {interval.high:+.3f}]"


def _failed(comparison: Comparison) -> str:
    if comparison.kind == "hard_limit":
        return f"{_name(comparison)}: {_number(comparison.bound)} where {_number(comparison.threshold)} is the limit"
    return f"may be worse: {_said(comparison)} where {_number(comparison.threshold)} is the margin"


def _name(comparison: Comparison) -> str:
    """The label without what it adds in brackets: a reason goes on record in a line."""
    return comparison.label.partition(" (")[0]


def _number(value: float | None) -> str:
    return "no value" if value is None else f"{value:g}"
