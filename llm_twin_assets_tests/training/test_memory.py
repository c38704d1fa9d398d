"""The estimate beside what others have measured or published, and beside a training that is traced tensor by tensor."""

from dataclasses import replace

import pytest
from shapes import first_qwen, shape
from traced_memory import kept_by_layers

from llm_twin_assets.training.memory import GB, Memory, Workload, layer_activations, memory_needed
from llm_twin_assets.training.model_shapes import ModelShape, counted

LLAMA_7B, LLAMA_70B = "meta-llama/Llama-2-7b-hf", "meta-llama/Llama-3.1-70B"
QWEN_14B, QWEN_32B = "Qwen/Qwen2.5-14B", "Qwen/Qwen2.5-32B"


def needed(model: ModelShape, **work: object) -> float:
    return memory_needed(model, Workload(**{"context": 1024, **work})).total / GB  # type: ignore[arg-type]


# LLaMA-Factory, README.md, "Hardware Requirement" (its own estimates): 7B, 14B, 30B and 70B. Rows LoRA, QLoRA in 4
# bits, and full training in mixed precision.
LLAMA_FACTORY = [
    (LLAMA_7B, 16, 6, 120),
    (QWEN_14B, 32, 12, 240),
    (QWEN_32B, 64, 24, 600),
    (LLAMA_70B, 160, 48, 1200),
]


@pytest.mark.parametrize(("base", "lora", "qlora", "full"), LLAMA_FACTORY)
def test_within_15_percent_of_llama_factorys_table(base: str, lora: int, qlora: int, full: int) -> None:
    assert needed(shape(base), method="lora") == pytest.approx(lora, rel=0.15)
    assert needed(shape(base), method="qlora") == pytest.approx(qlora, rel=0.15)
    assert needed(shape(base), method="full") == pytest.approx(full, rel=0.15)


# Qwen, README.md, "Profiling of Memory and Speed": measured on an A100-80GB with FlashAttention-2, batches of 1, LoRA
# of rank 64 on all linear layers, for 256, 512, 1024, 2048, 4096 and 8192 tokens. Its trainer held the whole logits.
QWEN = [
    ("7B", (20.1, 20.4, 21.5, 23.8, 29.7, 36.6)),
    ("14B", (34.6, 35.1, 35.3, 37.4, 42.5, 55.2)),
]


@pytest.mark.parametrize(("size", "measured"), QWEN)
def test_within_8_percent_of_qwens_measurements_at_every_length(size: str, measured: tuple[float, ...]) -> None:
    for power, found in enumerate(measured):
        work = {"method": "lora", "rank": 64, "context": 256 * 2**power, "fused_loss": False}
        assert needed(first_qwen(size), **work) == pytest.approx(found, rel=0.08)


def test_within_15_percent_of_unsloths_table_where_both_do_the_same() -> None:
    # docs.unsloth.ai, "Unsloth Requirements": "absolute minimum" by size. Its 7B to 14B in 4 bits (5, 6 and 8.5 GB) lie
    # below ours (6, 8 and 13): it keeps embeddings elsewhere, which weigh most in small models. Its 7B and 8B in 16
    # bits (19 and 22 GB) lie above ours (16 and 18), and above every other table.
    for base, lora in ((QWEN_14B, 33), (QWEN_32B, 76), (LLAMA_70B, 164)):
        assert needed(shape(base), method="lora") == pytest.approx(lora, rel=0.15)
    for base, qlora in ((QWEN_32B, 26), (LLAMA_70B, 41)):
        assert needed(shape(base), method="qlora") == pytest.approx(qlora, rel=0.15)


def test_a_65b_is_trained_in_48_gb_as_the_qlora_paper_says() -> None:
    # Dettmers et al., arXiv:2305.14314: rank 64 on all linear layers, one sample of 512 tokens, paged AdamW.
    llama = shape("huggyllama/llama-65b")
    work = {"method": "qlora", "rank": 64, "context": 512, "optimizer": "paged_adamw", "fused_loss": False}

    assert 40 < needed(llama, **work) < 48


def test_the_figures_of_the_issue_hold() -> None:
    assert 42 <= needed(shape(LLAMA_70B), method="qlora") <= 48
    assert 15 <= needed(shape(LLAMA_7B), method="lora") <= 16


def test_sharded_training_is_within_15_percent_of_ms_swifts_example() -> None:
    # modelscope/ms-swift, examples/train/long_text/liger_kernel.sh: Qwen2.5-7B in full, 16,384 tokens, ZeRO-3 on four
    # A100, 42 GB each.
    memory = memory_needed(shape("Qwen/Qwen2.5-7B"), Workload("full", 16384), "zero3", 4)

    assert memory.total / GB == pytest.approx(42, rel=0.15)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["lora", "full"])
def test_activations_are_within_15_percent_of_a_traced_training(method: str) -> None:
    config = {
        "model_type": "llama",
        "hidden_size": 512,
        "intermediate_size": 1408,
        "num_hidden_layers": 2,
        "num_attention_heads": 8,
        "num_key_value_heads": 2,
        "vocab_size": 256,
        "tie_word_embeddings": False,
    }
    work = Workload(method, context=320, rank=8, dropout=False)  # type: ignore[arg-type]

    traced = kept_by_layers(config, method, tokens=320, rank=8)

    assert 2 * layer_activations(counted("tiny", config), work) == pytest.approx(traced, rel=0.15)


def of(**work: object) -> Memory:
    return memory_needed(shape(LLAMA_7B), Workload(**{"method": "lora", "context": 2048, **work}))  # type: ignore[arg-type]


def test_what_is_kept_for_the_backward_pass_grows_with_what_is_read() -> None:
    assert of(checkpointing=False).activations > 10 * of().activations
    assert of(checkpointing=False, attention="eager").total > of(checkpointing=False).total + 20 * GB
    assert of(checkpointing=False, context=4096).activations == pytest.approx(2 * of(checkpointing=False).activations)
    assert of(method="dora", checkpointing=False).activations > of(checkpointing=False).activations


def test_the_whole_logits_of_a_large_vocabulary_outweigh_its_layers() -> None:
    gemma = shape("google/gemma-3-12b-pt")
    work = Workload("lora", context=8192, fused_loss=False)

    whole, tiled = memory_needed(gemma, work), memory_needed(gemma, replace(work, fused_loss=True))

    assert whole.logits > 25 * GB
    assert tiled.logits < 2 * GB


def test_optimizers_keep_32_or_8_bits_or_page_their_moments_out() -> None:
    wide, narrow, paged = (of(method="full", optimizer=name) for name in ("adamw", "adamw_8bit", "paged_adamw"))

    assert wide.optimizer == pytest.approx(4 * narrow.optimizer, rel=0.05)
    assert paged.optimizer == 0
    assert paged.host == wide.optimizer


@pytest.mark.parametrize("method", ["lora", "qlora"])
def test_an_adapter_learns_preferences_beside_a_frozen_copy_of_itself_alone(method: str) -> None:
    alone, held = of(method=method), of(method=method, preferences=True)

    assert held.adapter == 2 * alone.adapter > 0
    assert held.total - alone.total == alone.adapter


def test_a_full_training_learns_preferences_without_a_second_model() -> None:
    assert of(method="full", preferences=True) == of(method="full")


def test_four_bits_hold_the_linear_layers_alone() -> None:
    llama = shape(LLAMA_70B)
    quantized = memory_needed(llama, Workload("qlora", context=512)).weights

    assert quantized == pytest.approx(0.516 * llama.linear + 2 * (llama.parameters - llama.linear), rel=1e-3)


def test_fused_experts_stay_in_16_bits() -> None:
    experts = shape("openai/gpt-oss-20b")

    assert experts.experts > 0.9 * experts.parameters
    assert memory_needed(experts, Workload("qlora", context=512)).weights > 38 * GB


def test_sharding_divides_all_but_what_is_passing() -> None:
    work = Workload("full", context=1024)
    alone, shared = (memory_needed(shape(LLAMA_7B), work, "fsdp2", count) for count in (1, 8))

    for part in ("weights", "gradients", "optimizer"):
        assert getattr(alone, part) == pytest.approx(8 * getattr(shared, part))
    assert shared.buffers == alone.buffers
    assert shared.activations == alone.activations


def test_offloading_moves_weights_and_moments_to_the_machine() -> None:
    work = Workload("full", context=1024)
    kept, moved = (memory_needed(shape(LLAMA_7B), work, strategy, 4) for strategy in ("zero3", "zero3_offload"))

    assert (moved.weights, moved.optimizer) == (0, 0)
    assert moved.host > kept.weights
