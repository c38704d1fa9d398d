"""TRL's trainer as it is used here. Only a training process imports this module: it draws in torch and TRL."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datasets import Dataset
from transformers import EarlyStoppingCallback, set_seed
from transformers.trainer_callback import PrinterCallback
from trl import SFTConfig, SFTTrainer
from trl.trainer.sft_trainer import DataCollatorForLanguageModeling

from llm_twin_assets.domain.bits_per_byte import bits_per_byte
from llm_twin_assets.training.answer_head import score_answers_alone
from llm_twin_assets.training.callbacks import last_evaluation
from llm_twin_assets.training.distributed import uses_every_weight
from llm_twin_assets.training.encoding import Encoded, EncodedSample
from llm_twin_assets.training.hardware import Hardware
from llm_twin_assets.training.methods import adapter_config, train_in_float32
from llm_twin_assets.training.packing import Rows
from llm_twin_assets.training.plan import TrainingPlan

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


class AnswerTrainer(SFTTrainer):  # type: ignore[misc]
    """Learns answers, and measures exactly what the validation split's cost: in nats a token, and in bits a byte."""

    aux_loss_enabled: bool
    data_collator: object

    def __init__(self, *, validation: Encoded, **options: object) -> None:
        self._validation = validation
        super().__init__(**options)
        self._padding_collator = DataCollatorForLanguageModeling(pad_token_id=self._tokenizer.pad_token_id)

    def compute_loss(
        self,
        model: "PreTrainedModel",
        inputs: dict[str, "Tensor"],
        return_outputs: bool = False,
        num_items_in_batch: "Tensor | int | None" = None,
    ) -> object:
        """In evaluation the nats of the whole batch by sample, so that the mean over samples loses nothing.

        The mean of means over tokens, which is transformers' own, weighs a token of a short answer more.
        """
        if not self.model.training:
            devices = self.accelerator.num_processes if self.args.average_tokens_across_devices else 1
            num_items_in_batch = len(inputs["input_ids"]) * devices
        return super().compute_loss(model, inputs, return_outputs, num_items_in_batch)

    def evaluation_loop(self, *arguments: object, metric_key_prefix: str = "eval", **options: object) -> object:
        """As transformers does it, then from nats a sample to nats a token and bits a byte."""
        # What keeps a mixture's experts evenly busy is no part of what an answer costs.
        balances, self.aux_loss_enabled = self.aux_loss_enabled, False
        try:
            output = super().evaluation_loop(*arguments, metric_key_prefix=metric_key_prefix, **options)
        finally:
            self.aux_loss_enabled = balances
        nats = output.metrics[f"{metric_key_prefix}_loss"] * len(self._validation.samples)
        output.metrics[f"{metric_key_prefix}_loss"] = nats / self._validation.learned
        output.metrics[f"{metric_key_prefix}_bits_per_byte"] = bits_per_byte(nats, max(1, self._validation.size))
        return output

    def create_model_card(self, *_arguments: object, **_options: object) -> None:
        """None: TRL writes one with every checkpoint, which nobody reads; the registry says what is to be known."""

    def get_eval_dataloader(self, eval_dataset: object = None) -> object:
        """Padded also where training is packed: a batch has to show how many samples it holds."""
        own: object = self.data_collator
        self.data_collator = self._padding_collator
        try:
            return super().get_eval_dataloader(eval_dataset)
        finally:
            self.data_collator = own


def make_trainer(
    model: "PreTrainedModel",
    plan: TrainingPlan,
    rows: Rows,
    validation: Encoded,
    tokenizer: "PreTrainedTokenizerBase",
    checkpoints: Path,
    hardware: Hardware,
) -> AnswerTrainer:
    """A trainer that is ready to start; its checkpoints go below a folder."""
    set_seed(plan.seed)  # an adapter begins with random numbers
    has_validation = bool(validation.samples)
    trainer = AnswerTrainer(
        validation=validation,
        model=model,
        args=_arguments(
            plan, rows, checkpoints, hardware, has_validation=has_validation, uses_all=uses_every_weight(model)
        ),
        train_dataset=Dataset.from_list(rows.train),
        eval_dataset=_dataset(validation.samples) if has_validation else None,
        processing_class=tokenizer,
        peft_config=adapter_config(plan),
    )
    if hardware.device == "cpu":
        score_answers_alone(model)
    train_in_float32(trainer.model)
    trainer.remove_callback(PrinterCallback)
    if has_validation:
        trainer.add_callback(last_evaluation())
        if plan.patience is not None:
            trainer.add_callback(EarlyStoppingCallback(early_stopping_patience=plan.patience))
    return trainer


def common_arguments(plan: TrainingPlan, checkpoints: Path, hardware: Hardware) -> dict[str, Any]:
    """What every stage of a training asks of transformers' trainer."""
    return {
        "output_dir": str(checkpoints),
        "max_steps": plan.max_steps,
        "gradient_checkpointing": plan.gradient_checkpointing,
        "lr_scheduler_type": "cosine",
        "warmup_steps": plan.warmup_share,  # below 1 it is a share of all steps
        "weight_decay": plan.weight_decay,
        "adam_epsilon": plan.adam_epsilon,
        "max_length": plan.max_length,
        "use_cpu": hardware.device == "cpu",
        "bf16": hardware.precision == "bfloat16",  # TRL's default is True, whatever the processor can do
        "fp16": hardware.precision == "float16",
        "dataloader_pin_memory": hardware.device == "cuda",
        "seed": plan.seed,
        "data_seed": plan.seed,
        "full_determinism": plan.deterministic,
        "save_strategy": "steps",
        "save_steps": _interval(plan),
        "save_total_limit": 2,  # a newest one that is damaged has one before it
        "restore_callback_states_from_checkpoint": True,
        "logging_steps": 0.02,
        "logging_first_step": True,
        "logging_nan_inf_filter": False,  # or a diverged run would report the mean of its good steps
        "report_to": "none",
        "disable_tqdm": True,
    }


def _interval(plan: TrainingPlan) -> float:
    """Share of all steps between two checkpoints; below 1, for transformers takes a 1 for every single step."""
    return min(1 / plan.checkpoints, 1 - 1e-9)


def _arguments(
    plan: TrainingPlan, rows: Rows, checkpoints: Path, hardware: Hardware, *, has_validation: bool, uses_all: bool
) -> SFTConfig:
    stops_early = has_validation and plan.patience is not None
    return SFTConfig(
        **common_arguments(plan, checkpoints, hardware),
        learning_rate=plan.learning_rate,
        num_train_epochs=plan.epochs,
        per_device_train_batch_size=rows.per_device,
        per_device_eval_batch_size=plan.micro_batch_size,
        gradient_accumulation_steps=max(1, rows.per_step // (rows.per_device * hardware.processes)),
        neftune_noise_alpha=plan.neftune_alpha,
        ddp_find_unused_parameters=False if uses_all else None,  # None leaves it to transformers
        packing=rows.is_packed,
        eval_packing=False,
        dataset_kwargs={"skip_prepare_dataset": True},
        completion_only_loss=True,
        eval_strategy="steps" if has_validation else "no",
        eval_steps=_interval(plan) if has_validation else None,
        load_best_model_at_end=stops_early,
        metric_for_best_model="eval_bits_per_byte" if stops_early else None,
        greater_is_better=False if stops_early else None,
    )


def _dataset(samples: Sequence[EncodedSample]) -> Dataset:
    return Dataset.from_list([{"input_ids": sample.input_ids, "labels": sample.labels} for sample in samples])
