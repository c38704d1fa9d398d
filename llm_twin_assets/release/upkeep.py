"""Snapshots that no release names are dropped, so that the index grows with the corpus and not with its history."""

from collections.abc import Collection
from datetime import UTC, datetime

import dagster as dg

from llm_twin_assets.features.incremental import current_snapshot
from llm_twin_assets.partitions import AUTHORS
from llm_twin_assets.release.retention import drop_unused, kept_releases
from resources.embedder import Embedder
from resources.object_store import ObjectStore
from resources.registry import Registry
from resources.release_settings import Retention
from resources.settings import Settings
from resources.upkeep_settings import Upkeep
from resources.vector_store import VectorStore

_DESCRIPTION = (
    "Drop every author's embedded snapshots, models and datasets that no kept release names, that are not among the "
    "newest, and that are older than a week (`upkeep` and `release.retention` in twin.yaml)."
)


def kept(snapshots: Collection[str], released: Collection[str], newest: int) -> frozenset[str]:
    """Snapshots that stay whatever their age: what releases name, and the newest; `snapshots` oldest first.

    A release that can be rolled back to returns with its own index.
    """
    return frozenset(released) | frozenset(list(snapshots)[-newest:])


def retire_unreleased(
    author: str,
    store: VectorStore,
    objects: ObjectStore,
    embedder: Embedder,
    upkeep: Upkeep,
    retention: Retention = Retention(),  # noqa: B008 - frozen
) -> tuple[str, ...]:
    """Drop what nothing refers to; returns the names of the snapshots that are gone."""
    snapshots = store.snapshots(author)
    # The head's own snapshot is not always the newest: a corpus that is again what it was has its former name.
    head = current_snapshot(author, store, embedder)
    # Read last: a release that is being made names the head's snapshot, which stays, or is on record by now.
    kept_ones = kept_releases(objects, author, retention.releases)
    named = {past.snapshot for past in kept_ones} | ({head} if head else set())
    return store.retire(author, kept(snapshots, named, upkeep.snapshots), upkeep.days)


@dg.op(description=_DESCRIPTION)
def retire_snapshots_op(
    context: dg.OpExecutionContext,
    objects: dg.ResourceParam[ObjectStore],
    vector_store: dg.ResourceParam[VectorStore],
    embedder: dg.ResourceParam[Embedder],
    registry: dg.ResourceParam[Registry],
    settings: dg.ResourceParam[Settings],
) -> None:
    """Go through the registered authors."""
    retention = settings.release.retention
    for author in context.instance.get_dynamic_partitions(AUTHORS.name or ""):
        gone = retire_unreleased(author, vector_store, objects, embedder, settings.upkeep, retention)
        gone += drop_unused(author, objects, registry, retention, settings.upkeep.days, datetime.now(UTC))
        context.log.info("%s: %d dropped: %s", author, len(gone), ", ".join(gone) or "none was due")


@dg.job(description=_DESCRIPTION, executor_def=dg.in_process_executor)
def retire_snapshots() -> None:
    """One op: there is nothing to go on with after a failure, the next run begins anew."""
    retire_snapshots_op()


# Running from the start: it drops nothing that can be asked for, and without it a disk fills silently.
WEEKLY_UPKEEP = dg.ScheduleDefinition(
    name="retire_snapshots_weekly",
    job=retire_snapshots,
    cron_schedule="41 3 * * 0",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description=_DESCRIPTION,
)
