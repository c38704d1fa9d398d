"""What is counted of a canary, and what it takes to call it worse."""

from datetime import datetime, timedelta

import pytest
from pydantic import ValidationError

from llm_twin_assets.domain.canary import Figures, Seen, answer_failed, answer_given, is_due, is_overdue, total, worse
from llm_twin_assets_tests.release.test_canary_release import canary_of
from resources.release_settings import Trial

TRIAL = Trial(share=0.1, minutes=60, min_answers=20)


def seen(*seconds: float, failed: int = 0, degraded: int = 0) -> Seen:
    """Answers that took so long; the first of them degraded."""
    found = sum((answer_given(each, degraded=at < degraded, trial=TRIAL) for at, each in enumerate(seconds)), Seen())
    return sum((answer_failed() for _ in range(failed)), found)


def test_counts_of_several_processes_add_up():
    one = Figures(canary=seen(0.1, 2.0), served=seen(0.1, failed=1))
    other = Figures(canary=seen(50.0), served=seen(0.001, degraded=1))
    both = total([one, other])
    assert (both.canary.answers, both.served.answers, both.served.failed, both.served.degraded) == (3, 3, 1, 1)
    assert total([]) == Figures()


@pytest.mark.parametrize("seconds", [0.0001, 0.3, 5000.0])
def test_any_length_of_an_answer_is_counted_once(seconds: float):
    assert seen(seconds).answers == 1


@pytest.mark.parametrize(
    ("canary", "why"),
    [
        (seen(*[0.3] * 40, failed=12), "12 of 52 answers failed, against 2 of 402"),
        (seen(*[0.3] * 40, degraded=20), "20 of 40 answers degraded, against 8 of 400"),
        (seen(*[0.9] * 40), "slower by more than 1.5×"),
    ],
)
def test_what_fails_degrades_or_takes_longer_more_often_is_worse(canary: Seen, why: str):
    served = seen(*[0.3] * 400, failed=2, degraded=8)
    assert why in (worse(Figures(canary=canary, served=served), TRIAL) or "")


@pytest.mark.parametrize("seconds", [0.1, 0.3, 0.35])
def test_what_is_as_good_as_what_serves_or_hardly_slower_is_not(seconds: float):
    served = seen(*[0.3] * 400, failed=2, degraded=8)
    assert worse(Figures(canary=seen(*[seconds] * 60, degraded=1), served=served), TRIAL) is None


def test_a_canary_is_due_when_it_has_had_its_time_and_its_answers(now: datetime):
    record = canary_of(TRIAL, now)
    later = now + timedelta(minutes=61)
    assert is_due(Figures(canary=seen(*[0.1] * 20)), record, TRIAL, later)
    assert not is_due(Figures(canary=seen(*[0.1] * 19)), record, TRIAL, later)
    assert not is_due(Figures(canary=seen(*[0.1] * 20)), record, TRIAL, now + timedelta(minutes=59))


def test_a_canary_is_overdue_when_its_time_is_up_and_its_answers_are_too_few(now: datetime):
    record, too_few = canary_of(TRIAL, now), Figures(canary=seen(*[0.1] * 19))
    last_moment = now + timedelta(days=TRIAL.max_days)
    assert is_overdue(too_few, record, TRIAL, last_moment)
    assert not is_overdue(too_few, record, TRIAL, last_moment - timedelta(seconds=1))
    assert not is_overdue(Figures(canary=seen(*[0.1] * 20)), record, TRIAL, last_moment)


def test_a_trial_may_take_as_long_as_it_must():
    with pytest.raises(ValidationError, match="max_days"):
        Trial(minutes=60 * 24 * 3, max_days=2)
