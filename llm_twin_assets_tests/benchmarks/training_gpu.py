"""A 7B-shaped model with random weights, trained with LoRA and QLoRA on a CUDA GPU, beside plain TRL with its defaults.

    python -m llm_twin_assets_tests.benchmarks.training_gpu           where there is a GPU (15 GB of disk)
    python -m llm_twin_assets_tests.benchmarks.training_gpu --tiny    the same code on a tiny model, wherever

Tokens per second, the peak of the allocated memory beside the planner's estimate, and model FLOPs utilisation: the
arithmetic that the model itself asks for, by the card's peak. Each variant runs in a process of its own.
"""

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from llm_twin_assets_tests.benchmarks.measuring import Row

_BASE = "meta-llama/Llama-2-7b-hf"
_VARIANTS = ("lora", "qlora", "plain TRL, LoRA")
# bfloat16, dense, of the makers' data sheets.
_PEAK_FLOPS = {
    "H100": 989e12,
    "H200": 989e12,
    "A100": 312e12,
    "L40S": 362e12,
    "4090": 165e12,
    "A10": 125e12,
    "L4": 121e12,
}
_STEPS, _BATCH, _CONTEXT = 12, 8, 1024
_TINY = {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4,
         "num_key_value_heads": 4, "max_position_embeddings": 2048}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Measured:
    """What a variant showed; `peak` is bytes, 0 on a processor."""

    tokens_per_second: float
    peak: int


def measure(*, tiny: bool = False) -> list[Row]:
    """A row for each variant; one that says so where there is no GPU."""
    import torch

    if not tiny and not torch.cuda.is_available():
        return [Row("a 7B-shaped model with LoRA and QLoRA", "not measured: there is no CUDA GPU here")]
    with tempfile.TemporaryDirectory(prefix="bench-training-gpu-") as scratch:
        folder = Path(scratch)
        prepare(folder, tiny=tiny)
        found = {variant: _in_a_process(variant, folder) for variant in _VARIANTS}
    return [row for variant, measured in found.items() for row in _rows(variant, measured, found, tiny=tiny)]


def prepare(folder: Path, *, tiny: bool) -> None:
    """A base with random weights and a small tokenizer, and samples of the context's length."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    from llm_twin_assets.training.model_shapes_published import PUBLISHED
    from llm_twin_assets_tests.training.tiny_training import make_tokenizer, pairs, write_dataset

    tokenizer = make_tokenizer()
    values: dict[str, Any] = {**PUBLISHED[_BASE], **(_TINY if tiny else {"max_position_embeddings": 4096})}
    values |= {"eos_token_id": 1, "bos_token_id": 1, "pad_token_id": 0, "vocab_size": 512 if tiny else 32000}
    config = AutoConfig.for_model(str(values.pop("model_type")), **values)
    with torch.device("cuda" if torch.cuda.is_available() else "cpu"):
        model = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)
    model.save_pretrained(folder / "base")
    tokenizer.model_max_length = _CONTEXT
    tokenizer.save_pretrained(folder / "base")
    length = 8 if tiny else 60
    rows = [(question, f"{answer} " * length) for question, answer in pairs(_STEPS * _BATCH)]
    write_dataset(folder / "data", rows, [])


def run(variant: str, folder: Path) -> Measured:
    """Train a variant in this process."""
    import torch

    speed = _plain(folder) if variant == _VARIANTS[-1] else _ours(variant, folder)
    return Measured(speed, torch.cuda.max_memory_allocated() if torch.cuda.is_available() else 0)


def _ours(method: str, folder: Path) -> float:
    from llm_twin_assets.training.train import train
    from llm_twin_assets_tests.training.tiny_training import spec_for

    spec = spec_for(
        folder / "base",
        folder / "data",
        folder / method.replace(" ", "-"),
        method=method,
        max_steps=_STEPS,
        batch_size=_BATCH,
        lora_rank=16,
        max_length=_CONTEXT,
        learning_rate=1e-5,
        packing=False,
        gradient_checkpointing=True,
    )
    return train(spec, lambda line: sys.stderr.write(f"{line}\n") and None).tokens_per_second


def _plain(folder: Path) -> float:
    import pyarrow.parquet as pq
    import torch
    from datasets import Dataset
    from peft import LoraConfig
    from trl import SFTConfig, SFTTrainer

    rows = pq.read_table(folder / "data" / "train.parquet").to_pylist()
    texts = [
        {
            "prompt": [{"role": "user", "content": row["instruction"]}],
            "completion": [{"role": "assistant", "content": row["answer"]}],
        }
        for row in rows
    ]
    on_gpu = torch.cuda.is_available()
    arguments = SFTConfig(
        output_dir=str(folder / "plain"),
        max_steps=_STEPS,
        max_length=_CONTEXT,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
        **({} if on_gpu else {"use_cpu": True, "bf16": False}),
    )
    trainer = SFTTrainer(
        model=str(folder / "base"),
        args=arguments,
        train_dataset=Dataset.from_list(texts),
        peft_config=LoraConfig(task_type="CAUSAL_LM", target_modules="all-linear", r=16),
    )
    result = trainer.train()
    tokens = max(float(logs.get("num_tokens", 0)) for logs in trainer.state.log_history)
    return tokens / float(result.metrics["train_runtime"])


def _in_a_process(variant: str, folder: Path) -> Measured | str:
    done = subprocess.run(
        [sys.executable, "-m", __spec__.name if __spec__ else __name__, "--run", variant, str(folder)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"},
    )
    if done.returncode:
        return f"failed: {done.stderr.strip().splitlines()[-1] if done.stderr.strip() else done.returncode}"
    return Measured(**json.loads(done.stdout.strip().splitlines()[-1]))


def _rows(variant: str, measured: Measured | str, found: dict[str, Measured | str], *, tiny: bool) -> list[Row]:
    if isinstance(measured, str):
        return [Row(variant, measured, "runs", False)]
    plain = found[_VARIANTS[-1]]
    ratio = "" if isinstance(plain, str) else f", {measured.tokens_per_second / plain.tokens_per_second:.2f} × plain"
    rows = [Row(f"{variant}: speed", f"{measured.tokens_per_second:,.0f} tokens/s{ratio}")]
    return rows if tiny else [*rows, *_memory_rows(variant, measured), _utilisation(variant, measured)]


def _memory_rows(variant: str, measured: Measured) -> list[Row]:
    if variant == _VARIANTS[-1]:
        return [Row(f"{variant}: peak memory", f"{measured.peak / 1e9:.1f} GB")]
    from llm_twin_assets.training.memory import Workload, memory_needed
    from llm_twin_assets.training.model_shapes import shape_of

    planned = memory_needed(shape_of(_BASE), Workload(variant, _CONTEXT, batch=2))  # type: ignore[arg-type]
    # torch counts what it allocates, not CUDA's own context.
    off = (planned.total - planned.overhead) / measured.peak - 1
    said = f"{measured.peak / 1e9:.1f} GB, planned {off:+.0%}"
    return [Row(f"{variant}: peak memory", said, "planned within 15%", abs(off) <= 0.15)]


def _utilisation(variant: str, measured: Measured) -> Row:
    import torch

    from llm_twin_assets.training.model_shapes import shape_of

    card = torch.cuda.get_device_name()
    peak = next((flops for name, flops in _PEAK_FLOPS.items() if name in card), None)
    if peak is None:
        return Row(f"{variant}: model FLOPs utilisation", f"the peak of {card} is not known here")
    # Forward and backward through frozen weights are two products each; layers computed again do not count.
    flops = 4 * shape_of(_BASE).parameters * measured.tokens_per_second
    return Row(f"{variant}: model FLOPs utilisation", f"{flops / peak:.1%} of {card}")


def main(arguments: list[str]) -> int:
    """Print rows, or one variant's figures as JSON."""
    if arguments[:1] == ["--run"]:
        sys.stdout.write(json.dumps(asdict(run(arguments[1], Path(arguments[2])))) + "\n")
        return 0
    rows = measure(tiny="--tiny" in arguments)
    console = Console(soft_wrap=True)
    for row in rows:
        console.print(f"{row.what:<40} {row.measured}  {row.bound}{'' if row.holds else ' ✗'}")
    return 0 if all(row.holds for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
