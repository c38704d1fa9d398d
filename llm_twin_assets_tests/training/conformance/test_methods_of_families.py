"""Every method trains every family; what was trained is what is stored, registered, merged."""

import json
from pathlib import Path

import pytest
from conftest import Order
from families import FAMILIES
from tiny_training import AUTHOR_NAME

from llm_twin_assets.training.merging import merge
from llm_twin_assets.training.probes import Probes
from llm_twin_assets.training.spec import TrainingOutput, TrainingSpec
from llm_twin_assets.training.train import train
from llm_twin_assets.training.verification import check_answers, verify
from resources.registry import Registry

each_family = pytest.mark.parametrize("family", FAMILIES)


@pytest.mark.parametrize(
    ("family", "method"),
    [
        *((family, method) for family in FAMILIES for method in ("full", "qlora", "dora")),
        # LoRA with another scale, which no family sees.
        *((family, "rslora") for family in ("llama", "gpt2")),
    ],
)
def test_a_method_learns_and_its_model_answers_the_same_when_reloaded(
    family: str, method: str, base: Path, order: Order
) -> None:
    spec = order(method=method)

    metrics = train(spec, lambda line: None)

    output = TrainingOutput(spec.output)
    assert metrics.validation_bits_per_byte is not None
    assert metrics.base_validation_bits_per_byte is not None
    assert metrics.validation_bits_per_byte < metrics.base_validation_bits_per_byte
    assert check_answers(output.model, base, AUTHOR_NAME, Probes.load(output.probes)).deviation < 1e-4


@each_family
def test_an_adapter_is_on_every_linear_layer_but_the_output(family: str, adapted: dict[str, TrainingSpec]) -> None:
    config = json.loads((TrainingOutput(adapted[family].output).model / "adapter_config.json").read_text())

    assert "lm_head" not in config["target_modules"]
    assert len(config["target_modules"]) >= 4


@pytest.mark.parametrize("family", ["gpt_oss"])
def test_an_adapter_leaves_the_experts_of_a_mixture_as_they_are(family: str, adapted: dict[str, TrainingSpec]) -> None:
    config = json.loads((TrainingOutput(adapted[family].output).model / "adapter_config.json").read_text())

    # Its experts and its router are tensors of their own, no linear layers.
    adapted_layers = {name.rpartition(".")[2] for name in config["target_modules"]}
    assert adapted_layers == {"q_proj", "k_proj", "v_proj", "o_proj"}


@each_family
def test_the_registry_gives_back_the_model_that_was_trained(
    family: str, base: Path, adapted: dict[str, TrainingSpec], registry: Registry, tmp_path: Path
) -> None:
    output = TrainingOutput(adapted[family].output)
    with registry.run("ada", name=family, tags={}, dataset_digest="d") as run:
        model = run.register(output.model, {}, {})

    found = verify(registry, "ada", model, output.probes, base, AUTHOR_NAME, tmp_path)

    assert found.deviation < 1e-4


@each_family
def test_the_merged_model_answers_as_base_and_adapter_do(
    family: str, base: Path, adapted: dict[str, TrainingSpec], tmp_path: Path
) -> None:
    deviation = merge(TrainingOutput(adapted[family].output).model, base, tmp_path / "merged", AUTHOR_NAME)

    assert deviation < 1e-3
    assert not (tmp_path / "merged" / "adapter_config.json").exists()
    assert {file.suffix for file in (tmp_path / "merged").iterdir()} <= {".safetensors", ".json", ".jinja"}
