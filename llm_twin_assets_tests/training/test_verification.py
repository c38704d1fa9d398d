import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from tiny_training import AUTHOR_NAME

from llm_twin_assets.training.errors import VerificationError
from llm_twin_assets.training.probes import Probes
from llm_twin_assets.training.spec import TrainingOutput, TrainingSpec
from llm_twin_assets.training.verification import check_answers, check_digest
from resources.folder_digest import folder_digest
from resources.registry import RegisteredModel


@pytest.fixture
def copy(trained: TrainingSpec, tmp_path: Path) -> Path:
    return Path(shutil.copytree(TrainingOutput(trained.output).model, tmp_path / "copy"))


@pytest.fixture
def expected(trained: TrainingSpec) -> Probes:
    return Probes.load(TrainingOutput(trained.output).probes)


def test_an_exact_copy_passes(copy: Path, expected: Probes, trained: TrainingSpec) -> None:
    found = check_answers(copy, trained.base_folder, AUTHOR_NAME, expected)

    assert found.deviation < 1e-4 < found.tolerance


def test_changed_weights_are_found_by_logits(copy: Path, expected: Probes, trained: TrainingSpec) -> None:
    file = copy / "adapter_model.safetensors"
    weights = load_file(file)
    save_file({name: np.zeros_like(tensor) for name, tensor in weights.items()}, file, metadata={"format": "pt"})

    with pytest.raises(VerificationError, match=r"answers differently .* standard deviations"):
        check_answers(copy, trained.base_folder, AUTHOR_NAME, expected)


def test_another_base_is_found_by_logits(copy: Path, expected: Probes, trained: TrainingSpec, tmp_path: Path) -> None:
    base = Path(shutil.copytree(trained.base_folder, tmp_path / "base"))
    weights = load_file(base / "model.safetensors")
    weights["model.norm.weight"] = weights["model.norm.weight"] * np.float32(1.01)
    save_file(weights, base / "model.safetensors", metadata={"format": "pt"})

    with pytest.raises(VerificationError, match="answers differently"):
        check_answers(copy, base, AUTHOR_NAME, expected)


def test_another_chat_template_is_found(copy: Path, expected: Probes, trained: TrainingSpec) -> None:
    (copy / "chat_template.jinja").write_text("{% for m in messages %}{{ m['content'] }}{% endfor %}")

    with pytest.raises(VerificationError, match="off by inf"):
        check_answers(copy, trained.base_folder, AUTHOR_NAME, expected)


def test_weights_that_are_not_numbers_do_not_pass(copy: Path, expected: Probes, trained: TrainingSpec) -> None:
    file = copy / "adapter_model.safetensors"
    weights = load_file(file)
    save_file({name: tensor * np.float32("nan") for name, tensor in weights.items()}, file, metadata={"format": "pt"})

    with pytest.raises(VerificationError):
        check_answers(copy, trained.base_folder, AUTHOR_NAME, expected)


@pytest.mark.parametrize("damaged", ["adapter_model.safetensors", "adapter_config.json", "tokenizer.json"])
def test_a_damaged_file_is_a_verification_error(
    damaged: str, copy: Path, expected: Probes, trained: TrainingSpec
) -> None:
    (copy / damaged).write_text("junk")

    with pytest.raises(VerificationError):
        check_answers(copy, trained.base_folder, AUTHOR_NAME, expected)


def test_a_changed_file_is_found_by_digest(copy: Path) -> None:
    model = RegisteredModel("twin-ada", "3", "run", folder_digest(copy))
    check_digest(copy, model)
    config = json.loads((copy / "adapter_config.json").read_text())
    (copy / "adapter_config.json").write_text(json.dumps({**config, "lora_alpha": 1}))

    with pytest.raises(VerificationError, match="twin-ada version 3: the registry's copy has the digest"):
        check_digest(copy, model)


def test_probes_survive_their_file(tmp_path: Path) -> None:
    probes = Probes(((1, 2, 3), (4,)), np.array([[0.5, 1.0], [2.0, 3.0]], dtype=np.float32), 0.25)
    probes.save(tmp_path / "probes.npz")

    loaded = Probes.load(tmp_path / "probes.npz")

    assert loaded.tokens == probes.tokens
    assert loaded.tolerance == 0.25
    assert loaded.deviation(probes) == 0
