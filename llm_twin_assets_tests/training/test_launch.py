import os
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import psutil
import pytest
from tiny_training import pairs, spec_for, write_dataset

from llm_twin_assets.training.callbacks import Watch
from llm_twin_assets.training.errors import PlanError, TrainingError
from llm_twin_assets.training.hardware import Hardware, this_machine
from llm_twin_assets.training.launch import (
    Arrangement,
    arranged,
    command,
    environment,
    failure,
    for_processes,
    workload,
)
from llm_twin_assets.training.live_metrics import FILE, LiveMetrics, followed
from llm_twin_assets.training.process_tree import run_tree
from llm_twin_assets.training.progress import Pace
from llm_twin_assets.training.spec import TrainingOutput, TrainingSpec
from llm_twin_assets.training.train import train
from resources.training_settings import Parallelism, Training


@pytest.fixture
def spec(llama: Path, tmp_path: Path) -> TrainingSpec:
    return spec_for(llama, write_dataset(tmp_path / "data", pairs(1), []), tmp_path / "output")


@pytest.fixture(autouse=True)
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


def test_training_runs_under_this_python_or_the_launcher_that_twin_yaml_names(spec: TrainingSpec) -> None:
    order = str(spec.output.with_name("spec.json"))
    tail = ["-m", "llm_twin_assets.training.train", order]

    assert command(spec, ()) == [sys.executable, *tail]
    assert command(spec, ("accelerate", "launch")) == ["accelerate", "launch", *tail]
    assert TrainingSpec.read(Path(order)) == spec


def test_one_process_is_plain_python(spec: TrainingSpec) -> None:
    found = arranged(spec, Training(), {})

    assert found.launcher == ()
    assert found.spec == spec
    assert "one process: about" in found.summary


def test_several_processes_are_started_by_accelerate_and_share_the_batch(spec: TrainingSpec) -> None:
    spec = spec.model_copy(update={"plan": spec.plan.model_copy(update={"micro_batch_size": 2})})
    found = arranged(spec, Training(parallelism=Parallelism(processes=4)), {})

    config = spec.output.with_name("accelerate.yaml")
    assert list(found.launcher[-2:]) == ["--config_file", str(config)]
    assert "num_processes: 4" in config.read_text()
    assert (found.spec.plan.batch_size, found.spec.plan.micro_batch_size) == (4, 1)


def test_a_training_on_preferences_is_planned_with_two_answers_at_once_and_its_reference(spec: TrainingSpec) -> None:
    machine = this_machine()
    plan = spec.plan.model_copy(update={"preference_method": "dpo"})
    works = [workload(each, Hardware("cpu", "float32", 1), machine) for each in (spec.plan, plan)]

    assert [(work.batch, work.preferences) for work in works] == [(1, False), (2, True)]


def test_a_configuration_or_launcher_of_ones_own_decides_alone(spec: TrainingSpec, tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"

    assert arranged(spec, Training(parallelism=Parallelism(config=own)), {}).launcher[-1] == str(own)
    assert arranged(spec, Training(launcher=("torchrun",)), {}).launcher == ("torchrun",)


def test_one_process_sees_one_gpu(spec: TrainingSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    from llm_twin_assets.training.parallelism import Cluster

    monkeypatch.setattr("llm_twin_assets.training.launch.this_machine", lambda processes: Cluster(1, 2, 80e9))
    monkeypatch.setattr(Hardware, "here", lambda: Hardware("cuda", "bfloat16", 1))
    alone = Training(parallelism=Parallelism(strategy="single"))

    assert arranged(spec, alone, {}).environment == {"CUDA_VISIBLE_DEVICES": "0"}
    assert arranged(spec, alone, {"CUDA_VISIBLE_DEVICES": "3,5"}).environment == {"CUDA_VISIBLE_DEVICES": "3"}
    assert arranged(spec, Training(), {}).environment == {}


def test_what_does_not_fit_is_refused_before_it_starts(spec: TrainingSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llm_twin_assets.training.hardware.machine_memory", lambda: 10**8)

    with pytest.raises(PlanError, match=r"does not fit into this machine's 0\.1 GB .* What would fit: a machine with"):
        arranged(spec, Training(), {})

    assert not spec.output.with_name("spec.json").exists()


@pytest.mark.skipif(find_spec("deepspeed") is not None, reason="deepspeed is installed here")
def test_what_needs_deepspeed_says_so_where_it_is_not_installed(
    spec: TrainingSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    from llm_twin_assets.training.parallelism import Cluster

    monkeypatch.setattr("llm_twin_assets.training.launch.this_machine", lambda processes: Cluster(1, 2, 80e9))
    with pytest.raises(PlanError, match=r"DeepSpeed ZeRO-3 alone, which needs the package deepspeed\. pip install"):
        arranged(spec, Training(parallelism=Parallelism(processes=2, strategy="zero3")), {})


def test_a_batch_that_cannot_be_shared_is_refused(spec: TrainingSpec) -> None:
    with pytest.raises(PlanError, match="a batch of 4 cannot be shared by 3 processes"):
        for_processes(spec.plan, 3)


def test_what_a_person_has_set_in_the_environment_stays() -> None:
    assert environment({})["OMP_NUM_THREADS"] != ""
    assert "OMP_NUM_THREADS" not in environment({"OMP_NUM_THREADS": "8"})


def test_a_failure_is_said_in_the_words_of_the_training(spec: TrainingSpec) -> None:
    assert "ended without a word (code -9)" in str(failure(spec, "code -9"))

    TrainingOutput(spec.output).error_file.write_text("out of memory")
    assert str(failure(spec, "code 7")) == "out of memory"


def test_progress_is_said_every_few_seconds_and_at_the_end() -> None:
    said: list[str] = []
    now = [0.0]
    pace = Pace(said.append, total_steps=10, clock=lambda: now[0])
    for step in range(1, 11):
        now[0] += 2.0
        pace.step(step, 3.0 if step > 1 else None)

    assert [line.split(",")[0] for line in said] == ["step 3/10", "step 6/10", "step 9/10", "step 10/10"]
    assert said[0] == "step 3/10, loss 3.000, 6 s gone, about 14 s left"

    now[0] += 10.0
    pace.step(10, 3.0, tokens=600)
    assert said[-1] == "step 10/10, loss 3.000, 20 tokens/s, 30 s gone, about 0 s left"


def test_a_loss_that_is_not_a_number_stops_the_training() -> None:
    watch = Watch(lambda line: None)
    watch.log(1, {"loss": 2.0, "num_tokens": 50})

    with pytest.raises(TrainingError, match=r"not a finite number after step 2.* Lower training\.learning_rate"):
        watch.log(2, {"loss": float("nan")})

    assert watch.tokens == 50


def test_figures_are_told_while_the_training_runs(trained: TrainingSpec, tmp_path: Path) -> None:
    output = TrainingOutput(tmp_path / "output")
    written = (TrainingOutput(trained.output).folder / FILE).read_text().splitlines(keepends=True)
    told: list[LiveMetrics] = []

    with followed(output, told.extend, every=0.01):
        output.partial.mkdir()
        (output.partial / FILE).write_text(written[0] + written[1][:9])
        while not told:
            time.sleep(0.01)
        assert [each.step for each in told] == [1]
        (output.partial / FILE).write_text("".join(written))
        output.partial.rename(output.folder)

    assert [each.step for each in told] == [1, 2, 3, 4, 5, 6]
    assert told[0].steps == 6
    assert told[-1].loss < told[0].loss
    assert all(each.tokens_per_second for each in told)


def two_processes(spec: TrainingSpec) -> Arrangement:
    return arranged(spec, Training(parallelism=Parallelism(processes=2)), os.environ)


@pytest.mark.slow
def test_two_processes_train_as_one_does(llama: Path, dataset: Path, tmp_path: Path) -> None:
    import torch
    from safetensors.torch import load_file

    alone = spec_for(llama, dataset, tmp_path / "alone" / "output", method="full", learning_rate=1e-3)
    shared = alone.model_copy(update={"output": tmp_path / "shared" / "output"})
    shared.output.parent.mkdir()
    alone.output.parent.mkdir()
    arrangement = two_processes(shared)

    one = train(alone, lambda line: None)
    given = {**os.environ, **arrangement.environment}
    code = run_tree(command(arrangement.spec, arrangement.launcher), {**given, **environment(given)})

    assert code == 0, failure(shared, str(code))
    output = TrainingOutput(shared.output)
    two = output.metrics()
    assert (two.steps, two.samples, two.tokens, two.epochs) == (one.steps, one.samples, one.tokens, one.epochs)
    for here, there in zip(two.train_history, one.train_history, strict=True):
        assert here.loss == pytest.approx(there.loss, rel=1e-5)
    assert two.validation_loss == pytest.approx(one.validation_loss, rel=1e-5)
    weights, expected = (load_file(TrainingOutput(each.output).model / "model.safetensors") for each in (shared, alone))
    assert all(torch.allclose(weights[name], expected[name], atol=1e-4) for name in expected)
    assert len((output.folder / FILE).read_text().splitlines()) == 6, "the first process alone writes"
    assert sorted(file.name for file in shared.output.parent.iterdir()) == ["accelerate.yaml", "output", "spec.json"]


# A shell ignores SIGINT for what it starts in the background, and whatever is started by that ignores it, too.
CANCELLED = """
import os, signal, sys
from llm_twin_assets.training.process_tree import run_tree
signal.signal(signal.SIGINT, signal.default_int_handler)
run_tree(sys.argv[1:], os.environ, 2.0)
"""


def processes_of(spec: TrainingSpec) -> list[psutil.Process]:
    order = str(spec.output.with_name("spec.json"))
    found = psutil.process_iter(["cmdline", "status"])
    return [each for each in found if order in (each.info["cmdline"] or []) and each.info["status"] != "zombie"]


@pytest.mark.slow
def test_a_cancelled_training_leaves_no_process(llama: Path, dataset: Path, tmp_path: Path) -> None:
    spec = spec_for(llama, dataset, tmp_path / "output", max_steps=10**6)
    arrangement = two_processes(spec)
    starter = subprocess.Popen([sys.executable, "-c", CANCELLED, *command(arrangement.spec, arrangement.launcher)])
    try:
        while not (TrainingOutput(spec.output).partial / FILE).exists():
            assert starter.poll() is None, "the training ended before it could be cancelled"
            time.sleep(0.1)
        # The starter, accelerate's launcher and the two that train.
        assert len(processes_of(spec)) == 4
    finally:
        starter.send_signal(signal.SIGINT)
        starter.wait(timeout=60)
    end = time.monotonic() + 60
    while processes_of(spec) and time.monotonic() < end:
        time.sleep(0.1)

    left = processes_of(spec)
    for each in left:  # they would train on beside all other tests
        each.kill()
    assert left == []
