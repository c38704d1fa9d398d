import json
import shutil
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bentos.follower import ReleaseFollower
from bentos.pins import ReleaseRefusedError
from bentos.releases import Released, ReleaseOpener
from llm_twin_assets.domain.canary import Ended
from llm_twin_assets.domain.canary_records import end
from llm_twin_assets.domain.pause import Pause, pause, resume
from llm_twin_assets.domain.release import Release
from llm_twin_assets_tests.inference.tiny_twin import pinned, point_to, put_on_record, release, try_out
from resources.embedder import Embedder
from resources.errors import StorageError, TwinError
from resources.object_store import ObjectStore
from resources.release_settings import Trial
from resources.settings import Environment


@pytest.fixture
def home(built_home: Path, tmp_path: Path) -> Path:
    (tmp_path / "embedded").symlink_to(built_home / "embedded")
    shutil.copytree(built_home / "objects" / "models", tmp_path / "objects" / "models")
    return tmp_path


def opener(home: Path) -> ReleaseOpener:
    environment = Environment(
        home=str(home), config=home / "none.yaml", service_url="http://127.0.0.1:8000", phoenix_url=""
    )
    return ReleaseOpener(environment)


def follower(home: Path, retry: float = 30.0) -> ReleaseFollower:
    return ReleaseFollower(ObjectStore(str(home / "objects")), opener(home).open, every=0.05, retry=retry)


def test_nothing_released_is_looked_at_and_not_ready(home: Path):
    following = follower(home)
    following.poll()
    assert not following.ready
    assert following.current == {}


def test_a_release_is_served_after_one_look_and_another_takes_its_place(home: Path, embedder: Embedder):
    following = follower(home)
    point_to(home, release(embedder))
    following.poll()
    first = following.current
    assert following.ready
    point_to(home, release(embedder, sequence=2, model_path="models/other"))
    following.poll()
    assert first["maya"].record.sequence == 1, "a request that has begun keeps its release"
    assert following.current["maya"].record.sequence == 2
    assert following.current["maya"].twin.engine is not first["maya"].twin.engine


def test_a_twin_whose_pointer_is_taken_away_answers_no_more(home: Path, embedder: Embedder):
    following, objects = follower(home), ObjectStore(str(home / "objects"))
    for author in ("maya", "ben"):
        point_to(home, release(embedder, author=author))
    following.poll()
    pointer = objects.get("releases/maya/current.json")
    objects.delete(["releases/maya/current.json"])
    following.poll()
    assert set(following.current) == set(following.known) == {"ben"}
    objects.put_new("releases/maya/current.json", pointer)
    following.poll()
    assert set(following.current) == {"maya", "ben"}


def test_authors_are_followed_apart(home: Path, embedder: Embedder):
    following = follower(home)
    point_to(home, release(embedder))
    point_to(home, release(embedder, author="ben", model_path="models/none"))
    following.poll()
    assert set(following.current) == {"maya"}
    assert following.known == {"maya", "ben"}
    assert following.ready


@pytest.mark.parametrize("pointer", [b"", b"{}", b"not json", b'{"author": "maya"}', b"\xff\xfe"])
def test_an_unreadable_pointer_leaves_the_old_release_serving(
    home: Path, embedder: Embedder, pointer: bytes, caplog: pytest.LogCaptureFixture
):
    following = follower(home)
    point_to(home, release(embedder))
    following.poll()
    ObjectStore(str(home / "objects")).replace("releases/maya/current.json", pointer)
    following.poll()
    following.poll()
    assert following.current["maya"].record.sequence == 1
    assert sum("not served" in record.message for record in caplog.records) == 1


def forge_pointer(objects: ObjectStore) -> None:
    forged = json.loads(objects.get("releases/maya/current.json")) | {"model_path": "models/other"}
    objects.replace("releases/maya/current.json", json.dumps(forged).encode())


def forge_release(objects: ObjectStore) -> None:
    forged = json.loads(objects.get("releases/maya/000002.json")) | {"model_path": "models/tiny"}
    for name in ("000002", "current"):
        objects.replace(f"releases/maya/{name}.json", json.dumps(forged).encode())
    point_at_approval(objects, "model_version", "7")


def point_at_approval(objects: ObjectStore, key: str, value: str) -> None:
    forged = json.loads(objects.get("approvals/maya/000002.json")) | {key: value}
    for name in ("000002", "current"):
        objects.replace(f"approvals/maya/{name}.json", json.dumps(forged).encode())


def change_approver(objects: ObjectStore) -> None:
    point_at_approval(objects, "approver", "somebody else")


def copy_pointer_of_another(objects: ObjectStore) -> None:
    objects.replace(
        "releases/maya/current.json",
        objects.get("releases/maya/current.json").replace(b'"maya"', b'"ben"'),
    )


@pytest.mark.parametrize("tamper", [forge_pointer, forge_release, change_approver, copy_pointer_of_another])
def test_what_the_records_do_not_bear_out_is_not_served(
    home: Path, embedder: Embedder, tamper: Callable[[ObjectStore], None], caplog: pytest.LogCaptureFixture
):
    following = follower(home)
    point_to(home, release(embedder))
    following.poll()
    point_to(home, release(embedder, sequence=2, model_path="models/other"))
    tamper(ObjectStore(str(home / "objects")))
    following.poll()
    assert following.current["maya"].record.sequence == 1
    assert "Nothing is released from it" in caplog.text
    fresh = follower(home)
    fresh.poll()
    assert not fresh.ready


def test_a_pointer_that_goes_back_is_not_followed(home: Path, embedder: Embedder, caplog: pytest.LogCaptureFixture):
    following, objects = follower(home), ObjectStore(str(home / "objects"))
    point_to(home, release(embedder))
    old = objects.get("releases/maya/current.json")
    point_to(home, release(embedder, sequence=2, model_path="models/other"))
    following.poll()
    objects.replace("releases/maya/current.json", old)
    following.poll()
    assert following.current["maya"].record.sequence == 2
    assert "the pointer went back" in caplog.text


def test_a_roll_back_takes_what_is_still_open(home: Path, embedder: Embedder):
    following = follower(home)
    point_to(home, release(embedder))
    following.poll()
    first = following.current["maya"]
    point_to(home, release(embedder, sequence=2, model_path="models/other"))
    following.poll()
    shutil.rmtree(home / "objects" / "models" / "tiny")
    put_on_record(home, first.record.model_copy(update={"release_id": "maya-000003"}))
    following.poll()
    back = following.current["maya"]
    assert back.record.release_id == "maya-000003"
    assert back.twin.engine is first.twin.engine
    assert back.twin.labels["release"] == "maya-000003"


def test_after_a_forgetting_what_served_before_is_let_go(home: Path, embedder: Embedder):
    following = follower(home)
    point_to(home, release(embedder))
    following.poll()
    first = following.current["maya"]
    forgot = release(embedder, sequence=2, model_path="models/other").model_copy(update={"decision": "forget"})
    point_to(home, forgot)
    following.poll()
    assert following.current["maya"].record.decision == "forget"
    put_on_record(home, first.record.model_copy(update={"release_id": "maya-000003"}))
    following.poll()
    assert following.current["maya"].twin.engine is not first.twin.engine, "what has the document in memory is gone"


def test_after_a_start_the_release_before_is_opened_too(home: Path, embedder: Embedder):
    point_to(home, release(embedder))
    point_to(home, release(embedder, sequence=2, model_path="models/other"))
    following = follower(home)
    following.poll()
    following.warm_up()
    shutil.rmtree(home / "objects" / "models" / "tiny")
    put_on_record(home, pinned_as_first(home).model_copy(update={"release_id": "maya-000003"}))
    following.poll()
    assert following.current["maya"].record.release_id == "maya-000003"


def test_what_was_only_tried_is_not_kept_open_after_a_start(home: Path, embedder: Embedder):
    point_to(home, release(embedder))
    canary = try_out(home, release(embedder, sequence=2, model_path="models/other"), Trial())
    stopped = Ended(release_id=canary.release_id, by="Noor", reason="a test", ended_at=canary.released_at)
    assert end(ObjectStore(str(home / "objects")), canary, stopped)
    point_to(home, release(embedder, sequence=3))
    opened: list[str] = []

    def open_release(record: Release) -> Released:
        opened.append(record.release_id)
        return opener(home).open(record)

    following = ReleaseFollower(ObjectStore(str(home / "objects")), open_release)
    following.poll()
    following.warm_up()
    assert opened == ["maya-000003"]


def pinned_as_first(home: Path) -> Release:
    return Release.model_validate_json(ObjectStore(str(home / "objects")).get("releases/maya/000001.json"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"prompt_digest": "0" * 64}, "its prompt template is not the one found here"),
        ({"embedder_digest": "0" * 64}, "its embedding model is not the one found here"),
        ({"snapshot": "snapshot-gone"}, "no snapshot"),
        ({"model_path": "models/none"}, "holds no model"),
        ({"model_digest": "0" * 64}, "its model is not the one found here"),
        ({"engine": "abacus"}, "its engine is not the one found here"),
    ],
)
def test_a_release_that_must_not_or_cannot_be_served_leaves_the_old_one(
    home: Path, embedder: Embedder, change: dict[str, str], message: str, caplog: pytest.LogCaptureFixture
):
    following = follower(home)
    point_to(home, release(embedder))
    following.poll()
    put_on_record(home, pinned(home, release(embedder, sequence=2)).model_copy(update=change))
    following.poll()
    assert following.current["maya"].record.sequence == 1
    assert message in caplog.text
    assert "Traceback" not in caplog.text


def test_pins_are_checked_with_an_error_that_says_what_to_do(home: Path, embedder: Embedder):
    with pytest.raises(ReleaseRefusedError, match="train, evaluate and release again"):
        opener(home).open(release(embedder).model_copy(update={"prompt_digest": "0" * 64}))


def test_a_failed_release_is_tried_again_after_a_while(home: Path, embedder: Embedder):
    following = follower(home, retry=0.0)
    put_on_record(home, pinned(home, release(embedder)).model_copy(update={"model_path": "models/late"}))
    following.poll()
    assert not following.ready
    shutil.copytree(home / "objects" / "models" / "tiny", home / "objects" / "models" / "late")
    following.poll()
    assert following.ready


def test_a_pause_is_seen_while_a_release_waits_for_its_model(home: Path, embedder: Embedder):
    opening, goes_on = threading.Event(), threading.Event()

    def waits_long(record: Release) -> Released:
        opening.set()
        goes_on.wait(30)
        raise TwinError(f"no model for {record.release_id}")

    objects = ObjectStore(str(home / "objects"))
    point_to(home, release(embedder))
    following = ReleaseFollower(objects, waits_long, every=0.01)
    following.start()
    try:
        assert opening.wait(10)
        pause(objects, Pause(author="maya", by="Noor", reason="it tires", since=datetime(2026, 1, 1, tzinfo=UTC)))
        wait_for(lambda: following.paused == {"maya"})
        resume(objects, "maya")
        wait_for(lambda: not following.paused)
        assert not goes_on.is_set()
    finally:
        goes_on.set()
        following.stop()


def wait_for(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert holds()


def test_the_threads_outlive_a_store_that_fails(home: Path):
    looked = {name: threading.Semaphore(0) for name in ("release-follower", "pause-follower")}

    class Failing(ObjectStore):
        def list(self, prefix: str):
            looked[threading.current_thread().name].release()
            raise StorageError("gone")

    def never(_: Release) -> Released:
        raise TwinError("not to be called")

    following = ReleaseFollower(Failing(str(home / "objects")), never, every=0.01)
    following.start()
    assert all(each.acquire(timeout=5) for each in looked.values())
    assert all(each.acquire(timeout=5) for each in looked.values())
    following.stop()
