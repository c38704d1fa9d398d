import json
from pathlib import Path

import pytest
from shapes import shape

from llm_twin_assets.training.errors import PlanError
from llm_twin_assets.training.model_shapes import shape_of
from llm_twin_assets.training.model_shapes_published import published
from resources.bases import parameter_count

# In billions, as the model cards have it.
OFFICIAL = {
    "meta-llama/Llama-2-7b-hf": 6.74,
    "meta-llama/Llama-2-13b-hf": 13.02,
    "meta-llama/Llama-2-70b-hf": 68.98,
    "meta-llama/Llama-3.1-8B": 8.03,
    "meta-llama/Llama-3.1-70B": 70.55,
    "mistralai/Mistral-7B-v0.1": 7.24,
    "Qwen/Qwen2.5-7B": 7.62,
    "Qwen/Qwen2.5-14B": 14.77,
    "Qwen/Qwen3-8B": 8.19,
    "Qwen/Qwen3-32B": 32.76,
    "google/gemma-2-27b": 27.23,
    "google/gemma-3-12b-pt": 11.77,
    "openai/gpt-oss-20b": 20.91,
    "openai/gpt-oss-120b": 116.83,
    "01-ai/Yi-34B": 34.39,
}


@pytest.mark.parametrize(("base", "billions"), OFFICIAL.items())
def test_published_shapes_have_the_parameters_that_their_cards_name(base: str, billions: float) -> None:
    assert shape(base).parameters / 1e9 == pytest.approx(billions, abs=0.006)


def test_a_folder_is_counted_as_its_weights_are(llama: Path, gpt2: Path) -> None:
    for folder in (llama, gpt2):
        assert shape_of(str(folder)).parameters == parameter_count(folder)


def test_an_adapter_has_as_many_weights_as_peft_gives_it(llama: Path, gpt2: Path) -> None:
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    for folder in (llama, gpt2):
        model = get_peft_model(
            AutoModelForCausalLM.from_pretrained(folder),
            LoraConfig(task_type="CAUSAL_LM", target_modules="all-linear", r=4),
        )
        assert shape_of(str(folder)).adapter(4) == model.get_nb_trainable_parameters()[0]


@pytest.mark.parametrize("name", ["meta-llama/llama-3.1-8b", "Llama-3.1-8B", "llama-3.1-8b-instruct"])
def test_a_published_model_is_found_by_any_of_its_names(name: str) -> None:
    assert published(name) == published("meta-llama/Llama-3.1-8B")


@pytest.mark.parametrize(
    ("size", "parameters"), [("0.5B", 0.5e9), ("7B", 7e9), ("14b", 14e9), ("30B", 30e9), ("70 B", 70e9)]
)
def test_a_size_alone_gives_a_llama_of_that_size(size: str, parameters: float) -> None:
    found = shape_of(size)

    assert found.parameters == pytest.approx(parameters, rel=0.02)
    assert found.hidden % 128 == 0


def test_the_shipped_base_is_known() -> None:
    assert 6e6 < shape_of("tiny-llama").parameters < 7e6


def test_an_unknown_base_says_what_could_be_named() -> None:
    with pytest.raises(PlanError, match=r"'nobody/nothing' is not known here: .*--base 30B.* Llama-2-7b-hf"):
        shape_of("nobody/nothing")


@pytest.mark.parametrize(
    ("content", "said"),
    [("{", "is not JSON"), ('{"model_type": "no-such"}', "no language model"), ("{}", "model_type")],
)
def test_a_config_that_says_nothing_is_an_error(content: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(content)

    with pytest.raises(PlanError, match=said):
        shape_of(str(tmp_path))


def test_the_language_part_of_a_model_that_sees_is_counted(tmp_path: Path) -> None:
    text = {key: value for key, value in dict(published("gemma-3-4b") or {}).items() if key != "model_type"}
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "gemma3", "text_config": text}))

    assert shape_of(str(tmp_path)).parameters == shape("google/gemma-3-4b-pt").parameters
