"""The training itself: TRL's SFTTrainer on the answers' tokens, in full or through an adapter, for any family."""

import math
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llm_twin_assets.training import probes
from llm_twin_assets.training.callbacks import Watch
from llm_twin_assets.training.conversation import conversation, load_tokenizer
from llm_twin_assets.training.errors import ExitCode, TrainingError
from llm_twin_assets.training.hardware import Hardware
from llm_twin_assets.training.model_folder import tidy
from llm_twin_assets.training.plan import TrainingPlan
from llm_twin_assets.training.progress import Report
from llm_twin_assets.training.samples import Pair, Samples
from llm_twin_assets.training.spec import LossPoint, TrainingMetrics, TrainingOutput, TrainingSpec

if TYPE_CHECKING:
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import PreTrainedModel, PreTrainedTokenizerBase
    from trl import SFTConfig, SFTTrainer

_VERSIONS = ("accelerate", "peft", "torch", "transformers", "trl")


def fit(spec: TrainingSpec, samples: Samples, output: TrainingOutput, report: Report) -> TrainingMetrics:
    """Train, and write model, probes and metrics; raises `TrainingError` for what a person can mend."""
    import torch

    try:
        return _fit(spec, samples, output, report)
    except torch.OutOfMemoryError as error:
        raise TrainingError(
            f"out of memory: {str(error).splitlines()[0]}",
            mend="Lower training.batch_size or training.max_length, or take method lora or a smaller base.",
            code=ExitCode.MEMORY,
        ) from error


def _fit(spec: TrainingSpec, samples: Samples, output: TrainingOutput, report: Report) -> TrainingMetrics:
    _quieten()
    hardware = Hardware.here()
    tokenizer, notes = load_tokenizer(spec.base_folder, spec.author_name)
    for note in notes:
        report(note)
    watch = Watch(report)
    trainer = make_trainer(spec, samples, tokenizer, output.folder / "trainer", hardware)
    trainer.add_callback(watch.callback())
    kept = len(trainer.train_dataset)
    report(
        f"training {spec.base} ({spec.plan.method}) on {kept} samples, {_trainable(trainer.model):,} parameters, "
        f"{hardware.device}, {hardware.precision}"
    )
    has_validation = trainer.eval_dataset is not None
    before = trainer.evaluate() if has_validation else {}
    result = trainer.train()
    metrics = TrainingMetrics(
        steps=trainer.state.global_step,
        epochs=round(trainer.state.epoch or 0.0, 3),
        seconds=round(result.metrics["train_runtime"], 2),
        tokens=watch.tokens,
        tokens_per_second=round(watch.tokens / result.metrics["train_runtime"], 1),
        samples=kept,
        samples_cut=sum(len(ids) >= spec.plan.max_length for ids in trainer.train_dataset["input_ids"]),
        samples_dropped=len(samples.train) - kept,
        trainable_parameters=_trainable(trainer.model),
        train_loss=result.training_loss,
        base_validation_loss=before.get("eval_loss"),
        validation_loss=watch.validation[-1].loss if has_validation else None,
        train_history=tuple(watch.train),
        validation_history=(LossPoint(step=0, loss=before["eval_loss"]), *watch.validation) if has_validation else (),
        device=hardware.device,
        precision=hardware.precision,
        versions={name: version(name) for name in _VERSIONS},
        notes=tuple(notes),
    )
    _reject_divergence(metrics)
    _write(spec, trainer, tokenizer, output, metrics, hardware)
    return metrics


def make_trainer(
    spec: TrainingSpec, samples: Samples, tokenizer: "PreTrainedTokenizerBase", scratch: Path, hardware: Hardware
) -> "SFTTrainer":
    """A trainer that is ready to start, its datasets tokenized with only the answers' tokens as labels."""
    from transformers import set_seed
    from transformers.trainer_callback import PrinterCallback
    from trl import SFTTrainer

    set_seed(spec.plan.seed)
    special = list(tokenizer.all_special_tokens)
    validation = _dataset(samples.validation, spec.author_name, special) if samples.validation else None
    trainer = SFTTrainer(
        model=load_base(spec, hardware),
        args=_arguments(spec.plan, scratch, hardware, has_validation=validation is not None),
        train_dataset=_dataset(samples.train, spec.author_name, special),
        eval_dataset=validation,
        processing_class=tokenizer,
        peft_config=adapter_config(spec.plan),
    )
    trainer.remove_callback(PrinterCallback)
    if len(trainer.train_dataset) == 0:
        raise TrainingError(
            f"no sample has a token of its answer within {spec.plan.max_length} tokens",
            where=str(spec.dataset_folder),
            mend="Raise training.max_length in twin.yaml.",
            code=ExitCode.DATASET,
        )
    if trainer.eval_dataset is not None and len(trainer.eval_dataset) == 0:
        trainer.eval_dataset = None
        trainer.args.eval_strategy = "no"
    return trainer


def load_base(spec: TrainingSpec, hardware: Hardware) -> "PreTrainedModel":
    """The base's weights; what is trained is in float32, what an adapter leaves frozen in the hardware's precision."""
    import torch
    from safetensors import SafetensorError
    from transformers import AutoModelForCausalLM

    precision = "float32" if spec.plan.method == "full" else hardware.frozen_precision
    try:
        model, found = AutoModelForCausalLM.from_pretrained(
            spec.base_folder,
            dtype=getattr(torch, precision),
            use_safetensors=True,
            local_files_only=True,
            output_loading_info=True,
        )
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:  # missing, damaged or misshapen
        raise _unloadable(spec, str(error).split("\n", maxsplit=1)[0]) from error
    if missing := sorted(found["missing_keys"]):  # transformers would train on with random weights in their place
        raise _unloadable(spec, f"it lacks {len(missing)} weights, {missing[0]} among them")
    return model


def _unloadable(spec: TrainingSpec, why: str) -> TrainingError:
    return TrainingError(
        f"the base '{spec.base}' cannot be loaded: {why}",
        where=str(spec.base_folder),
        mend="Fetch it again, or name another in twin.yaml: training.base.",
        code=ExitCode.BASE,
    )


def adapter_config(plan: TrainingPlan) -> "LoraConfig | None":
    """LoRA or DoRA on every linear layer but the output's, which is all that families have in common."""
    if plan.method == "full":
        return None
    from peft import LoraConfig

    return LoraConfig(
        task_type="CAUSAL_LM",
        target_modules="all-linear",
        r=plan.lora_rank or 0,
        lora_alpha=plan.lora_alpha or 0,
        lora_dropout=plan.lora_dropout or 0.0,
        use_dora=plan.method == "dora",
    )


def _arguments(plan: TrainingPlan, scratch: Path, hardware: Hardware, *, has_validation: bool) -> "SFTConfig":
    from trl import SFTConfig

    return SFTConfig(
        output_dir=str(scratch),
        learning_rate=plan.learning_rate,
        num_train_epochs=plan.epochs,
        max_steps=plan.max_steps,
        per_device_train_batch_size=plan.micro_batch_size,
        per_device_eval_batch_size=plan.micro_batch_size,
        gradient_accumulation_steps=max(1, plan.accumulation_steps // hardware.processes),
        gradient_checkpointing=plan.gradient_checkpointing,
        lr_scheduler_type="cosine",
        warmup_steps=plan.warmup_share,  # below 1 it is a share of all steps
        weight_decay=plan.weight_decay,
        max_length=plan.max_length,
        packing=False,  # exact on some families only (DESIGN.md §7)
        completion_only_loss=True,
        use_cpu=hardware.device == "cpu",
        bf16=hardware.precision == "bfloat16",  # TRL's default is True, whatever the processor can do
        fp16=hardware.precision == "float16",
        dataloader_pin_memory=hardware.device == "cuda",
        seed=plan.seed,
        data_seed=plan.seed,
        eval_strategy="epoch" if has_validation else "no",
        save_strategy="no",
        logging_steps=0.02,
        logging_first_step=True,
        logging_nan_inf_filter=False,  # or a diverged run would report the mean of its good steps
        report_to="none",
        disable_tqdm=True,
    )


def _dataset(pairs: tuple[Pair, ...], author_name: str, special_tokens: list[str]) -> "Dataset":
    from datasets import Dataset

    return Dataset.from_list(
        [
            dict(conversation(instruction, answer, author_name=author_name, special_tokens=special_tokens))
            for instruction, answer in pairs
        ]
    )


def _write(
    spec: TrainingSpec,
    trainer: "SFTTrainer",
    tokenizer: "PreTrainedTokenizerBase",
    output: TrainingOutput,
    metrics: TrainingMetrics,
    hardware: Hardware,
) -> None:
    import shutil

    trainer.save_model(str(output.model))  # every process takes part: shards are gathered
    trainer.accelerator.wait_for_everyone()
    if not trainer.is_world_process_zero():
        return
    tokenizer.save_pretrained(output.model)
    tidy(output.model, base=spec.base, revision=spec.base_revision)
    model: Any = trainer.accelerator.unwrap_model(trainer.model, keep_fp32_wrapper=False)
    # Without the trainer's autocast, so in the precision of the weights.
    stored = "float32" if spec.plan.method == "full" else hardware.frozen_precision
    probes.take(model, tokenizer, spec.author_name, stored).save(output.probes)
    output.write_metrics(metrics)
    shutil.rmtree(output.folder / "trainer", ignore_errors=True)


def _reject_divergence(metrics: TrainingMetrics) -> None:
    losses = (metrics.train_loss, metrics.validation_loss or 0.0)
    if not all(math.isfinite(loss) for loss in losses):
        raise Watch.diverged(metrics.steps)


def _trainable(model: "PreTrainedModel") -> int:
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)


def _quieten() -> None:
    import warnings

    import datasets
    from transformers.utils import logging

    warnings.filterwarnings("ignore", category=FutureWarning)  # trl and transformers speak to each other, not to us
    datasets.disable_progress_bars()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
