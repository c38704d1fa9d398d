"""A training that was stopped goes on from its last whole checkpoint, to the very same weights."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from conftest import Order
from families import FAMILIES

from llm_twin_assets.training import checkpoints
from llm_twin_assets.training.spec import TrainingMetrics, TrainingOutput, TrainingSpec
from llm_twin_assets.training.train import train
from resources.folder_digest import folder_digest


class Killed(BaseException):
    """What a kill looks like from within, as nothing is tidied up."""


@contextmanager
def killed_at(stage: str, step: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    mark = checkpoints.mark_whole

    def and_die(folder: Path) -> None:
        mark(folder)
        if (folder.parent.name, folder.name) == (stage, f"checkpoint-{step}"):
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(checkpoints, "mark_whole", and_die)
        yield


def weights(spec: TrainingSpec) -> str:
    return folder_digest(TrainingOutput(spec.output).model)


def learned(metrics: TrainingMetrics) -> object:
    return (metrics.train_history, metrics.bits_per_byte_history, metrics.tokens, metrics.steps)


def stop(spec: TrainingSpec, stage: str, step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    with killed_at(stage, step, monkeypatch), pytest.raises(Killed):
        train(spec, lambda line: None)
    assert not TrainingOutput(spec.output).folder.exists()


@pytest.mark.parametrize("family", FAMILIES)
def test_a_stopped_training_ends_in_the_same_weights(
    family: str, adapted: dict[str, TrainingSpec], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = adapted[family]
    stopped = whole.model_copy(update={"output": tmp_path / "output"})
    stop(stopped, "samples", 2, monkeypatch)

    metrics = train(stopped, lambda line: None)

    assert metrics.resumed_at == 2
    assert weights(stopped) == weights(whole)
    assert learned(metrics) == learned(TrainingOutput(whole.output).metrics())
    assert not TrainingOutput(stopped.output).checkpoints.exists()


@pytest.mark.parametrize("family", ["gpt2"])
def test_a_full_training_goes_on_from_the_checkpoint_before_a_damaged_one(
    family: str, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, stopped = (order(method="full", max_steps=3) for _ in range(2))
    train(whole, lambda line: None)
    stop(stopped, "samples", 2, monkeypatch)
    newest = TrainingOutput(stopped.output).checkpoints / "samples" / "checkpoint-2" / "optimizer.pt"
    newest.write_bytes(newest.read_bytes()[:-9])
    said: list[str] = []

    metrics = train(stopped, said.append)

    assert "the checkpoint of step 2 is damaged or was not finished: it is left out" in said
    assert metrics.resumed_at == 1
    assert weights(stopped) == weights(whole)


@pytest.mark.parametrize("family", ["llama"])
@pytest.mark.parametrize("method", ["dora"])
def test_the_preference_stage_goes_on_too_and_the_samples_are_not_trained_again(
    family: str, method: str, order: Order, preferred: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    choice = {"method": "dpo", "learning_rate": 1e-2}
    whole, stopped = (order(preferred, method=method, max_steps=3, batch_size=2, preference=choice) for _ in range(2))
    train(whole, lambda line: None)
    stop(stopped, "dpo", 2, monkeypatch)
    said: list[str] = []

    train(stopped, said.append)

    assert any("samples was finished before" in line for line in said)
    assert any("going on from step 2" in line for line in said)
    assert weights(stopped) == weights(whole)
