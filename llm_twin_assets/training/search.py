"""The search for training parameters: trainings like the candidate's, judged by the validation split alone."""

import json
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from llm_twin_assets.datasets.version import DatasetVersion
from llm_twin_assets.domain.identity import digest
from llm_twin_assets.inference.prompts import prompt_digest
from llm_twin_assets.training import parameter_sets
from llm_twin_assets.training.errors import PlanError, TrainingError, TrainingFailedError
from llm_twin_assets.training.parameter_sets import ParameterSet, SearchKey
from llm_twin_assets.training.plan import TrainingPlan
from llm_twin_assets.training.provenance import code_version
from llm_twin_assets.training.search_space import SearchSpace
from llm_twin_assets.training.spec import TrainingMetrics, TrainingSpec
from llm_twin_assets.training.study import StoredStudy, TrialRecord
from llm_twin_assets.training.workspace import output_of, workspace
from resources.bases import Base
from resources.object_store import ObjectStore
from resources.registry import Registry, TrainingRun
from resources.training_settings import Training

if TYPE_CHECKING:
    from optuna.trial import Trial

Launch = Callable[[TrainingSpec], None]

# The whole of what a trial can see: the sealed documents are not there.
_VISIBLE = ("train.parquet", "validation.parquet")
# If so many trainings fail and none has come through, it is not for their parameters.
_FAILURES = 3
_RELATED = 3
_NO_PREFERENCES = {
    "preference_method": "none",
    "preference_learning_rate": None,
    "preference_epochs": None,
    "preference_beta": None,
}


@dataclass(frozen=True)
class SearchOrder:
    """What is searched for, and on what."""

    author: str
    author_name: str
    base: Base
    dataset: DatasetVersion
    training: Training
    key: SearchKey

    @property
    def digest(self) -> str:
        """Trials of the same search can be compared: they learn from the same, and are measured on the same."""
        return digest(
            {
                "author_name": self.author_name,
                "base": self.base.digest,
                "dataset": self.dataset.digest,
                "given": digest(json.dumps(parameter_sets.given_by(self.training), sort_keys=True)),
                "key": self.key.model_dump(),
                "prompt": prompt_digest(),
                "seed": self.training.seed,
            }
        )


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The best set, and what it was chosen among."""

    found: ParameterSet
    trials: tuple[TrialRecord, ...]
    importance: dict[str, float]


def search(order: SearchOrder, registry: Registry, objects: ObjectStore, launch: Launch, root: Path) -> SearchResult:
    """Search, or go on with a search that was stopped, below `root`; the best set is stored.

    Raises `TrainingFailedError` if no trial could be trained to its end, `StorageError` if the study is damaged.
    """
    space = SearchSpace(order.base.folder, order.training)
    wanted = order.training.search
    study = StoredStudy(
        root / "studies" / order.author / f"{order.digest[:16]}.sqlite",
        space,
        seed=order.training.seed,
        startup=min(10, max(3, wanted.trials // 3)),  # TPE learns from what random trials have found
        pruning_after=wanted.pruning_after,
    )
    name = f"search-{order.key.name}"
    with (
        workspace(root / "trials", order.author, order.digest) as folder,
        registry.run(order.author, name=name, tags=_tags(order), dataset_digest=order.dataset.digest) as run,
    ):
        dataset = _visible(order, objects, folder)
        earlier = islice(parameter_sets.related(objects, order.key), _RELATED)
        study.begin_with([space.defaults, *(space.inside(each.values) for each in earlier)])
        for trial in _trials(study, wanted.trials, wanted.minutes):
            _Trial(order, space, study, trial, run).carry_out(registry, launch, dataset, output_of(folder).folder)
        result = _result(order, space, study)
        best = result.found
        run.log({"best": best.values, "trials": best.trials}, {parameter_sets.OBJECTIVE: best.bits_per_byte}, {})
        parameter_sets.keep(objects, best)
    return result


def _tags(order: SearchOrder) -> dict[str, str]:
    return {"author": order.author, "search": order.digest, "search_key": order.key.name}


def _visible(order: SearchOrder, objects: ObjectStore, folder: Path) -> Path:
    """A folder with the splits that a search may read; raises `TrainingFailedError` where there is no validation."""
    import pyarrow.parquet as pq

    visible = folder / "dataset"
    visible.mkdir(exist_ok=True)
    for name in _VISIBLE:
        (visible / name).write_bytes(objects.get(f"{order.dataset.prefix}/{name}"))
    if not pq.read_metadata(visible / "validation.parquet").num_rows:
        raise TrainingFailedError(
            "there is no validation sample to search parameters by",
            where=f"{objects.root}/{order.dataset.prefix}",
            mend="Add documents, raise dataset.validation_share, or set training.search.trials to 0.",
        )
    return visible


def _trials(study: StoredStudy, wanted: int, minutes: float | None) -> "Iterator[Trial]":
    end = None if minutes is None else time.monotonic() + 60 * minutes
    while len(records := study.records()) < wanted:
        if end is not None and time.monotonic() > end and any(each.bits_per_byte is not None for each in records):
            return
        _reject_hopeless(records)
        yield study.ask()


def _reject_hopeless(records: tuple[TrialRecord, ...]) -> None:
    failed = [each for each in records if each.error]
    if len(failed) >= _FAILURES and len(failed) == len(records):
        raise TrainingFailedError(
            f"all of the first {len(failed)} trials of the search failed, the last one so: {failed[-1].error}",
            mend="Mend that, or set training.search.trials to 0.",
        )


def _result(order: SearchOrder, space: SearchSpace, study: StoredStudy) -> SearchResult:
    records = study.records()
    complete = {each.bits_per_byte: each for each in reversed(records) if each.bits_per_byte is not None}
    if not complete:
        errors = [each.error for each in records if each.error]
        raise TrainingFailedError(
            f"none of {len(records)} trials of the search could be trained" + (f": {errors[-1]}" if errors else "")
        )
    best = complete[min(complete)]
    by_default = (each.bits_per_byte for each in records if dict(each.values) == dict(space.defaults))
    found = ParameterSet(
        key=order.key,
        values=dict(best.values),
        given=parameter_sets.given_by(order.training),
        bits_per_byte=min(complete),
        default_bits_per_byte=next(by_default, None),
        trials=len(records),
        dataset=order.dataset.digest,
        base=order.base.digest,
        code_version=code_version(),
    )
    return SearchResult(found, records, dict(study.importance()))


class _Trial:
    """One training of a search, with an MLflow run below the search's."""

    def __init__(
        self, order: SearchOrder, space: SearchSpace, study: StoredStudy, trial: "Trial", parent: TrainingRun
    ) -> None:
        self._order = order
        self._study = study
        self._trial = trial
        self._parent = parent
        self._plan = space.plan(trial.params).model_copy(update=_NO_PREFERENCES)

    def carry_out(self, registry: Registry, launch: Launch, dataset: Path, output: Path) -> None:
        """Train, note the figures and forget the weights; what cannot be trained counts as a bad choice."""
        spec = _spec(self._order, self._plan, dataset, output, self._study.limits())
        try:
            metrics = self._trained(spec, registry, launch)
        except (TrainingError, TrainingFailedError, PlanError) as error:
            shutil.rmtree(output, ignore_errors=True)
            self._study.give_up(self._trial, (), str(error))
            return
        # First the output: one that is left is taken for the one of the trial that was cut short.
        shutil.rmtree(output)
        history = [point.loss for point in metrics.bits_per_byte_history[1:]]
        if metrics.given_up or metrics.validation_bits_per_byte is None:
            self._study.give_up(self._trial, history)
        else:
            self._study.complete(self._trial, history, metrics.validation_bits_per_byte)

    def _trained(self, spec: TrainingSpec, registry: Registry, launch: Launch) -> TrainingMetrics:
        number = self._trial.number
        # MLflow knows by this tag that a run stands below another one.
        tags = {**_tags(self._order), "mlflow.parentRunId": self._parent.run_id, "trial": str(number)}
        digest_ = self._order.dataset.digest
        with registry.run(self._order.author, name=f"trial-{number}", tags=tags, dataset_digest=digest_) as run:
            output = output_of(spec.output.parent)
            if not output.folder.is_dir():  # or it was killed right after
                launch(spec)
            metrics = output.metrics()
            curve = [(point.step, point.loss) for point in metrics.bits_per_byte_history]
            params = {**self._plan.model_dump(exclude={"origins"}), "given_up": metrics.given_up}
            run.log(params, metrics.scalars(), {"bits_per_byte": curve})
        return metrics


def _spec(
    order: SearchOrder, plan: TrainingPlan, dataset: Path, output: Path, limits: tuple[float, ...]
) -> TrainingSpec:
    return TrainingSpec(
        base=order.base.id,
        base_folder=order.base.folder,
        base_revision=order.base.revision,
        dataset_folder=dataset,
        author_name=order.author_name,
        plan=plan,
        output=output,
        limits=limits,
    )
