"""Watches a running trainer: progress lines, the loss history, and a stop when the loss is no longer a number."""

import math
from typing import TYPE_CHECKING

from llm_twin_assets.training.errors import ExitCode, TrainingError
from llm_twin_assets.training.progress import Pace, Report
from llm_twin_assets.training.spec import LossPoint

if TYPE_CHECKING:
    from transformers import TrainerCallback, TrainerState


class Watch:
    """What is known of a training while it runs."""

    def __init__(self, report: Report) -> None:
        self.train: list[LossPoint] = []
        self.validation: list[LossPoint] = []
        self.tokens = 0
        self._report = report
        self._pace: Pace | None = None

    @staticmethod
    def diverged(step: int) -> TrainingError:
        """The error for a loss that is infinite or not a number."""
        return TrainingError(
            f"the loss is not a finite number after step {step}",
            mend="Lower training.learning_rate in twin.yaml.",
            code=ExitCode.DIVERGED,
        )

    def callback(self) -> "TrainerCallback":
        """The same, as transformers' Trainer takes it."""
        # Defined here, as its base class draws in torch.
        from transformers import TrainerCallback

        watch = self

        class _Callback(TrainerCallback):  # type: ignore[misc]
            def on_train_begin(self, _args: object, state: "TrainerState", *_: object, **_more: object) -> None:
                watch.start(state.max_steps)

            def on_step_end(self, _args: object, state: "TrainerState", *_: object, **_more: object) -> None:
                watch.step(state.global_step)

            def on_log(
                self, _args: object, state: "TrainerState", *_: object, logs: dict[str, float], **_more: object
            ) -> None:
                watch.log(state.global_step, logs)

        return _Callback()

    def start(self, steps: int) -> None:
        """The training begins and will take so many steps."""
        self._pace = Pace(self._report, steps)

    def step(self, done: int) -> None:
        """A step is done."""
        if self._pace:
            self._pace.step(done, self.train[-1].loss if self.train else None)

    def log(self, step: int, logs: dict[str, float]) -> None:
        """The trainer has something to say; before the first step that is the base's validation loss."""
        self.tokens = int(logs.get("num_tokens", self.tokens))
        if "loss" in logs:
            if not math.isfinite(logs["loss"]):
                raise self.diverged(step)
            self.train.append(LossPoint(step=step, loss=logs["loss"]))
        if "eval_loss" in logs and step > 0:
            self.validation.append(LossPoint(step=step, loss=logs["eval_loss"]))
