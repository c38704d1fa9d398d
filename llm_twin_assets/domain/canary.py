"""A canary release: what it and the release beside it were seen to do, and whether it does worse."""

import math
from bisect import bisect_left
from collections.abc import Iterable
from datetime import datetime, timedelta

from llm_twin_assets.domain.release import Record, Release
from llm_twin_assets.domain.sequential import log_evidence, log_mean
from resources.release_settings import Trial

# Who is on record where figures ended a canary.
BY_FIGURES = "canary"
# And where its time was up: nothing is known of it, good or bad.
BY_TIME = "time"

# How often a canary that is no worse may be ended, over its whole time: once in a hundred. Three things are compared.
_ALPHA = 0.01
_ENOUGH = math.log(3 / _ALPHA)

# Between these an answer may take, in seconds; what is quicker or slower counts as the quickest or slowest.
_QUICKEST, _SLOWEST = 0.01, 120.0


class Seen(Record):
    """Answers of one release, counted. `degraded` and `seconds` are of those that did not fail.

    `seconds` counts by length, in steps of the trial's factor `slower`, the quickest first, as far as any took.
    """

    failed: int = 0
    degraded: int = 0
    seconds: tuple[int, ...] = ()

    @property
    def answers(self) -> int:
        """All that were asked for."""
        return self.failed + self.given

    @property
    def given(self) -> int:
        """Those that did not fail."""
        return sum(self.seconds)

    def __add__(self, other: "Seen") -> "Seen":
        length = max(len(self.seconds), len(other.seconds))
        padded = (each.seconds + (0,) * (length - len(each.seconds)) for each in (self, other))
        return Seen(
            failed=self.failed + other.failed,
            degraded=self.degraded + other.degraded,
            seconds=tuple(map(sum, zip(*padded, strict=True))),
        )

    def longer_than(self, step: int) -> int:
        """How many took longer than so many steps."""
        return sum(self.seconds[step + 1 :])


class Figures(Record):
    """The canary and what serves beside it, over the same time."""

    canary: Seen = Seen()
    served: Seen = Seen()

    def __add__(self, other: "Figures") -> "Figures":
        return Figures(canary=self.canary + other.canary, served=self.served + other.served)


class Ended(Record):
    """That a canary answers nobody any more: since when, by whom, why. `by` is `BY_FIGURES`, `BY_TIME` or a name."""

    release_id: str
    by: str
    reason: str
    figures: Figures = Figures()
    ended_at: datetime


def answer_failed() -> Seen:
    """One request that got no answer."""
    return Seen(failed=1)


def answer_given(seconds: float, *, degraded: bool, trial: Trial) -> Seen:
    """One answer that took so long."""
    step = bisect_left(_steps(trial), seconds)
    return Seen(degraded=int(degraded), seconds=(*(0,) * step, 1))


def total(figures: Iterable[Figures]) -> Figures:
    """What several processes have seen."""
    return sum(figures, Figures())


def worse(figures: Figures, trial: Trial) -> str | None:
    """Why the canary is worse than what serves, None while nothing shows that."""
    canary, served = figures.canary, figures.served
    found = {
        "failed": ((canary.failed, canary.answers), (served.failed, served.answers)),
        "degraded": ((canary.degraded, canary.given), (served.degraded, served.given)),
    }
    said = [_said(what, *shares) for what, shares in found.items() if log_evidence(*shares) >= _ENOUGH]
    if _slower(canary, served, trial) >= _ENOUGH:
        said.append(f"slower by more than {trial.slower:g}× ({canary.given} answers against {served.given})")
    return "; ".join(said) or None


def is_due(figures: Figures, record: Release, trial: Trial, now: datetime) -> bool:
    """Whether a canary has answered for long enough, and enough."""
    return now - record.released_at >= timedelta(minutes=trial.minutes) and figures.canary.answers >= trial.min_answers


def is_overdue(figures: Figures, record: Release, trial: Trial, now: datetime) -> bool:
    """Whether a canary was tried for as long as it may be, and its answers are still too few."""
    return now - record.released_at >= timedelta(days=trial.max_days) and not is_due(figures, record, trial, now)


def _slower(canary: Seen, served: Seen, trial: Trial) -> float:
    """Evidence that the canary takes longer than `slower` times as long: it passes the next step more often."""
    steps = range(len(_steps(trial)) - 1)
    return log_mean(
        log_evidence((canary.longer_than(step + 1), canary.given), (served.longer_than(step), served.given))
        for step in steps
    )


def _said(what: str, canary: tuple[int, int], served: tuple[int, int]) -> str:
    return f"{canary[0]} of {canary[1]} answers {what}, against {served[0]} of {served[1]}"


def _steps(trial: Trial) -> list[float]:
    count = math.ceil(math.log(_SLOWEST / _QUICKEST) / math.log(trial.slower))
    return [_QUICKEST * trial.slower**each for each in range(count + 1)]
