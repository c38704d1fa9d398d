"""A week of questions to a twin, made from a seed: what people ask, when, and how the service answers while it is well.

Nothing here knows of rules or limits. Arrivals are a Poisson process by the hour of the day, thinner at the weekend;
who asks goes on about the same subject for a question or three; what is asked a lot is asked by others as well.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from llm_twin_assets.monitoring.answers import AnswerSeen, Thumb

AUTHOR = "maya"
MONDAY = datetime(2026, 11, 2, tzinfo=UTC)
DAYS = 7
# Questions an hour, by the hour of a working day.
_BY_HOUR = (1, 1, 0.5, 0.5, 0.5, 1, 3, 10, 24, 38, 46, 42, 28, 34, 44, 50, 40, 30, 22, 20, 22, 18, 10, 4)
_WEEKEND = 0.6
_GOES_ON = 0.4
_REPEATS = 0.05
# Below this nearness the service says that nothing was found.
_REFUSES = 0.3

Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Subjects:
    """Unit vectors of questions by subject, of one that nothing was written on, and of what was written."""

    known: tuple[Vectors, ...]
    unknown: Vectors
    written: Vectors


@dataclass(frozen=True, slots=True)
class Service:
    """How the service does at a moment. The defaults are a service that is well."""

    release: str = "maya-000001"
    slowness: float = 1.0
    nearness: float = 1.0
    unsupported: float = 0.06
    support: float = 0.78
    unknown_share: float = 0.0
    rated: float = 0.06
    disliked: float = 0.15
    clock_ahead: timedelta = timedelta(0)
    is_asked: bool = True
    is_traced: bool = True


@dataclass(frozen=True, slots=True)
class Change:
    """The service is other than usual from `start` to `end`, in hours since Monday's midnight."""

    start: float
    end: float
    service: Mapping[str, object]

    def holds(self, hour: float) -> bool:
        """Whether it is so then."""
        return self.start <= hour < self.end


def gaussian_subjects(seed: int, subjects: int = 8, dimension: int = 128) -> Subjects:
    """Gaussian clusters in place of an encoder: a subject is a direction, a question or a passage one near it.

    Directions are drawn alike, so subjects are about as far from one another as an encoder's unrelated texts are.
    """
    random = np.random.default_rng(seed)
    centres = _unit(random.normal(size=(subjects + 1, dimension)))

    def near(centre: Vectors, count: int) -> Vectors:
        return _unit(centre + random.normal(scale=0.6 / np.sqrt(dimension), size=(count, dimension)))

    known = tuple(near(centre, 60) for centre in centres[:-1])
    return Subjects(known, near(centres[-1], 60), np.concatenate([near(centre, 40) for centre in centres[:-1]]))


def answers_of_a_week(seed: int, subjects: Subjects, changes: Sequence[Change] = ()) -> list[AnswerSeen]:
    """All that is asked from Monday on, and what the traces say of it."""
    random = np.random.default_rng(seed)
    people = _People(random, subjects)
    seen: list[AnswerSeen] = []
    for hour in range(24 * DAYS):
        for minute in np.sort(random.uniform(0, 60, random.poisson(_rate(hour)))):
            at = hour + float(minute) / 60
            service = _service(at, changes)
            if service.is_asked:
                answer = people.answered(MONDAY + timedelta(hours=at), service, f"{seed:04}-{len(seen):06}")
                seen += [answer] if service.is_traced else []
    return seen


def _rate(hour: int) -> float:
    return _BY_HOUR[hour % 24] * (_WEEKEND if hour // 24 >= 5 else 1.0)


def _service(hour: float, changes: Sequence[Change]) -> Service:
    service = Service()
    for change in changes:
        if change.holds(hour):
            service = replace(service, **change.service)  # type: ignore[arg-type]
    return service


class _People:
    """Who asks: somebody new each time, or the one before, going on."""

    def __init__(self, random: np.random.Generator, subjects: Subjects) -> None:
        self._random = random
        self._subjects = subjects
        self._popularity = random.dirichlet(np.full(len(subjects.known), 4.0))
        self._subject = 0
        self._asked: list[tuple[int, int]] = []

    def answered(self, at: datetime, service: Service, trace: str) -> AnswerSeen:
        """One question and its answer."""
        random = self._random
        subject, question = self._question(service)
        of_subject = self._subjects.known[subject] if subject >= 0 else self._subjects.unknown
        vector = of_subject[question]
        relevance = float((self._subjects.written @ vector).max()) * service.nearness + float(random.normal(0, 0.03))
        # Small talk, and what is no question: nobody wrote on it.
        found = relevance >= _REFUSES and random.random() >= 0.04
        degraded = found and random.random() < service.unsupported
        failed = random.random() < 0.004
        cached = random.random() < 0.05
        first = 0.35 * service.slowness * float(random.lognormal(0, 0.3))
        seconds = 0.02 if cached else first + 0.9 * service.slowness * float(random.lognormal(0, 0.5))
        outcome = "nothing_found" if not found else "quoted" if degraded else "answered"
        return AnswerSeen(
            trace_id=trace,
            author=AUTHOR,
            release=service.release,
            snapshot="snapshot",
            started_at=at + service.clock_ahead,
            seconds=seconds,
            first_token_seconds=None if cached or not found else first,
            prompt_tokens=int(random.normal(900, 150)) if found else 0,
            completion_tokens=int(random.lognormal(4.6, 0.5)) if found else 0,
            outcome=None if failed else outcome,
            cause="unsupported" if degraded else None if found else "nothing_found",
            degraded=degraded,
            failed=failed,
            cached=cached,
            citations=int(random.random() >= 0.03) * int(random.integers(1, 4)) if found else 0,
            relevance=relevance,
            support=float(np.clip(random.normal(service.support, 0.12), 0, 1)) if found else None,
            personal_data=int(random.random() < 0.01),
            question_digest=f"{subject}/{question}/{trace if random.random() < 0.7 else ''}",
            vector=tuple(vector.tolist()),
            thumb=self._thumb(service),
        )

    def _question(self, service: Service) -> tuple[int, int]:
        random = self._random
        if self._asked and random.random() < _REPEATS:
            return self._asked[int(random.integers(len(self._asked)))]
        if random.random() >= _GOES_ON:
            is_known = random.random() >= service.unknown_share
            self._subject = int(random.choice(len(self._popularity), p=self._popularity)) if is_known else -1
        of_subject = self._subjects.known[self._subject] if self._subject >= 0 else self._subjects.unknown
        asked = (self._subject, int(random.integers(len(of_subject))))
        self._asked = [*self._asked[-200:], asked]
        return asked

    def _thumb(self, service: Service) -> Thumb | None:
        if self._random.random() >= service.rated:
            return None
        return "down" if self._random.random() < service.disliked else "up"


def _unit(vectors: NDArray[np.floating]) -> Vectors:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True), np.float32)
