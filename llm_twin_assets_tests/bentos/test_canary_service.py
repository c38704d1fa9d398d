"""A canary beside what serves: who is answered by it, how it is seen to be worse, how it takes over."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from bentos.api import create_app, open_up
from bentos.desk import Asked, Desk
from llm_twin_assets.domain.canary_records import ended, read_figures, running_canary
from llm_twin_assets.domain.release import Release
from llm_twin_assets.domain.released import canary_pointer, releases_prefix
from llm_twin_assets.inference.caches import LruCache
from llm_twin_assets.inference.engine import EngineError
from llm_twin_assets.release.records import switch
from llm_twin_assets_tests.bentos.scripted import Scripted, scripted_desk
from llm_twin_assets_tests.inference import tiny_twin
from resources.embedder import Embedder
from resources.object_store import ObjectStore
from resources.release_settings import Trial

HALF = Trial(share=0.5, minutes=0, min_answers=1)
ASKED = {"question": "How should I split samples into training and test set?", "author": "maya"}


@pytest.fixture
def tried() -> Scripted:
    return Scripted()


@pytest.fixture
def own(tmp_path: Path, embedder: Embedder, tried: Scripted) -> Desk:
    """A desk of its own with maya's first release."""
    return scripted_desk(tmp_path, embedder, Scripted(), authors=("maya",), others={"2": tried})


@pytest.fixture
def objects(tmp_path: Path) -> ObjectStore:
    return ObjectStore(str(tmp_path / "objects"))


@pytest.fixture
def canary(own: Desk, tmp_path: Path, embedder: Embedder) -> Release:
    written = tiny_twin.try_out(tmp_path, tiny_twin.release(embedder, sequence=2, model_path="models/other"), HALF)
    own.releases.poll()
    return written


@pytest.fixture
def client(own: Desk) -> Iterator[TestClient]:
    app = create_app()
    open_up(app, own)
    with TestClient(app, raise_server_exceptions=False) as made:
        yield made


def who_answers(client: TestClient, times: int = 6) -> set[str]:
    """The releases that answer so many questions, each of a session of its own: which of them are the canary's is the
    same every time."""
    asked = [{**ASKED, "session": str(number)} for number in range(times)]
    return {client.post("/v1/answer", json=each).json()["release"] for each in asked}


@pytest.mark.usefixtures("canary")
def test_a_share_of_the_answers_is_the_canarys_and_says_so(client: TestClient, own: Desk):
    assert who_answers(client) == {"maya-000001", "maya-000002"}
    assert client.get("/v1/releases/current").json()["release"] == "maya-000001"
    chat = {"model": "maya", "messages": [{"role": "user", "content": ASKED["question"]}]}
    assert {client.post("/v1/chat/completions", json=chat).status_code for _ in range(3)} == {200}


@pytest.mark.usefixtures("canary")
def test_its_traces_are_marked_and_those_beside_it_are_not(own: Desk):
    served = own.released("maya")
    both = [own.releases.canaries.answering(served, str(number)) for number in range(20)]
    assert {each.record.release_id: each.twin.labels.get("canary") for each in both} == {
        "maya-000001": None,
        "maya-000002": True,
    }


@pytest.mark.usefixtures("canary")
def test_a_session_stays_with_who_answered_it_and_the_share_is_kept(own: Desk):
    route, served = own.releases.canaries.answering, own.released("maya")
    for session in ("a", "b", "c"):
        assert len({route(served, session).record.release_id for _ in range(20)}) == 1
    share = sum(route(served, str(number)).record.sequence == 2 for number in range(2000)) / 2000
    assert share == pytest.approx(0.5, abs=0.05)


def test_one_that_is_worse_is_ended_by_the_service_itself(
    client: TestClient,
    own: Desk,
    canary: Release,
    tried: Scripted,
    objects: ObjectStore,
    caplog: pytest.LogCaptureFixture,
):
    tried.fails = EngineError("out of memory")
    assert who_answers(client, 16) == {"maya-000001", "maya-000002"}
    own.releases.poll()
    ending = ended(objects, canary)
    assert ending is not None
    assert "answers degraded, against 0 of" in ending.reason
    own.releases.poll()
    assert who_answers(client) == {"maya-000001"}
    assert "was ended by canary" in caplog.text


@pytest.mark.usefixtures("canary")
def test_what_fails_beside_it_as_well_ends_nothing(
    client: TestClient, own: Desk, tried: Scripted, monkeypatch: pytest.MonkeyPatch, objects: ObjectStore
):
    monkeypatch.setattr("llm_twin_assets.features.retrieve.Retriever.find", lambda *_, **__: 1 / 0)
    assert {client.post("/v1/answer", json=ASKED).status_code for _ in range(8)} == {500}
    own.releases.poll()
    canary = running_canary(objects, "maya")
    assert canary is not None
    figures = read_figures(objects, canary)
    assert figures.canary.failed + figures.served.failed == 8


def test_what_was_remembered_is_not_counted(client: TestClient, own: Desk, canary: Release, objects: ObjectStore):
    running = own.releases.canaries.opened(canary)
    assert running is not None
    served = own.released("maya")
    remembering = replace(served, twin=replace(served.twin, answers=LruCache(9, 10**6, lambda answer: answer.bytes)))
    own.releases._current = {"maya": remembering}
    who_answers(client, 12)
    own.releases.poll()
    assert read_figures(objects, canary).served.answers == 1


def test_when_it_is_released_it_is_not_opened_again_nor_a_canary_any_more(
    client: TestClient, own: Desk, canary: Release, objects: ObjectStore, tried: Scripted
):
    before = own.releases.canaries.opened(canary)
    assert switch(objects, releases_prefix("maya"), canary)
    own.releases.poll()
    served = own.released("maya")
    assert before is not None
    assert served.twin.engine is before.twin.engine
    assert served.record == canary
    assert "canary" not in served.twin.labels
    assert who_answers(client) == {"maya-000002"}


def test_a_pointer_that_the_records_do_not_bear_out_is_tried_by_nobody(
    client: TestClient, own: Desk, canary: Release, objects: ObjectStore, caplog: pytest.LogCaptureFixture
):
    forged = canary.model_copy(update={"model_path": "models/tiny"})
    objects.replace(canary_pointer("maya"), forged.model_dump_json().encode())
    own.releases.poll()
    assert who_answers(client) == {"maya-000001"}
    assert "Nothing is released from it" in caplog.text


def test_one_that_cannot_be_opened_leaves_what_serves_to_answer_alone(
    client: TestClient, own: Desk, tmp_path: Path, embedder: Embedder, caplog: pytest.LogCaptureFixture
):
    record = tiny_twin.release(embedder, sequence=2).model_copy(update={"snapshot": "gone"})
    tiny_twin.try_out(tmp_path, record, HALF)
    own.releases.poll()
    assert who_answers(client) == {"maya-000001"}
    assert "a canary of maya is not tried" in caplog.text


def test_who_leaves_is_no_failure_of_the_canarys(own: Desk, canary: Release, objects: ObjectStore):
    parts = own.answer_stream(own.releases.canaries.opened(canary), Asked(ASKED["question"]), threading.Event())
    next(parts)
    parts.close()
    own.releases.poll()
    assert read_figures(objects, canary).canary.answers == 0
