import numpy as np
import pytest

from llm_twin_assets.evaluation.statistics import DocumentScore, bits_per_byte, paired_difference
from resources.settings import Evaluation

SETTINGS = Evaluation(bootstrap_draws=1000)


def scores(bits: list[float], size: int = 100) -> list[DocumentScore]:
    return [DocumentScore(f"d{number}", value, size) for number, value in enumerate(bits)]


def test_bits_per_byte_weighs_every_byte_the_same() -> None:
    assert bits_per_byte([DocumentScore("a", 100, 50), DocumentScore("b", 100, 150)]) == 1.0


def test_an_interval_holds_its_mean() -> None:
    interval = paired_difference(scores([180, 210, 150]), scores([200, 215, 190]), SETTINGS)
    assert interval.low <= interval.mean <= interval.high
    assert interval.mean == pytest.approx(-65 / 300)


def test_pairing_sees_a_small_gain_among_very_different_documents() -> None:
    hard_and_easy = np.linspace(50, 900, 20)
    ours, theirs = scores(list(hard_and_easy - 2)), scores(list(hard_and_easy))
    assert paired_difference(ours, theirs, SETTINGS).high < 0


@pytest.mark.parametrize("documents", [6, 15, 40])
def test_equal_models_pass_as_rarely_as_the_confidence_says(documents: int) -> None:
    rng = np.random.default_rng(7)
    draws = 800
    passed = 0
    for _ in range(draws):
        noise = rng.normal(0, 10, documents)
        interval = paired_difference(scores(list(200 + noise)), scores([200.0] * documents), SETTINGS)
        passed += interval.high < 0
    # One side of 95% is 2.5%: 20 of 800, plus three standard deviations of chance.
    assert passed <= 34


def test_the_same_seed_draws_the_same_interval() -> None:
    ours, theirs = scores([180, 210, 150]), scores([200, 215, 190])
    assert paired_difference(ours, theirs, SETTINGS) == paired_difference(ours, theirs, SETTINGS)


def test_scores_of_different_documents_are_not_compared() -> None:
    with pytest.raises(ValueError, match="same documents"):
        paired_difference(scores([1, 2]), list(reversed(scores([1, 2]))), SETTINGS)
