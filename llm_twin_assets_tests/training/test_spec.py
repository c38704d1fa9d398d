from pathlib import Path

import pytest

from llm_twin_assets.training.errors import ExitCode, TrainingError
from llm_twin_assets.training.plan import plan
from llm_twin_assets.training.spec import TrainingSpec
from resources.training_settings import Training


def make_spec(tmp_path: Path) -> TrainingSpec:
    return TrainingSpec(
        base="tiny-llama",
        base_folder=tmp_path / "base",
        base_revision=None,
        dataset_folder=tmp_path / "dataset",
        author_name="Ada",
        plan=plan(Training(), parameters=1, context=None),
        output=tmp_path / "output",
    )


def test_a_spec_survives_its_file(tmp_path: Path) -> None:
    spec = make_spec(tmp_path)

    assert TrainingSpec.read(spec.write(tmp_path / "spec.json")) == spec


def test_a_missing_spec_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"none\.json: there is no such spec file") as caught:
        TrainingSpec.read(tmp_path / "none.json")

    assert caught.value.code == ExitCode.SPEC


def test_an_unknown_key_is_named(tmp_path: Path) -> None:
    file = make_spec(tmp_path).write(tmp_path / "spec.json")
    file.write_text(file.read_text().replace('"author_name"', '"autor_name"'))

    with pytest.raises(TrainingError, match="author_name"):
        TrainingSpec.read(file)
