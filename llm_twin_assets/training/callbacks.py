"""Watches a running trainer: progress lines, the loss history, and a stop when the loss is no longer a number."""

import math
from typing import TYPE_CHECKING

from llm_twin_assets.training.errors import ExitCode, TrainingError
from llm_twin_assets.training.progress import Pace, Report
from llm_twin_assets.training.spec import LossPoint

if TYPE_CHECKING:
    from transformers import TrainerCallback, TrainerControl, TrainerState


class Watch:
    """What is known of a training while it runs; a resumed one knows what was before."""

    def __init__(self, report: Report) -> None:
        self.train: list[LossPoint] = []
        self.validation: list[LossPoint] = []
        self.bits_per_byte: list[LossPoint] = []
        self.tokens = 0
        self.resumed_at = 0
        self.tokens_before = 0
        self._report = report
        self._pace: Pace | None = None

    @staticmethod
    def diverged(step: int, setting: str = "learning_rate") -> TrainingError:
        """The error for a loss that is infinite or not a number."""
        return TrainingError(
            f"the loss is not a finite number after step {step}",
            mend=f"Lower training.{setting} in twin.yaml.",
            code=ExitCode.DIVERGED,
        )

    def callback(self) -> "TrainerCallback":
        """The same, as transformers' Trainer takes it."""
        # Defined here, as its base class draws in torch.
        from transformers import TrainerCallback

        watch = self

        class _Callback(TrainerCallback):  # type: ignore[misc]
            def on_train_begin(self, _args: object, state: "TrainerState", *_: object, **_more: object) -> None:
                watch.start(state.max_steps, state.global_step, state.log_history)

            def on_step_end(self, _args: object, state: "TrainerState", *_: object, **_more: object) -> None:
                watch.step(state.global_step)

            def on_log(
                self, _args: object, state: "TrainerState", *_: object, logs: dict[str, float], **_more: object
            ) -> None:
                watch.log(state.global_step, logs)

        return _Callback()

    def start(self, steps: int, done: int, history: list[dict[str, float]]) -> None:
        """The training begins, or goes on after so many steps, and will take so many."""
        if done:
            for logs in history:
                self.log(int(logs["step"]), logs)
            self.resumed_at = done
            self.tokens_before = self.tokens
        self._pace = Pace(self._report, steps, done)

    def step(self, done: int) -> None:
        """A step is done."""
        if self._pace:
            self._pace.step(done, self.train[-1].loss if self.train else None, self.tokens - self.tokens_before)

    def log(self, step: int, logs: dict[str, float]) -> None:
        """The trainer has something to say; before the first step that is the base's validation loss."""
        # TRL counts from the start of the process.
        self.tokens = self.tokens_before + int(logs.get("num_tokens", self.tokens - self.tokens_before))
        if "loss" in logs:
            if not math.isfinite(logs["loss"]):
                raise self.diverged(step)
            self.train.append(LossPoint(step=step, loss=logs["loss"]))
        if "eval_loss" in logs and step > 0:
            self.validation.append(LossPoint(step=step, loss=logs["eval_loss"]))
            if "eval_bits_per_byte" in logs:
                self.bits_per_byte.append(LossPoint(step=step, loss=logs["eval_bits_per_byte"]))


def last_evaluation() -> "TrainerCallback":
    """Evaluates after the last step, too, wherever the regular evaluations fall."""
    from transformers import TrainerCallback

    class _LastEvaluation(TrainerCallback):  # type: ignore[misc]
        def on_step_end(self, _args: object, state: "TrainerState", control: "TrainerControl", **_more: object) -> None:
            if state.global_step >= state.max_steps:
                control.should_evaluate = True

    return _LastEvaluation()
