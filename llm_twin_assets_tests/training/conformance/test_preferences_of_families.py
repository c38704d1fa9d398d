"""After the samples come preferences, from where the samples led: the same for every family."""

from pathlib import Path

import pytest
from conftest import Order
from families import FAMILIES
from tiny_training import AUTHOR_NAME

from llm_twin_assets.training.errors import ExitCode, TrainingError
from llm_twin_assets.training.probes import Probes
from llm_twin_assets.training.spec import TrainingOutput
from llm_twin_assets.training.train import train
from llm_twin_assets.training.verification import check_answers

# Three steps: the first one's rate is zero, as the rate warms up.
SHORT = {"max_steps": 3, "batch_size": 2}
RATE = 1e-2


@pytest.mark.parametrize("family", FAMILIES)
def test_pairs_make_the_better_answer_likelier(family: str, base: Path, order: Order, preferred: Path) -> None:
    spec = order(preferred, **SHORT, preference={"method": "auto", "learning_rate": RATE})

    metrics = train(spec, lambda line: None)

    output = TrainingOutput(spec.output)
    assert metrics.preference is not None
    assert metrics.preference.method == "dpo"
    assert metrics.preference.samples == 8
    assert metrics.preference.loss < 0.6931  # ln 2 is where policy and reference are the same
    assert metrics.preference.accuracy == 1.0
    assert not (output.model / "ref").exists()
    assert check_answers(output.model, base, AUTHOR_NAME, Probes.load(output.probes)).deviation < 1e-4


@pytest.mark.parametrize("family", ["gpt2"])
def test_thumbs_alone_are_learned_by_kto(family: str, order: Order, thumbs: Path) -> None:
    metrics = train(order(thumbs, preference={"method": "auto", "learning_rate": RATE}), lambda line: None)

    assert metrics.preference is not None
    assert (metrics.preference.method, metrics.preference.samples) == ("kto", 8)


@pytest.mark.parametrize("family", ["llama"])
@pytest.mark.parametrize("method", ["full", "qlora"])
def test_preferences_follow_every_method(family: str, method: str, order: Order, preferred: Path) -> None:
    spec = order(preferred, **SHORT, method=method, preference={"method": "dpo", "learning_rate": RATE})

    metrics = train(spec, lambda line: None)

    assert metrics.preference is not None
    assert metrics.preference.loss < 0.6931


@pytest.mark.parametrize("family", ["llama"])
def test_without_preferences_auto_trains_on_samples_alone(family: str, order: Order) -> None:
    assert train(order(preference={"method": "auto"}), lambda line: None).preference is None


@pytest.mark.parametrize("family", ["llama"])
def test_a_method_that_was_named_needs_its_data(family: str, order: Order, thumbs: Path) -> None:
    with pytest.raises(TrainingError, match="nothing to train preferences on by dpo") as caught:
        train(order(thumbs, preference={"method": "dpo"}), lambda line: None)

    assert caught.value.code == ExitCode.PREFERENCES
