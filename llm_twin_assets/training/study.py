"""A search as it is stored: an Optuna study in a SQLite file, which a killed search goes on from."""

import math
import statistics
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from llm_twin_assets.training.search_space import Parameters, SearchSpace
from resources.errors import StorageError

if TYPE_CHECKING:
    from optuna.study import Study
    from optuna.trial import FrozenTrial, Trial, TrialState

_ERROR = "error"
# Parallel searches of several authors share no file, so a lock is held for milliseconds, or by something foreign.
_SECONDS_FOR_A_LOCK = 20


@dataclass(frozen=True, slots=True)
class TrialRecord:
    """A trial that is over. `bits_per_byte` is None where it was not trained to its end; `error` says why it failed."""

    number: int
    values: Parameters
    bits_per_byte: float | None
    error: str | None

    @property
    def outcome(self) -> str:
        """How it ended, in a word."""
        if self.bits_per_byte is not None:
            return "complete"
        return "failed" if self.error else "given up"


class StoredStudy:
    """One search. Raises `StorageError` where its file is damaged, or locked for long."""

    def __init__(self, file: Path, space: SearchSpace, *, seed: int, startup: int, pruning_after: int) -> None:
        self._file = file
        self._space = space
        self._seed = seed
        self._startup = startup
        self._pruning_after = pruning_after

    def begin_with(self, values: Sequence[Parameters]) -> None:
        """What to try first, if nothing was tried yet."""
        with self._guarded():
            if not self._study.get_trials(deepcopy=False):
                for each in values:
                    self._study.enqueue_trial(dict(each), skip_if_exists=True)

    def ask(self) -> "Trial":
        """The trial that was cut short, if there is one, else the next one."""
        from optuna.samplers import TPESampler

        with self._guarded():
            if interrupted := self._interrupted():
                return interrupted
            # A seed of its own for each trial: a search that was killed goes on as if it had not been.
            seed = self._seed + len(self._study.get_trials(deepcopy=False))
            self._study.sampler = TPESampler(seed=seed, n_startup_trials=self._startup)
            return self._study.ask(self._space.distributions())

    def limits(self) -> tuple[float, ...]:
        """The median of all completed trials at each evaluation; none while there are too few of them."""
        with self._guarded():
            complete = self._complete()
        if len(complete) < self._pruning_after:
            return ()
        evaluations = min(len(trial.intermediate_values) for trial in complete)
        return tuple(
            statistics.median(trial.intermediate_values[place] for trial in complete)
            for place in range(1, evaluations + 1)
        )

    def complete(self, trial: "Trial", history: Sequence[float], bits_per_byte: float) -> None:
        """A trial was trained to its end."""
        from optuna.trial import TrialState

        self._tell(trial, history, TrialState.COMPLETE, bits_per_byte)

    def give_up(self, trial: "Trial", history: Sequence[float], error: str | None = None) -> None:
        """A trial was hopeless, or could not be trained at all: the search learns to stay away from there."""
        from optuna.trial import TrialState

        with self._guarded():
            if error:
                trial.set_user_attr(_ERROR, error)
        self._tell(trial, history, TrialState.PRUNED, None)

    def records(self) -> tuple[TrialRecord, ...]:
        """All trials that are over and count."""
        from optuna.trial import TrialState

        with self._guarded():
            over = self._study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED))
        return tuple(
            TrialRecord(
                trial.number,
                dict(trial.params),
                trial.value if trial.state is TrialState.COMPLETE else None,
                trial.user_attrs.get(_ERROR),
            )
            for trial in over
        )

    def importance(self) -> Mapping[str, float]:
        """How much of the difference between trials each parameter explains (PED-ANOVA); none of fewer than four."""
        from optuna.importance import get_param_importances

        with self._guarded():
            complete = self._complete()
            if len(complete) < 4 or len({trial.value for trial in complete}) == 1:
                return {}
            shares = get_param_importances(self._study)
        return {name: share for name, share in shares.items() if math.isfinite(share)}

    def _tell(self, trial: "Trial", history: Sequence[float], state: "TrialState", value: float | None) -> None:
        with self._guarded():
            for place, each in enumerate(history, start=1):
                if math.isfinite(each):
                    trial.report(each, place)
            self._study.tell(trial, value, state=state)

    def _interrupted(self) -> "Trial | None":
        """Who asks holds the search's lock, so what is running was begun by a process that is gone."""
        from optuna.trial import Trial, TrialState

        for each in self._study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            trial = Trial(self._study, each._trial_id)  # noqa: SLF001 - it has no public name
            if set(each.params) == set(self._space.names):
                return trial
            self._study.tell(trial, state=TrialState.FAIL)  # killed before it was known what to try
        return None

    def _complete(self) -> "list[FrozenTrial]":
        from optuna.trial import TrialState

        found: list[FrozenTrial] = self._study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        return found

    @cached_property
    def _study(self) -> "Study":
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._file.parent.mkdir(parents=True, exist_ok=True)
        storage = optuna.storages.RDBStorage(
            f"sqlite:///{self._file}", engine_kwargs={"connect_args": {"timeout": _SECONDS_FOR_A_LOCK}}
        )
        return optuna.create_study(storage=storage, study_name="search", direction="minimize", load_if_exists=True)

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        from optuna.exceptions import StorageInternalError
        from sqlalchemy.exc import SQLAlchemyError

        try:
            yield
        except (SQLAlchemyError, StorageInternalError) as error:
            cause = str(error.__cause__ or error).splitlines()[0]
            raise StorageError(
                f"the stored search cannot be used: {cause}",
                where=str(self._file),
                mend="If another program has it open, close that; if it is damaged, delete it: what was found is kept.",
            ) from error
