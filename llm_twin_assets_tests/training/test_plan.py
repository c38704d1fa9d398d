from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_twin_assets.training.plan import TrainingPlan, context_length, plan, plan_for, size_class
from resources.bases import parameter_count
from resources.training_settings import Training


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        (6_200_000, "tiny"),
        (50_000_000, "small"),
        (3_000_000_000, "medium"),
        (7_600_000_000, "medium"),
        (8 * 10**9, "large"),
    ],
)
def test_a_base_belongs_to_a_size_class(parameters: int, expected: str) -> None:
    assert size_class(parameters) == expected


def test_every_value_says_where_it_comes_from() -> None:
    chosen = plan(Training(learning_rate=3e-4), parameters=6_000_000, context=1024)

    assert chosen.origins["learning_rate"] == "twin.yaml"
    assert chosen.origins["lora_rank"] == "default for lora on <50M"
    assert set(chosen.model_dump(exclude={"origins"})) == set(chosen.origins)


def test_what_twin_yaml_sets_overrides_the_default() -> None:
    chosen = plan(
        Training(learning_rate=3e-4, epochs=2, batch_size=3, lora_rank=5, max_length=99), parameters=10**9, context=1024
    )

    assert (chosen.learning_rate, chosen.epochs, chosen.batch_size, chosen.lora_rank, chosen.max_length) == (
        3e-4,
        2,
        3,
        5,
        99,
    )
    assert chosen.lora_alpha == 10


def test_a_tiny_base_takes_one_sample_at_a_time_and_in_full_two_epochs() -> None:
    adapter, full = (plan(Training(method=method), parameters=6_000_000, context=1024) for method in ("lora", "full"))

    assert (full.micro_batch_size, full.accumulation_steps, full.epochs, full.adam_epsilon) == (1, 2, 2, 1e-5)
    assert (adapter.micro_batch_size, adapter.epochs, adapter.adam_epsilon) == (1, 3, 1e-8)


def test_larger_bases_get_smaller_rates() -> None:
    sizes = (6_000_000, 500_000_000, 7_000_000_000, 70_000_000_000)
    for method in ("lora", "dora", "full"):
        rates = [plan(Training(method=method), parameters=size, context=None).learning_rate for size in sizes]
        assert rates == sorted(rates, reverse=True)


def test_full_training_has_no_adapter_parameters() -> None:
    chosen = plan(Training(method="full"), parameters=6_000_000, context=None)

    assert (chosen.lora_rank, chosen.lora_alpha, chosen.lora_dropout) == (None, None, None)
    assert "lora_rank" not in chosen.origins or chosen.origins["lora_rank"]


def test_a_sample_is_never_longer_than_the_base_can_read() -> None:
    chosen = plan(Training(max_length=4096), parameters=6_000_000, context=512)

    assert chosen.max_length == 512
    assert chosen.origins["max_length"] == "context of the base"


@given(st.integers(1, 64), st.sampled_from([10**6, 10**8, 3 * 10**9, 10**10]))
def test_micro_batches_make_up_the_batch(batch_size: int, parameters: int) -> None:
    chosen = plan(Training(batch_size=batch_size), parameters=parameters, context=None)

    assert chosen.micro_batch_size * chosen.accumulation_steps == batch_size


def test_the_digest_is_of_the_values_not_of_their_origins() -> None:
    default = plan(Training(), parameters=6_000_000, context=None)
    said = plan(Training(learning_rate=default.learning_rate), parameters=6_000_001, context=None)
    other = plan(Training(learning_rate=1e-4), parameters=6_000_000, context=None)

    assert default.origins != said.origins
    assert default.digest == said.digest
    assert default.digest != other.digest


def test_a_plan_survives_json() -> None:
    chosen = plan(Training(), parameters=6_000_000, context=1024)

    assert TrainingPlan.model_validate_json(chosen.model_dump_json()).digest == chosen.digest


def test_parameters_and_context_are_read_from_the_base_folder(llama: Path, gpt2: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(llama, dtype=torch.float32)
    assert parameter_count(llama) == model.num_parameters()
    assert context_length(llama) == context_length(gpt2) == 128
    assert plan_for(llama, Training()).max_length == 128
