"""Tiny random bases, tiny datasets and orders to train the one on the other, in seconds."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from llm_twin_assets.training.plan import TrainingPlan, plan_for
from llm_twin_assets.training.spec import TrainingSpec
from resources.training_settings import Training

AUTHOR_NAME = "Ada Example"
CHAT_TEMPLATE = (
    "{%- for message in messages -%}"
    "{{- '<|' + message['role'] + '|>' + message['content'] + '<|end|>' -}}"
    "{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{- '<|assistant|>' -}}{%- endif -%}"
)
SENTENCES = (
    "Looms weave threads into cloth",
    "A ferry leaves the harbour at noon",
    "Count it, then argue",
    "Delta Lake merges rows by key",
    "The slow one took four minutes",
)


def pairs(count: int) -> list[tuple[str, str]]:
    return [
        (f"Write about topic {number}.", f"{SENTENCES[number % 5]}. {SENTENCES[(number + 2) % 5]}. Number {number}.")
        for number in range(count)
    ]


def write_dataset(folder: Path, train: Sequence[tuple[str, str]], validation: Sequence[tuple[str, str]]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for split, rows in (("train", train), ("validation", validation)):
        table = pa.table(
            {
                "sample_id": pa.array([f"{split}-{number}" for number in range(len(rows))], pa.string()),
                "split": pa.array([split] * len(rows), pa.string()),
                "kind": pa.array(["topic"] * len(rows), pa.string()),
                "instruction": pa.array([row[0] for row in rows], pa.string()),
                "answer": pa.array([row[1] for row in rows], pa.string()),
                "document_id": pa.array(["d"] * len(rows), pa.string()),
                "start": pa.array([0] * len(rows), pa.int64()),
                "end": pa.array([len(row[1]) for row in rows], pa.int64()),
            }
        )
        pq.write_table(table, folder / f"{split}.parquet")
    return folder


def make_tokenizer(*, chat: bool = True, pad: bool = True, eos: bool = True) -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<|pad|>", "<|end|>", "<|system|>", "<|user|>", "<|assistant|>"]
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([*SENTENCES, *(question for question, _ in pairs(20))] * 3, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token="<|end|>" if eos else None,
        pad_token="<|pad|>" if pad else None,
        additional_special_tokens=special[2:],
        chat_template=CHAT_TEMPLATE if chat else None,
        model_max_length=128,
    )


def save_base(folder: Path, family: str = "llama", **tokenizer_options: bool) -> Path:
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

    tokenizer = make_tokenizer(**tokenizer_options)
    torch.manual_seed(0)
    ids = {"eos_token_id": 1, "pad_token_id": 0, "bos_token_id": 1}
    if family == "llama":
        config = LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=2,
            max_position_embeddings=128,
            tie_word_embeddings=True,
            **ids,
        )
        model: Any = LlamaForCausalLM(config)
    else:
        model = GPT2LMHeadModel(
            GPT2Config(vocab_size=len(tokenizer), n_embd=32, n_layer=2, n_head=2, n_positions=128, **ids)
        )
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def spec_for(base: Path, dataset: Path, output: Path, **training: Any) -> TrainingSpec:
    settings = Training.model_validate(
        {"learning_rate": 1e-2, "max_steps": 6, "batch_size": 4, "lora_rank": 4} | training
    )
    return TrainingSpec(
        base="tiny-test",
        base_folder=base,
        base_revision=None,
        dataset_folder=dataset,
        author_name=AUTHOR_NAME,
        plan=make_plan(base, settings),
        output=output,
    )


def make_plan(base: Path, settings: Training) -> TrainingPlan:
    return plan_for(base, settings)
