"""Answers as they might have been given: an hour like the next, but for what a test says."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np

from llm_twin_assets.monitoring.answers import AnswerSeen

MONDAY = datetime(2026, 5, 4, tzinfo=UTC)
FIRST = "maya-000001"
TEN_HOURS = timedelta(hours=10)


def hours(count: float) -> timedelta:
    return timedelta(hours=count)


def answers(
    count: int, start: datetime = MONDAY, lasting: timedelta = TEN_HOURS, seed: int = 0, **said: object
) -> list[AnswerSeen]:
    """So many answers, evenly spread, with a latency and a relevance that vary as in life."""
    random = np.random.default_rng(seed)
    seconds, relevance = random.lognormal(0.4, 0.4, count), random.normal(0.6, 0.1, count)
    step = lasting / count
    given = (
        AnswerSeen(
            f"{seed:08x}{at:024x}", "maya", FIRST, "snapshot", start + at * step, float(seconds[at]),
            float(seconds[at]) / 4, 400, 60, "answered", citations=2, relevance=float(relevance[at]), support=0.7,
            question_digest=f"{seed}-{at}",
        )
        for at in range(count)
    )  # fmt: skip
    return [replace(each, **said) for each in given]  # type: ignore[arg-type]


def with_share(seen: list[AnswerSeen], every: int, **said: object) -> list[AnswerSeen]:
    """The same answers, but one of `every` says something else."""
    return [replace(each, **said) if at % every == 0 else each for at, each in enumerate(seen)]  # type: ignore[arg-type]
