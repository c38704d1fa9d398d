"""The evidence that a canary is judged by: rare false alarms however often one looks, and quick true ones."""

import random

import pytest

from llm_twin_assets.domain.sequential import log_evidence, log_mean

ENOUGH = 5.7  # one in three hundred


def first_alarm(canary: float, served: float, seed: int, answers: int = 2000) -> int | None:
    """After how many answers of the canary it is found worse, looked at after every answer."""
    drawn = random.Random(seed)  # noqa: S311 - no secret
    hits, counts = [0, 0], [0, 0]
    for _ in range(answers):
        arm = 0 if drawn.random() < 0.1 else 1
        counts[arm] += 1
        hits[arm] += drawn.random() < (canary, served)[arm]
        if log_evidence((hits[0], counts[0]), (hits[1], counts[1])) >= ENOUGH:
            return counts[0]
    return None


@pytest.mark.parametrize("share", [0.0, 0.02, 0.5])
def test_who_looks_after_every_answer_sees_no_difference_where_there_is_none(share: float):
    assert sum(first_alarm(share, share, seed, 1000) is not None for seed in range(30)) <= 1


def test_what_is_better_is_never_called_worse():
    assert all(first_alarm(0.01, 0.2, seed, 1000) is None for seed in range(10))


def test_a_canary_that_always_fails_is_found_out_within_a_few_answers():
    assert log_evidence((4, 4), (0, 36)) >= ENOUGH


def test_one_that_fails_ten_times_as_often_is_found_out_within_some_hundred():
    found = sorted(first_alarm(0.1, 0.01, seed) or 10_000 for seed in range(9))
    assert found[4] < 200


def test_without_answers_on_both_sides_there_is_no_evidence():
    assert log_evidence((5, 5), (0, 0)) <= 0
    assert log_evidence((0, 0), (0, 5)) <= 0


def test_the_mean_of_evidence_is_between_the_least_and_the_greatest():
    assert log_mean([0.0, 0.0]) == pytest.approx(0.0)
    assert 0.0 < log_mean([0.0, 800.0]) < 800.0
