"""The training on samples: the answers are learned, the validation split is measured, the best weights are kept."""

import math
from importlib.metadata import version
from typing import TYPE_CHECKING

from llm_twin_assets.training.callbacks import Watch
from llm_twin_assets.training.checkpoints import Checkpoints
from llm_twin_assets.training.distributed import evaluate_base
from llm_twin_assets.training.encoding import Encoded, encode
from llm_twin_assets.training.errors import ExitCode, TrainingError
from llm_twin_assets.training.giving_up import GivingUp
from llm_twin_assets.training.hardware import Hardware
from llm_twin_assets.training.live_metrics import live_metrics
from llm_twin_assets.training.methods import frozen_precision, load_base, trainable_parameters
from llm_twin_assets.training.packing import Rows, why_not_packed
from llm_twin_assets.training.progress import Report
from llm_twin_assets.training.resuming import resume_point
from llm_twin_assets.training.samples import Samples
from llm_twin_assets.training.spec import LossPoint, TrainingMetrics, TrainingOutput, TrainingSpec
from llm_twin_assets.training.trainer import AnswerTrainer, make_trainer

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

STAGE = "samples"
_VERSIONS = ("accelerate", "peft", "torch", "transformers", "trl")


class SampleStage:
    """One training on samples."""

    def __init__(
        self,
        spec: TrainingSpec,
        samples: Samples,
        tokenizer: "PreTrainedTokenizerBase",
        notes: list[str],
        hardware: Hardware,
        checkpoints: Checkpoints,
        report: Report,
    ) -> None:
        self._spec = spec
        self._tokenizer = tokenizer
        self._hardware = hardware
        self._checkpoints = checkpoints
        self._report = report
        self._notes = notes
        self._giving_up = GivingUp(spec.limits)
        self._train = encode(samples.train, tokenizer, spec.author_name, spec.plan.max_length)
        self._validation = encode(samples.validation, tokenizer, spec.author_name, spec.plan.max_length)
        _require_samples(self._train, spec)

    def run(self) -> tuple[AnswerTrainer, TrainingMetrics]:
        """Train, from the newest checkpoint if there is one; the trainer then holds the weights to keep."""
        watch = Watch(self._report)
        trainer = self._trainer()
        trainer.add_callback(watch.callback())
        trainer.add_callback(self._giving_up.callback())
        trainer.add_callback(live_metrics(TrainingOutput(self._spec.output).partial))
        before = evaluate_base(trainer) if self._validation.samples else {}
        start = resume_point(trainer, self._checkpoints, STAGE, self._report)
        result = trainer.train(resume_from_checkpoint=start)
        metrics = self._metrics(trainer, watch, before, result.metrics["train_runtime"], result.training_loss)
        _reject_divergence(metrics)
        return trainer, metrics

    def _trainer(self) -> AnswerTrainer:
        spec, plan = self._spec, self._spec.plan
        model = load_base(spec, self._hardware)
        packing = plan.packing and self._packs(model)
        rows = Rows.laid_out(self._train.samples, plan, packing=packing)
        folder = self._checkpoints.stage(STAGE)
        trainer = make_trainer(model, plan, rows, self._validation, self._tokenizer, folder, self._hardware)
        in_rows = f" in {len(rows.train)} rows" if packing else ""
        self._report(
            f"training {spec.base} ({plan.method}) on {len(self._train.samples)} samples{in_rows}, "
            f"{trainable_parameters(trainer.model):,} parameters, {self._hardware.device}, {self._hardware.precision}"
        )
        return trainer

    def _packs(self, model: "PreTrainedModel") -> bool:
        why_not = why_not_packed(model, frozen_precision(self._spec.plan, self._hardware))
        if why_not:
            self._note(f"packing is off: {why_not}")
        return why_not is None

    def _note(self, note: str) -> None:
        self._notes.append(note)
        self._report(note)

    def _metrics(
        self, trainer: AnswerTrainer, watch: Watch, before: dict[str, float], seconds: float, train_loss: float
    ) -> TrainingMetrics:
        kept = _kept(watch, trainer)
        for count, said in (
            (self._train.cut, "samples are longer than the context and lost their end"),
            (self._train.dropped, "samples are left out: their question alone fills the context"),
            (self._train.shifted, "samples' prompts end in other tokens than serving's: see the chat template"),
        ):
            if count:
                self._note(f"{count} {said}")
        return TrainingMetrics(
            steps=trainer.state.global_step,
            epochs=round(trainer.state.epoch or 0.0, 3),
            seconds=round(seconds, 2),
            tokens=watch.tokens,
            tokens_per_second=round((watch.tokens - watch.tokens_before) / seconds, 1),
            samples=len(self._train.samples),
            samples_cut=self._train.cut,
            samples_dropped=self._train.dropped,
            trainable_parameters=trainable_parameters(trainer.model),
            train_loss=train_loss,
            base_validation_loss=before.get("eval_loss"),
            validation_loss=kept.get("eval_loss"),
            train_history=tuple(watch.train),
            validation_history=_from_base(before.get("eval_loss"), watch.validation),
            device=self._hardware.device,
            precision=self._hardware.precision,
            versions={name: version(name) for name in _VERSIONS},
            notes=tuple(self._notes),
            base_validation_bits_per_byte=before.get("eval_bits_per_byte"),
            validation_bits_per_byte=kept.get("eval_bits_per_byte"),
            bits_per_byte_history=_from_base(before.get("eval_bits_per_byte"), watch.bits_per_byte),
            packed=trainer.args.packing,
            resumed_at=watch.resumed_at,
            given_up=self._giving_up.happened,
        )


def _kept(watch: Watch, trainer: AnswerTrainer) -> dict[str, float]:
    """The evaluation of the weights that were kept: the best ones' where training may stop early, else the last's."""
    if not watch.validation:
        return {}
    best = trainer.state.best_global_step if trainer.args.load_best_model_at_end else None
    step = best or watch.validation[-1].step
    loss = next(point.loss for point in watch.validation if point.step == step)
    return {"eval_loss": loss, "eval_bits_per_byte": next(p.loss for p in watch.bits_per_byte if p.step == step)}


def _from_base(before: float | None, points: list[LossPoint]) -> tuple[LossPoint, ...]:
    return () if before is None else (LossPoint(step=0, loss=before), *points)


def _require_samples(encoded: Encoded, spec: TrainingSpec) -> None:
    if not encoded.samples:
        raise TrainingError(
            f"no sample has a token of its answer within {spec.plan.max_length} tokens",
            where=str(spec.dataset_folder),
            mend="Raise training.max_length in twin.yaml.",
            code=ExitCode.DATASET,
        )


def _reject_divergence(metrics: TrainingMetrics) -> None:
    losses = (metrics.train_loss, metrics.validation_loss or 0.0)
    if not all(math.isfinite(loss) for loss in losses):
        raise Watch.diverged(metrics.steps)
