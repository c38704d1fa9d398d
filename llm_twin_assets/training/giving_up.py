"""A trial that is worse than most before it is not trained to its end: the median rule of Golovin et al., KDD 2017.

The rule is here and not in the study, as every process of a training has to come to the same conclusion at the same
step, and only the first one can be asked to look into a study.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import TrainerCallback, TrainerControl, TrainerState

_MEASURE = "eval_bits_per_byte"


def is_hopeless(found: Sequence[float], limits: Sequence[float]) -> bool:
    """Whether the best of these evaluations, in their order, is above the limit of the last one's place."""
    return 0 < len(found) <= len(limits) and min(found) > limits[len(found) - 1]


class GivingUp:
    """Stops a training at the first evaluation that says it is hopeless; `happened` tells of it."""

    def __init__(self, limits: Sequence[float]) -> None:
        self.happened = False
        self._limits = limits

    def callback(self) -> "TrainerCallback":
        """The same, as transformers' Trainer takes it."""
        # Defined here, as its base class draws in torch.
        from transformers import TrainerCallback

        rule = self

        class _Callback(TrainerCallback):  # type: ignore[misc]
            def on_evaluate(
                self, _args: object, state: "TrainerState", control: "TrainerControl", **_more: object
            ) -> None:
                if 0 < state.global_step < state.max_steps and rule.look(state.log_history):
                    control.should_training_stop = True

        return _Callback()

    def look(self, history: Sequence[dict[str, float]]) -> bool:
        """Judge by all that the trainer has logged, so that a resumed training knows what was before."""
        found = [float(logs[_MEASURE]) for logs in history if _MEASURE in logs and logs.get("step", 0) > 0]
        self.happened = is_hopeless(found, self._limits)
        return self.happened
