"""What is dropped of an author's snapshots, and what never is."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import dagster as dg
import pytest

from llm_twin_assets.domain.model import ModelVersion
from llm_twin_assets.features.index_rows import snapshot_name
from llm_twin_assets.partitions import AUTHORS
from llm_twin_assets.release.deployment import Served, deploy
from llm_twin_assets.release.records import append, decisions, releases
from llm_twin_assets.release.retention import drop_unused, kept_releases
from llm_twin_assets.release.upkeep import WEEKLY_UPKEEP, kept, retire_snapshots, retire_unreleased
from llm_twin_assets_tests.release.test_deployment import approval
from llm_twin_assets_tests.resources.chunks import rows
from resources import lance_upkeep
from resources.lance_store import LanceVectorStore
from resources.object_store import ObjectStore
from resources.release_settings import Retention
from resources.settings import Author, Settings, Source
from resources.upkeep_settings import Upkeep
from resources.vector_store import Filters

EMBEDDER = SimpleNamespace(digest="model")
MODEL = ModelVersion("maya", "twin-maya", "1", "m1", "models/maya/1", "tiny-llama", None, "d1")
# Ages are the store's own tests' matter.
AT_ONCE = Upkeep.model_construct(snapshots=1, days=0.0)


@pytest.fixture
def store(tmp_path: Path) -> LanceVectorStore:
    return LanceVectorStore(str(tmp_path / "embedded"))


def published(store: LanceVectorStore, *names: str, chunks: int = 1, text: str = "the jacquard loom") -> list[str]:
    """A snapshot for each name, each in place of the one before."""
    made = []
    for name in names:
        store.write("maya", rows([f"{name}-{n}" for n in range(chunks)], text=text, dimension=64), ["d"])
        made.append(store.publish_as("maya", lambda contents: snapshot_name(contents, EMBEDDER.digest)))
    return made


def released(objects: ObjectStore, now: datetime, snapshot: str) -> None:
    yes = approval(objects, "1", now)
    deploy(objects, yes, MODEL, Served("Maya", snapshot, "minilm", "e", "p"), now)


class Aliases:
    """Of a registry, what retention asks it."""

    def __init__(self, **versions: str) -> None:
        self.versions = versions

    def alias_version(self, author: str, alias: str) -> str | None:
        return self.versions.get(alias)

    def tags(self, author: str, version: str) -> dict[str, str]:
        return {"dataset_version": f"d{version}"}


def size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def test_what_a_release_named_and_the_newest_are_kept() -> None:
    assert kept(["a", "b", "c", "d"], {"a"}, 2) == {"a", "c", "d"}
    assert kept(["a"], (), 3) == {"a"}


def test_a_released_snapshot_survives_and_unreleased_ones_go(
    store: LanceVectorStore, objects: ObjectStore, now: datetime
) -> None:
    first, second, third, fourth, newest = published(store, "first", "second", "third", "fourth", "newest")
    released(objects, now, second)
    released(objects, now + timedelta(days=1), fourth)
    assert set(retire_unreleased("maya", store, objects, EMBEDDER, AT_ONCE)) == {first, third}
    assert store.snapshots("maya") == (second, fourth, newest)
    for name, text in ((second, "second-0"), (fourth, "fourth-0"), (newest, "newest-0")):
        [hit] = store.open("maya", name).text("loom", 5, Filters())
        assert hit.row["chunk_id"] == text
    assert retire_unreleased("maya", store, objects, EMBEDDER, AT_ONCE) == ()


def test_young_snapshots_stay(store: LanceVectorStore, objects: ObjectStore) -> None:
    names = published(store, "first", "second", "third")
    assert retire_unreleased("maya", store, objects, EMBEDDER, Upkeep(snapshots=1)) == ()
    assert store.snapshots("maya") == tuple(names)


def test_a_corpus_that_is_what_it_was_keeps_its_former_snapshot(store: LanceVectorStore, objects: ObjectStore) -> None:
    first, second, again = published(store, "first", "second", "first")
    assert first == again
    assert retire_unreleased("maya", store, objects, EMBEDDER, AT_ONCE) == ()
    assert store.snapshots("maya") == (first, second)


def test_the_disk_is_given_back(
    store: LanceVectorStore, objects: ObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lance_upkeep, "_READ_FOR", timedelta(microseconds=1))
    published(store, *(f"s{number}" for number in range(6)), chunks=200, text="words " * 200)
    before = size(tmp_path / "embedded")
    assert len(retire_unreleased("maya", store, objects, EMBEDDER, AT_ONCE)) == 5
    assert size(tmp_path / "embedded") < before / 2
    assert store.open("maya").count() == 200


def test_the_job_goes_through_all_registered_authors(
    store: LanceVectorStore, objects: ObjectStore, now: datetime
) -> None:
    names = published(store, "first", "second", "third")
    released(objects, now, names[0])
    settings = Settings(authors={"maya": Author(name="Maya", sources=(Source(platform="files"),))}, upkeep=AT_ONCE)
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions(AUTHORS.name or "", ["maya", "new"])
        done = retire_snapshots.execute_in_process(
            instance=instance,
            resources={
                "objects": objects,
                "vector_store": store,
                "embedder": EMBEDDER,
                "settings": settings,
                "registry": Aliases(),
            },
        )
    assert done.success
    assert store.snapshots("maya") == (names[0], names[2])
    assert WEEKLY_UPKEEP.default_status is dg.DefaultScheduleStatus.RUNNING


def test_only_the_newest_releases_are_kept_and_nothing_they_name_goes(objects: ObjectStore, now: datetime) -> None:
    for number in range(1, 8):
        version = str(number)
        objects.put_new(f"models/maya/{version}/config.json", b"{}")
        for file in ("manifest.json", "train.parquet"):
            objects.put_new(f"datasets/maya/d{version}/{file}", b"{}")
        model = replace(
            MODEL, version=version, digest=f"m{version}", path=f"models/maya/{version}", dataset=f"d{version}"
        )
        if number <= 5:
            deploy(
                objects, approval(objects, version, now), model, Served("Maya", f"s{version}", "minilm", "e", "p"), now
            )
    objects.replace("datasets/maya/current.json", b"{}")
    registry, retention = Aliases(candidate="7", champion="5"), Retention(releases=2, datasets=1)
    arguments = ("maya", objects, registry, retention)
    assert drop_unused(*arguments, 7.0, datetime.now(UTC)) == (), "everything is young"

    gone = drop_unused(*arguments, 0.0, datetime.now(UTC) + timedelta(seconds=5))
    assert set(gone) == {f"models/maya/{n}" for n in (1, 2, 3, 6)} | {f"datasets/maya/d{n}" for n in (1, 2, 3, 6)}
    for past in kept_releases(objects, "maya", 2):
        assert list(objects.list(past.model_path))
        assert list(objects.list(f"datasets/maya/{past.dataset}"))
    assert list(objects.list("models/maya/7"))
    assert list(objects.list("datasets/maya/d7"))
    assert objects.find("datasets/maya/current.json")
    assert len(releases(objects, "maya")) == 5, "records stay"
    assert drop_unused(*arguments, 0.0, datetime.now(UTC) + timedelta(seconds=5)) == ()


def test_what_serves_is_kept_however_old_it_is(objects: ObjectStore, now: datetime) -> None:
    released(objects, now, "s1")
    serving = releases(objects, "maya")[0]
    digest = decisions(objects, "maya")[0].digest
    for _ in range(3):  # recorded, and killed before the switch
        append(
            objects,
            "releases/maya",
            lambda number: serving.model_copy(update={"sequence": number, "approval_digest": digest}),
        )
    assert serving in kept_releases(objects, "maya", 2)
    assert len(kept_releases(objects, "maya", 2)) == 3
