"""Continuous training: a changed dataset trains a new candidate once there is enough new in it, and time has passed."""

import io
from collections.abc import Mapping, Set
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import dagster as dg
import pyarrow.parquet as pq

from llm_twin_assets.automation import WHEN_CONTENT_CHANGED_AND_CHECKED
from llm_twin_assets.datasets import version
from llm_twin_assets.domain.sample import Split
from resources.errors import ConfigurationError, StorageError
from resources.object_store import ObjectStore
from resources.search_settings import Continuous
from resources.settings import Environment, Settings

CANDIDATE = dg.AssetKey(["models", "candidate"])
INSTRUCT = dg.AssetKey(["datasets", "instruct"])
VERSIONS, SNAPSHOTS = "versions", "snapshots"
_DATASET = "dataset_version"


@dataclass(frozen=True, slots=True)
class Trained:
    """The last candidate: the dataset version that it was trained on, if that is on record, and when it was made."""

    dataset: str | None
    at: datetime


class WorthTraining(dg.AutomationCondition[dg.AssetKey]):
    """True for the authors for whom `training.continuous` in twin.yaml is met.

    It remembers nothing: what changed while it was false is remembered by the condition beside it, in Dagster's own
    cursor, so that a restart of anything neither forgets a change nor answers it twice.
    """

    @property
    def description(self) -> str:
        """What Dagster's UI says of it."""
        return "enough new samples, and long enough since the last candidate"

    def evaluate(self, context: dg.AutomationContext[dg.AssetKey]) -> dg.AutomationResult[dg.AssetKey]:
        """Ask for each author that has something to train on."""
        worth = context.candidate_subset
        if not worth.is_empty:
            authors = worth.expensively_compute_partition_keys()
            now = context.evaluation_time.astimezone(UTC)
            chosen = worth_training(authors, context.asset_graph_view.instance, now)
            worth = worth.compute_intersection_with_partition_keys(chosen)
        return dg.AutomationResult(context, worth)


class TrainedOnCurrent(dg.AutomationCondition[dg.AssetKey]):
    """True for the authors whose last candidate was trained on the current dataset."""

    @property
    def description(self) -> str:
        """What Dagster's UI says of it."""
        return "the last candidate was trained on the current dataset"

    def evaluate(self, context: dg.AutomationContext[dg.AssetKey]) -> dg.AutomationResult[dg.AssetKey]:
        """Ask for each author."""
        current = context.candidate_subset
        if not current.is_empty:
            authors = current.expensively_compute_partition_keys()
            chosen = trained_on_current(authors, context.asset_graph_view.instance)
            current = current.compute_intersection_with_partition_keys(chosen)
        return dg.AutomationResult(context, current)


_LABEL = "when upstream content changed, its blocking checks passed, and training.continuous is met"
WHEN_WORTH_TRAINING = (WHEN_CONTENT_CHANGED_AND_CHECKED & WorthTraining()).with_label(_LABEL)

# `eager()` takes any new candidate for an answer to every change before it. A training takes hours: what came then,
# or right after it was asked for, it was not trained on, and would be forgotten until the next change.
_NEW_DATASET = dg.AutomationCondition.any_deps_match(dg.AutomationCondition.data_version_changed()).allow(
    dg.AssetSelection.assets(INSTRUCT)
)
_ANSWERED = (
    (dg.AutomationCondition.newly_requested() & ~_NEW_DATASET)
    | (dg.AutomationCondition.newly_updated() & TrainedOnCurrent())
    | dg.AutomationCondition.initial_evaluation()
)
WHEN_WORTH_TRAINING_ANEW = (
    WHEN_CONTENT_CHANGED_AND_CHECKED.replace("handled", _ANSWERED) & WorthTraining()
).with_label(_LABEL)


def worth_training(authors: Set[str], instance: dg.DagsterInstance, now: datetime) -> set[str]:
    """Those of the authors for whom it is; none while twin.yaml is broken, as the training would stop at that, too."""
    try:
        rule = Settings.load().training.continuous
    except ConfigurationError:
        return set()
    if rule == Continuous():
        return set(authors)
    objects = ObjectStore(Environment.current().under("objects"))
    return {author for author in authors if is_worth(rule, objects, author, last_trained(instance, author), now)}


def trained_on_current(authors: Set[str], instance: dg.DagsterInstance) -> set[str]:
    """Those of the authors whose last candidate was; what is not on record counts as if it was."""
    objects = ObjectStore(Environment.current().under("objects"))
    return {author for author in authors if _is_current(objects, author, last_trained(instance, author))}


def is_worth(rule: Continuous, objects: ObjectStore, author: str, last: Trained | None, now: datetime) -> bool:
    """Whether to train now. What is unknown is no reason to wait: nobody would notice."""
    if last is None:
        return True
    if rule.min_hours and now - last.at < timedelta(hours=rule.min_hours):
        return False
    if rule.min_new_samples == 0 or last.dataset is None:
        return True
    try:
        return new_samples(objects, author, last.dataset) >= rule.min_new_samples
    except StorageError:
        return True


def new_samples(objects: ObjectStore, author: str, trained_on: str) -> int:
    """How many samples of the current dataset's train split were not in the given version's."""
    now, before = version.current(objects, author), version.open_version(objects, author, trained_on)
    return 0 if now.digest == before.digest else len(_sample_ids(objects, now) - _sample_ids(objects, before))


def last_trained(instance: dg.DagsterInstance, author: str) -> Trained | None:
    """The author's last candidate by Dagster's event log."""
    found = _latest(instance, CANDIDATE, author)
    if found is None or found.asset_materialization is None:
        return None
    versions = _json(found.asset_materialization.metadata, VERSIONS)
    dataset = versions.get(_DATASET)
    return Trained(str(dataset) if dataset else None, datetime.fromtimestamp(found.timestamp, UTC))


def snapshots_of(instance: dg.DagsterInstance, author: str) -> dict[str, int]:
    """The table versions that the author's last dataset was made of, by that dataset's own materialization."""
    found = _latest(instance, INSTRUCT, author)
    if found is None or found.asset_materialization is None:
        return {}
    return {
        table: number
        for table, number in _json(found.asset_materialization.metadata, SNAPSHOTS).items()
        if isinstance(number, int)
    }


def _is_current(objects: ObjectStore, author: str, last: Trained | None) -> bool:
    if last is None or last.dataset is None:
        return True
    try:
        return version.current(objects, author).digest == last.dataset
    except StorageError:
        return True


def _latest(instance: dg.DagsterInstance, key: dg.AssetKey, author: str) -> dg.EventLogEntry | None:
    # The newest of this author: the newest of all may be another's.
    records = instance.fetch_materializations(dg.AssetRecordsFilter(key, asset_partitions=[author]), limit=1).records
    return records[0].event_log_entry if records else None


def _json(metadata: Mapping[str, dg.MetadataValue], key: str) -> Mapping[str, object]:
    found = metadata.get(key)
    return found.value if isinstance(found, dg.JsonMetadataValue) and isinstance(found.value, dict) else {}


def _sample_ids(objects: ObjectStore, dataset: version.DatasetVersion) -> set[str]:
    file = io.BytesIO(objects.get(f"{dataset.prefix}/{Split.TRAIN.value}.parquet"))
    return set(pq.read_table(file, columns=["sample_id"])["sample_id"].to_pylist())
