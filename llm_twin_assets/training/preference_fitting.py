"""The preference stage: DPO on pairs, or KTO on thumbs, from where the training on samples ended.

Only a training process imports this module: it draws in torch and TRL.
"""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datasets import Dataset
from transformers import AutoModelForCausalLM, Trainer, set_seed
from transformers.trainer_callback import PrinterCallback
from trl import DPOConfig, DPOTrainer, KTOConfig, KTOTrainer

from llm_twin_assets.inference.models import control_tokens
from llm_twin_assets.inference.prompts import Message, messages, without_tokens
from llm_twin_assets.training.callbacks import Watch
from llm_twin_assets.training.checkpoints import Checkpoints
from llm_twin_assets.training.errors import ExitCode, TrainingError
from llm_twin_assets.training.hardware import Hardware
from llm_twin_assets.training.methods import load_base, train_in_float32
from llm_twin_assets.training.preferences import Preferences
from llm_twin_assets.training.progress import Report
from llm_twin_assets.training.resuming import resume_point
from llm_twin_assets.training.spec import PreferenceMetrics, TrainingSpec
from llm_twin_assets.training.trainer import common_arguments

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

_REFERENCE = "ref"  # what TRL calls its frozen copy of an adapter


def fit_preferences(
    spec: TrainingSpec,
    preferences: Preferences,
    trained: Path,
    tokenizer: "PreTrainedTokenizerBase",
    checkpoints: Checkpoints,
    hardware: Hardware,
    report: Report,
) -> tuple[Trainer, PreferenceMetrics]:
    """Train on, from the model in the folder `trained`; the trainer then holds the weights to keep."""
    watch = Watch(report)
    trainer = make_preference_trainer(spec, preferences, trained, tokenizer, checkpoints, hardware)
    trainer.add_callback(watch.callback())
    kept = len(trainer.train_dataset)
    report(f"learning from {kept} {'pairs' if preferences.method == 'dpo' else 'thumbs'} by {preferences.method}")
    result = trainer.train(resume_from_checkpoint=resume_point(trainer, checkpoints, preferences.method, report))
    if not math.isfinite(result.training_loss):
        raise Watch.diverged(trainer.state.global_step, "preference.learning_rate")
    model = trainer.accelerator.unwrap_model(trainer.model, keep_fp32_wrapper=False)
    if _REFERENCE in getattr(model, "peft_config", {}):
        model.delete_adapter(_REFERENCE)  # or it would be saved with the model
    shares = [logs["rewards/accuracies"] for logs in trainer.state.log_history if "rewards/accuracies" in logs]
    return trainer, PreferenceMetrics(
        method=preferences.method,
        samples=kept,
        samples_dropped=len(preferences.rows) - kept,
        steps=trainer.state.global_step,
        seconds=round(result.metrics["train_runtime"], 2),
        loss=result.training_loss,
        accuracy=shares[-1] if shares else None,
    )


def make_preference_trainer(
    spec: TrainingSpec,
    preferences: Preferences,
    trained: Path,
    tokenizer: "PreTrainedTokenizerBase",
    checkpoints: Checkpoints,
    hardware: Hardware,
) -> Trainer:
    """A trainer that is ready to start. Its reference is the model that it starts from."""
    set_seed(spec.plan.seed)
    model = load_trained(spec, trained, hardware)
    is_dpo = preferences.method == "dpo"
    arguments = _dpo if is_dpo else _kto
    try:
        trainer = (DPOTrainer if is_dpo else KTOTrainer)(
            model=model,
            args=arguments(spec, checkpoints.stage(preferences.method), hardware),
            train_dataset=Dataset.from_list(_rows(preferences, spec.author_name, tokenizer)),
            processing_class=tokenizer,
        )
    except (StopIteration, IndexError) as error:  # how TRL meets a dataset of which it has dropped every row
        raise _nothing_fits(spec) from error
    if len(trainer.train_dataset) == 0:
        raise _nothing_fits(spec)
    train_in_float32(trainer.model)
    _as_the_reference(trainer.model)
    trainer.remove_callback(PrinterCallback)
    return trainer


def load_trained(spec: TrainingSpec, trained: Path, hardware: Hardware) -> "PreTrainedModel":
    """What the training on samples has made, ready to be trained on."""
    import torch

    if spec.plan.method == "full":
        return AutoModelForCausalLM.from_pretrained(
            trained, dtype=torch.float32, use_safetensors=True, local_files_only=True
        )
    from peft import PeftModel

    return PeftModel.from_pretrained(load_base(spec, hardware), trained, is_trainable=True)


def _as_the_reference(model: "PreTrainedModel") -> None:
    """Undo what TRL's cast to bfloat16 rounded away, so that training begins at its own reference."""
    weights = dict(model.named_parameters())
    for name, parameter in weights.items():
        if ".default." in name and (reference := weights.get(name.replace(".default.", f".{_REFERENCE}."))) is not None:
            parameter.data.copy_(reference.data)


def _dpo(spec: TrainingSpec, folder: Path, hardware: Hardware) -> DPOConfig:
    batch = max(1, spec.plan.micro_batch_size // 2)  # a pair is two sequences
    return DPOConfig(
        **_arguments(spec, folder, hardware, batch),
        # In full training the reference would be a second copy of the model.
        precompute_ref_log_probs=spec.plan.method == "full",
    )


def _kto(spec: TrainingSpec, folder: Path, hardware: Hardware) -> KTOConfig:
    # Its KL term pairs each prompt with a neighbour's answer, so that it takes two.
    return KTOConfig(
        **_arguments(spec, folder, hardware, max(2, spec.plan.micro_batch_size)),
        precompute_ref_log_probs=spec.plan.method == "full",
    )


def _arguments(spec: TrainingSpec, folder: Path, hardware: Hardware, batch: int) -> dict[str, Any]:
    plan = spec.plan
    return common_arguments(plan, folder, hardware) | {
        "learning_rate": plan.preference_learning_rate,
        "num_train_epochs": plan.preference_epochs,
        "beta": plan.preference_beta,
        "per_device_train_batch_size": batch,
        "gradient_accumulation_steps": max(1, plan.batch_size // (batch * hardware.processes)),
        "eval_strategy": "no",
    }


def _rows(preferences: Preferences, author_name: str, tokenizer: "PreTrainedTokenizerBase") -> list[dict[str, object]]:
    special = list(control_tokens(tokenizer).values())

    def answer(text: object) -> list[Message]:
        return [{"role": "assistant", "content": without_tokens(str(text), special)}]

    return [
        {
            "prompt": messages(without_tokens(str(row["prompt"]), special), author_name=author_name),
            **{key: answer(row[key]) for key in ("chosen", "rejected", "completion") if key in row},
            **({"label": bool(row["label"])} if "label" in row else {}),
        }
        for row in preferences.rows
    ]


def _nothing_fits(spec: TrainingSpec) -> TrainingError:
    return TrainingError(
        f"no preference sample has a token of its answer within {spec.plan.max_length} tokens",
        where=str(spec.preference_folder),
        mend="Raise training.max_length in twin.yaml.",
        code=ExitCode.PREFERENCES,
    )
