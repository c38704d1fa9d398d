import time
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_twin_assets.monitoring.drift import drift_chance, energy_distance, nearest_distances
from llm_twin_assets.monitoring.significance import level_grown, share_above, share_grown, tail_grown


@settings(deadline=None)  # the first example imports scipy
@given(st.integers(0, 12), st.sampled_from([0.05, 0.5, 0.9]))
def test_a_share_is_held_against_a_limit_by_the_binomial_tail(hits: int, share: float):
    counted = sum(comb(12, k) * share**k * (1 - share) ** (12 - k) for k in range(hits, 13))
    assert share_above(hits, 12, share) == pytest.approx(counted)


def test_shares_are_compared_by_fishers_exact_test():
    # The lady tasting tea: all four cups right, of eight (Fisher 1935).
    assert share_grown(4, 4, 0, 4) == pytest.approx(1 / 70)


def test_levels_are_compared_by_rank():
    known = np.arange(100.0)
    assert level_grown(known + 30, known) < 1e-6
    assert level_grown(known, known) == pytest.approx(0.5, abs=0.01)
    assert level_grown(known - 30, known) > 0.999


def test_a_tail_rings_as_often_as_it_may_whatever_the_distribution():
    random = np.random.default_rng(7)
    chances = np.array([tail_grown(*np.split(random.standard_cauchy(130), [30]), 0.95) for _ in range(2000)])
    for level in (0.1, 0.01):
        assert (chances <= level).mean() <= level + 2 * (level / 2000) ** 0.5
    assert tail_grown(np.full(30, 9.0), np.arange(100.0) / 100, 0.95) < 1e-9


def test_drift_rings_as_often_as_it_may_on_questions_that_are_alike():
    random = np.random.default_rng(3)
    alike = (random.normal(size=(90, 8)).astype(np.float32) for _ in range(200))
    rung = sum(drift_chance(each[:50], each[50:], 0.1, seed) <= 0.1 for seed, each in enumerate(alike))
    assert rung <= 0.1 * 200 + 3 * (200 * 0.1 * 0.9) ** 0.5


def test_a_third_of_questions_on_something_new_is_drift_and_takes_less_than_a_second():
    random = np.random.default_rng(5)
    one, other = random.normal(size=(2, 500, 384)).astype(np.float32)
    other[:150] += 0.5
    began = time.process_time()
    assert drift_chance(one, other, 3e-3, seed=1) <= 3e-3
    assert time.process_time() - began < 3  # 0.1 s on a quiet machine, 0.6 s at the shipped level
    assert energy_distance(one, other) > 3 * abs(energy_distance(one, random.normal(size=(500, 384)).astype("f4")))


def test_drift_is_the_same_however_long_vectors_are():
    random = np.random.default_rng(6)
    one, other = random.normal(size=(2, 40, 8)).astype(np.float32)
    assert energy_distance(one * 7, other) == pytest.approx(energy_distance(one, other), abs=1e-6)


def test_questions_are_as_far_as_from_their_nearest_chunk():
    chunks = np.array([[1, 0], [0, 2]], np.float32)
    questions = np.array([[3, 0], [-1, 0]], np.float32)
    assert nearest_distances(questions, chunks).tolist() == pytest.approx([0.0, 1.0])
    assert len(nearest_distances(questions, np.empty((0, 0), np.float32))) == 0
