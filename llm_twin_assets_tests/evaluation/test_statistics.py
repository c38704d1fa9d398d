import numpy as np
import pytest

from llm_twin_assets.evaluation.measure import DocumentValue
from llm_twin_assets.evaluation.statistics import Paired, difference
from resources.settings import Evaluation

SETTINGS = Evaluation(bootstrap_draws=1000)


def values(numbers: list[float]) -> list[DocumentValue]:
    return [DocumentValue(f"d{number}", value) for number, value in enumerate(numbers)]


def paired(ours: list[float], theirs: list[float]) -> Paired:
    return Paired.of(values(ours), values(theirs))


def test_an_interval_holds_its_mean() -> None:
    interval = difference(paired([1.8, 2.1, 1.5], [2.0, 2.15, 1.9]), SETTINGS).interval(0.95)
    assert interval.low <= interval.mean <= interval.high
    assert interval.mean == pytest.approx(-0.65 / 3)


def test_a_document_weighs_what_is_said() -> None:
    weighed = Paired.of(values([1, 2]), values([0, 0]), {"d0": 300.0, "d1": 100.0})
    assert weighed.mean(weighed.candidate) == 1.25
    assert difference(weighed, SETTINGS).mean == 1.25


def test_pairing_sees_a_small_gain_among_very_different_documents() -> None:
    hard_and_easy = np.linspace(0.5, 9, 20)
    assert difference(paired(list(hard_and_easy - 0.02), list(hard_and_easy)), SETTINGS).interval(0.95).high < 0


@pytest.mark.parametrize("documents", [3, 15])
def test_equal_models_pass_as_rarely_as_the_confidence_says(documents: int) -> None:
    rng = np.random.default_rng(7)
    rules = Evaluation(bootstrap_draws=300)
    passed = 0
    for _ in range(1000):
        found = difference(paired(list(rng.normal(0, 0.1, documents)), [0.0] * documents), rules)
        passed += found.interval(0.95).high < 0
    # One side of 95% is 2.5%: 25 of 1,000, plus three standard deviations of chance.
    assert passed <= 40


def test_the_same_seed_draws_the_same_interval() -> None:
    one, other = (difference(paired([1.8, 2.1, 1.5], [2.0, 2.15, 1.9]), SETTINGS).interval(0.95) for _ in range(2))
    assert one == other


def test_documents_that_one_model_has_no_value_for_are_not_compared() -> None:
    found = Paired.of([DocumentValue("a", 1), DocumentValue("b", 2)], [DocumentValue("b", 5), DocumentValue("c", 7)])
    assert found.documents == ("b",)
    assert (found.candidate.tolist(), found.reference.tolist()) == ([2], [5])


def test_one_document_has_no_interval() -> None:
    with pytest.raises(ValueError, match="two documents"):
        difference(paired([1], [2]), SETTINGS)
