"""Training beside a bare TRL script with the same settings, and packed beside unpacked: tokens per processor second.

Packed short samples are set against eight at once, padded, which is what TRL and transformers take by default, and
against one at a time, which is our own default on a processor: there is nothing left for packing to save there.

Tiny models on a processor; the settings take turns, so that whatever else the machine does meets them alike.
"""

import logging
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from llm_twin_assets_tests.benchmarks.measuring import Row

_ROUNDS = 2
_STEPS = 6
_AUTHOR = "Ada Example"
_WORDS = ("loom", "ferry", "delta", "count", "argue", "merge", "noon", "harbour", "slow", "thread", "cloth", "key")


def measure() -> list[Row]:
    """Ratios, each the median over rounds of one setting's speed by another's."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    import torch

    torch.set_num_threads(1)
    logging.getLogger("transformers").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory(prefix="bench-training-") as scratch:
        folder = Path(scratch)
        even = _by_turns({"ours": lambda: _ours(folder, 4, 40), "bare TRL": lambda: _bare(folder, 4, 40)})
        short = _by_turns(
            {
                "packed": lambda: _ours(folder, 16, 8, packing=True),
                "one at a time": lambda: _ours(folder, 16, 8, micro=1),
                "eight at once": lambda: _ours(folder, 16, 8, micro=8),
                "bare TRL, eight at once": lambda: _bare(folder, 16, 8, micro=8),
            }
        )
    speed = _ratio(even["ours"], even["bare TRL"])
    eight = _ratio(short["packed"], short["eight at once"])
    return [
        Row("tokens per second, of a bare TRL script's", f"{speed:.3f} ×", "≥ 0.98 ×", speed >= 0.98),
        Row("short samples packed, of eight at once", f"{eight:.2f} ×", "≥ 2 ×", eight >= 2),
        *(
            Row(f"short samples packed, of {name}", f"{_ratio(short['packed'], short[name]):.2f} ×")
            for name in ("one at a time", "bare TRL, eight at once")
        ),
        *(Row(name, f"{statistics.median(found):,.0f} tokens a processor second") for name, found in short.items()),
    ]


def _ratio(one: list[float], other: list[float]) -> float:
    return statistics.median(ours / theirs for ours, theirs in zip(one, other, strict=True))


def _by_turns(settings: Mapping[str, Callable[[], float]]) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {name: [] for name in settings}
    for number in range(_ROUNDS + 1):
        for name, run in settings.items():
            speed = run()
            if number:  # the first round warms up
                found[name].append(speed)
    return found


def _pairs(count: int, words: int, *, mixed: bool = False) -> list[tuple[str, str]]:
    """Questions and answers of around so many words; `mixed`: every eighth answer is twelve times as long."""

    def answer(number: int) -> str:
        length = words // 2 + number % words
        return " ".join(_WORDS[number * at % 12] for at in range(length * 12 if mixed and number % 8 == 0 else length))

    return [(f"On {_WORDS[number % 12]}?", answer(number)) for number in range(count)]


def _stopwatch() -> Any:
    """Processor time from a training's first step to its last: a busy machine does not change it as much."""
    from transformers import TrainerCallback

    class _Stopwatch(TrainerCallback):  # type: ignore[misc]
        seconds = 0.0

        def on_train_begin(self, *_: object, **_more: object) -> None:
            self.seconds = -time.process_time()

        def on_train_end(self, *_: object, **_more: object) -> None:
            self.seconds += time.process_time()

    return _Stopwatch()


def _plan(batch: int, micro: int, *, packing: bool) -> Any:
    from llm_twin_assets.training.plan import plan_for
    from resources.bases import find_base
    from resources.training_settings import Training

    settings = Training(max_steps=_STEPS, batch_size=batch, packing=packing, max_length=512)
    return plan_for(find_base("tiny-llama").folder, settings).model_copy(update={"micro_batch_size": micro})


def _base() -> tuple[Any, Any]:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils import logging as transformers_logging

    from resources.bases import find_base

    transformers_logging.disable_progress_bar()
    folder = find_base("tiny-llama").folder
    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32), AutoTokenizer.from_pretrained(folder)


def _ours(folder: Path, batch: int, words: int, *, packing: bool = False, micro: int = 2) -> float:
    from llm_twin_assets.training.callbacks import Watch
    from llm_twin_assets.training.checkpoints import marking
    from llm_twin_assets.training.encoding import Encoded, encode
    from llm_twin_assets.training.hardware import Hardware
    from llm_twin_assets.training.live_metrics import live_metrics
    from llm_twin_assets.training.packing import Rows
    from llm_twin_assets.training.trainer import make_trainer

    plan = _plan(batch, micro, packing=packing)
    model, tokenizer = _base()
    samples = encode(_pairs(_STEPS * batch, words, mixed=batch > 4), tokenizer, _AUTHOR, plan.max_length).samples
    rows = Rows.laid_out(samples, plan, packing=packing)
    trainer = make_trainer(model, plan, rows, Encoded(()), tokenizer, folder / "ours", Hardware.here())
    watch = _stopwatch()
    for callback in (Watch(lambda line: None).callback(), marking(), live_metrics(folder), watch):
        trainer.add_callback(callback)
    trainer.train()
    return _learned_tokens(trainer, sum(len(sample.input_ids) for sample in samples)) / watch.seconds


def _bare(folder: Path, batch: int, words: int, *, micro: int = 2) -> float:
    """What a person would write by hand, with the very same arguments."""
    from datasets import Dataset
    from transformers.trainer_callback import PrinterCallback
    from trl import SFTConfig, SFTTrainer

    from llm_twin_assets.inference.prompts import messages
    from llm_twin_assets.training.hardware import Hardware
    from llm_twin_assets.training.methods import adapter_config
    from llm_twin_assets.training.trainer import common_arguments

    plan = _plan(batch, micro, packing=False)
    model, tokenizer = _base()
    pairs = _pairs(_STEPS * batch, words, mixed=batch > 4)
    trainer = SFTTrainer(
        model=model,
        args=SFTConfig(
            **common_arguments(plan, folder / "bare", Hardware.here()),
            learning_rate=plan.learning_rate,
            num_train_epochs=plan.epochs,
            per_device_train_batch_size=micro,
            gradient_accumulation_steps=batch // micro,
            completion_only_loss=True,
        ),
        train_dataset=Dataset.from_list(
            [
                {
                    "prompt": messages(question, author_name=_AUTHOR),
                    "completion": [{"role": "assistant", "content": answer}],
                }
                for question, answer in pairs
            ]
        ),
        processing_class=tokenizer,
        peft_config=adapter_config(plan),
    )
    watch = _stopwatch()
    trainer.add_callback(watch)
    trainer.remove_callback(PrinterCallback)
    trainer.train()
    return _learned_tokens(trainer, sum(len(row) for row in trainer.train_dataset["input_ids"])) / watch.seconds


def _learned_tokens(trainer: Any, all_tokens: int) -> float:
    """Tokens of the samples that were seen, without padding."""
    return all_tokens * float(trainer.state.epoch)
