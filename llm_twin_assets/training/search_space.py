"""Which parameters a search tries, and between which bounds: around the plan that there would be without it."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from llm_twin_assets.training.plan import TrainingPlan, plan_for
from resources.training_settings import Training

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

Parameters: TypeAlias = Mapping[str, int | float]

# Powers of two on either side of the default, and a decade of learning rates.
_DOUBLINGS = 2
_DECADE = 10.0
_POWERS = ("batch_size", "lora_rank")


class SearchSpace:
    """The parameters of a training that twin.yaml leaves open."""

    def __init__(self, base: Path, training: Training) -> None:
        self._base = base
        self._training = training
        self._default = self.plan({})
        self.names = tuple(name for name in self._candidates() if getattr(training, name) is None)

    @property
    def defaults(self) -> Parameters:
        """What would be taken without a search."""
        return {name: getattr(self._default, name) for name in self.names}

    def plan(self, values: Parameters, origin: str = "search") -> TrainingPlan:
        """The plan with these values, all that follows from them (micro-batches, alpha) included."""
        chosen = plan_for(self._base, self._training.model_copy(update=dict(values)))
        return chosen.model_copy(update={"origins": {**chosen.origins, **dict.fromkeys(values, origin)}})

    def inside(self, values: Parameters) -> Parameters:
        """Those of another search's values that this one could have tried."""
        bounds = self._candidates()
        return {name: value for name, value in values.items() if name in self.names and _is_in(name, value, bounds)}

    def distributions(self) -> "dict[str, BaseDistribution]":
        """The space as Optuna takes it."""
        from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

        bounds = self._candidates()
        made: dict[str, BaseDistribution] = {}
        for name in self.names:
            low, high = bounds[name]
            if name == "learning_rate":
                made[name] = FloatDistribution(low, high, log=True)
            elif name in _POWERS:
                made[name] = CategoricalDistribution(_powers_of_two(low, high))
            else:
                made[name] = IntDistribution(int(low), int(high))
        return made

    def _candidates(self) -> dict[str, tuple[float, float]]:
        """Lower and upper bound of everything that could be searched with this method."""
        plan, around = self._default, 2**_DOUBLINGS
        bounds = {
            "learning_rate": (plan.learning_rate / _DECADE, plan.learning_rate * _DECADE),
            "batch_size": (max(1, plan.batch_size // around), plan.batch_size * around),
        }
        if plan.lora_rank:
            bounds["lora_rank"] = (max(1, plan.lora_rank // around), plan.lora_rank * around)
        if plan.max_steps < 0:
            bounds["epochs"] = (1, max(1, round(2 * plan.epochs)))
        return bounds


def _is_in(name: str, value: float, bounds: Mapping[str, tuple[float, float]]) -> bool:
    low, high = bounds[name]
    return value in _powers_of_two(low, high) if name in _POWERS else low <= value <= high


def _powers_of_two(low: float, high: float) -> list[int]:
    return [2**power for power in range(int(high).bit_length()) if low <= 2**power <= high]
