"""One day of one twin, counted: what the page of that day shows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

from llm_twin_assets.domain.alarm import Alarm
from llm_twin_assets.monitoring.columns import Answers, Vectors, seconds_of
from llm_twin_assets.monitoring.drift import drift_chance, energy_distance
from llm_twin_assets.monitoring.figures import Figures, figures
from llm_twin_assets.monitoring.history import History

HOURS = 24
# What a day is held against, and how far back drift is shown.
_WEEK = timedelta(days=7)
_DRIFT_DAYS = 14
# The distance of fewer questions is chance; of more it costs seconds and says no more.
_LEAST, _MOST = 20, 500
# A day in a hundred looks changed though nothing has.
_LEVEL = 0.01
_INSTANT = 1e-6


@dataclass(frozen=True, slots=True)
class Drift:
    """How far a day's questions lie from those that the release was first asked; None of too few.

    `chance` is the probability of so large a distance, were they asked alike; it is known of the page's own day.
    """

    day: date
    distance: float | None
    chance: float | None = None


@dataclass(frozen=True, slots=True)
class Day:
    """A day's answers (UTC) by hour and in figures, the figures of the week before it, drift, and what rang."""

    author: str
    day: date
    release: str
    hours: tuple[Answers, ...]
    figures: Figures
    week: Figures
    drift: tuple[Drift, ...]
    alarms: tuple[Alarm, ...]

    @property
    def answers(self) -> int:
        """How many there were."""
        return self.figures.answers


def day_of(author: str, day: date, seen: Answers, alarms: Sequence[Alarm], reference_answers: int) -> Day:
    """Count a day; `seen` are the author's answers with their vectors, of the weeks before it too."""
    start, end = _bounds(day)
    history = History.of(author, seen, reference_answers)
    release = history.answering(end)
    reference = history.start_of(release).vectors if release is not None else seen.slice(0, 0).vectors
    edges = [start + timedelta(hours=hour) for hour in range(HOURS + 1)]
    return Day(
        author,
        day,
        release=str(release.release[-1]) if release is not None else "",
        hours=tuple(_between(seen, one, other) for one, other in pairwise(edges)),
        figures=figures(_between(seen, start, end)),
        week=figures(_between(seen, start - _WEEK, start)),
        drift=tuple(_drift(seen, reference, day, day - timedelta(days=back)) for back in reversed(range(_DRIFT_DAYS))),
        alarms=tuple(
            sorted((each for each in alarms if start <= each.opened_at < end), key=lambda each: each.opened_at)
        ),
    )


def _drift(seen: Answers, reference: Vectors, today: date, day: date) -> Drift:
    vectors = _between(seen, *_bounds(day)).vectors[-_MOST:]
    known = reference[:_MOST]
    if min(len(vectors), len(known)) < _LEAST or vectors.shape[1] != known.shape[1]:
        return Drift(day, None)
    # To try permutations takes a second: only for the day that is told of.
    chance = drift_chance(vectors, known, _LEVEL, seed=day.toordinal()) if day == today else None
    return Drift(day, energy_distance(vectors, known), chance)


def _bounds(day: date) -> tuple[datetime, datetime]:
    start = datetime.combine(day, time(), UTC)
    return start, start + timedelta(days=1)


def _between(seen: Answers, start: datetime, end: datetime) -> Answers:
    # With the start and without the end; the table's instants are whole microseconds.
    return seen.between(seconds_of(start) - _INSTANT, seconds_of(end) - _INSTANT)
