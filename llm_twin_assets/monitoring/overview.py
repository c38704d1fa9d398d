"""One author's twin at a glance, from the records alone: no Dagster, no model, nothing that takes long to import."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from llm_twin_assets.domain.alarm import Alarm
from llm_twin_assets.domain.document import Category
from llm_twin_assets.domain.pause import Pause, read_pause
from llm_twin_assets.domain.release import Release, Verdict
from llm_twin_assets.monitoring.alarm_records import ringing
from llm_twin_assets.release.records import current_release, undecided, verdicts
from resources.object_store import ObjectStore
from resources.warehouse import Warehouse


@dataclass(frozen=True, slots=True)
class Documents:
    """What is cleaned, by category and without duplicates, and when each platform last had something new."""

    counts: Mapping[str, int] = field(default_factory=dict)
    collected: Mapping[str, datetime] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Overview:
    """How far a twin has come, and what waits for somebody.

    `dataset_at` is when the newest dataset was made, `evaluated_at` when the newest model was examined, `model_at` when
    the one that serves was. `candidate` passed the gate and nobody has decided on it. `alarms` are those not closed.
    """

    author: str
    documents: Documents = Documents()
    dataset_at: datetime | None = None
    evaluated_at: datetime | None = None
    model_at: datetime | None = None
    candidate: Verdict | None = None
    release: Release | None = None
    alarms: tuple[Alarm, ...] = ()
    paused: Pause | None = None


def read_overview(author: str, objects: ObjectStore, warehouse: Warehouse) -> Overview:
    """Read an author's records; raises `TwinError` where one of them is not what was written."""
    examined = {each.model_version: each.evaluated_at for each in verdicts(objects, author)}
    release = current_release(objects, author)
    return Overview(
        author,
        _documents(author, warehouse),
        dataset_at=_newest_dataset(author, objects),
        evaluated_at=max(examined.values(), default=None),
        model_at=examined.get(release.model_version) if release else None,
        candidate=undecided(objects, author),
        release=release,
        alarms=tuple(ringing(objects, author)),
        paused=read_pause(objects, author),
    )


def _documents(author: str, warehouse: Warehouse) -> Documents:
    counts: dict[str, int] = {}
    collected: dict[str, datetime] = {}
    for category in Category:
        cleaned = warehouse.read(f"cleaned/{category.plural}", author, ["document_id", "duplicate_of"])
        own = {row["document_id"] for row in cleaned.to_pylist() if not row.get("duplicate_of")}
        counts[category.plural] = len(own)
        raw = warehouse.read(f"raw/{category.plural}", author, ["platform", "collected_at"])
        newest = raw.group_by("platform").aggregate([("collected_at", "max")]) if raw.num_rows else raw
        for row in newest.to_pylist():
            platform, at = row["platform"], row["collected_at_max"]
            collected[platform] = max(collected.get(platform, at), at)
    return Documents(counts, collected)


def _newest_dataset(author: str, objects: ObjectStore) -> datetime | None:
    written = objects.modified(f"datasets/{author}")
    return max((at for path, at in written.items() if path.endswith("/manifest.json")), default=None)
