import sys
from pathlib import Path

import pytest
from tiny_training import pairs, spec_for, write_dataset

from llm_twin_assets.training.callbacks import Watch
from llm_twin_assets.training.errors import TrainingError
from llm_twin_assets.training.launch import command, environment, failure
from llm_twin_assets.training.progress import Pace
from llm_twin_assets.training.spec import TrainingOutput, TrainingSpec


@pytest.fixture
def spec(llama: Path, tmp_path: Path) -> TrainingSpec:
    return spec_for(llama, write_dataset(tmp_path / "data", pairs(1), []), tmp_path / "output")


def test_training_runs_under_this_python_or_the_launcher_that_twin_yaml_names(spec: TrainingSpec) -> None:
    order = str(spec.output.with_name("spec.json"))
    tail = ["-m", "llm_twin_assets.training.train", order]

    assert command(spec, ()) == [sys.executable, *tail]
    assert command(spec, ("accelerate", "launch")) == ["accelerate", "launch", *tail]
    assert TrainingSpec.read(Path(order)) == spec


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


def test_a_loss_that_is_not_a_number_stops_the_training() -> None:
    watch = Watch(lambda line: None)
    watch.log(1, {"loss": 2.0, "num_tokens": 50})

    with pytest.raises(TrainingError, match=r"not a finite number after step 2.* Lower training\.learning_rate"):
        watch.log(2, {"loss": float("nan")})

    assert watch.tokens == 50
