"""What a window of answers says about a twin: pure arithmetic and one rule."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from resources.settings import Monitoring


@dataclass(frozen=True, slots=True)
class AnswerSeen:
    """One answer as its trace tells it."""

    degraded: bool
    failed: bool
    cause: str | None = None


@dataclass(frozen=True, slots=True)
class Figures:
    """One window, counted."""

    answers: int
    degraded: int
    failed: int

    @property
    def degraded_share(self) -> float:
        """Quoted instead of answered, of all."""
        return self.degraded / self.answers if self.answers else 0.0

    @property
    def error_share(self) -> float:
        """Ended in an error, of all."""
        return self.failed / self.answers if self.answers else 0.0


class State(StrEnum):
    """Whether the answers of a window are as they should be."""

    TOO_FEW = "too_few"
    SOUND = "sound"
    ALARM = "alarm"


@dataclass(frozen=True, slots=True)
class Finding:
    """The state of a window and why."""

    state: State
    reason: str
    figures: Figures


def counted(answers: Iterable[AnswerSeen]) -> Figures:
    """A window in figures."""
    seen = list(answers)
    return Figures(len(seen), sum(each.degraded for each in seen), sum(each.failed for each in seen))


def finding(figures: Figures, rules: Monitoring) -> Finding:
    """Sound or not; on too few answers there is no finding at all, for a share of three says nothing."""
    if figures.answers < rules.min_answers:
        return Finding(State.TOO_FEW, f"{figures.answers} answers, fewer than {rules.min_answers}", figures)
    found = [
        f"{name} {share:.0%} of {figures.answers} answers, more than {limit:.0%}"
        for name, share, limit in (
            ("degraded", figures.degraded_share, rules.max_degraded_share),
            ("failed", figures.error_share, rules.max_error_share),
        )
        if share > limit
    ]
    if found:
        return Finding(State.ALARM, "; ".join(found), figures)
    return Finding(State.SOUND, f"{figures.answers} answers within limits", figures)
