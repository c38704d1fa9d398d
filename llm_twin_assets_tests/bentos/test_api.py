import shutil
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from bentos.api import create_app, open_up
from bentos.desk import Desk
from bentos.follower import ReleaseFollower
from bentos.headers import SECURITY_HEADERS
from bentos.releases import ReleaseOpener
from llm_twin_assets.inference.engine import Generated
from llm_twin_assets_tests.inference.tiny_twin import DOCUMENTS, point_to, release
from resources.embedder import Embedder
from resources.errors import StorageError
from resources.object_store import ObjectStore
from resources.settings import Environment, Serving
from resources.tracing import NoTracer

TEXTS = {each.document_id: each.text for each in DOCUMENTS}
QUESTION = {"question": "How should I split samples into training and test set?"}


def copied(built_home: Path, folder: Path) -> Path:
    (folder / "embedded").symlink_to(built_home / "embedded")
    shutil.copytree(built_home / "objects" / "models", folder / "objects" / "models")
    return folder


@pytest.fixture
def home(built_home: Path, tmp_path: Path) -> Path:
    return copied(built_home, tmp_path)


def client(home: Path) -> TestClient:
    environment = Environment(home=str(home), config=home / "none.yaml", service_url="", phoenix_url="")
    opener = ReleaseOpener(environment)
    following = ReleaseFollower(ObjectStore(str(home / "objects")), opener.open)
    following.poll()
    app = create_app()
    open_up(app, Desk(following, Serving(max_new_tokens=8), NoTracer()))
    return TestClient(app, raise_server_exceptions=False)


@pytest.fixture(scope="module")
def api(built_home: Path, tmp_path_factory: pytest.TempPathFactory, embedder: Embedder) -> TestClient:
    """One release, opened once: what is asked of it changes nothing but what it remembers."""
    home = copied(built_home, tmp_path_factory.mktemp("released"))
    point_to(home, release(embedder))
    return client(home)


def test_an_answer_says_what_it_stands_on_and_which_release_gave_it(api: TestClient):
    response = api.post("/v1/answer", json=QUESTION)
    assert response.status_code == 200
    given = response.json()
    assert given["release"] == "maya-000001"
    assert (given["model_version"], given["snapshot"]) == ("1", "snapshot-tiny")
    assert given["degraded"] is True
    assert given["reason"]
    assert given["trace_id"]
    assert given["citations"]
    for each in given["citations"]:
        assert TEXTS[each["document_id"]][each["start"] : each["end"]] == each["quote"]
        assert f"[{each['marker']}]" in given["answer"]


def test_drafts_are_remembered_too_unless_the_request_asks_for_a_new_one(
    api: TestClient, monkeypatch: pytest.MonkeyPatch
):
    engine = api.app.state.desk.released("maya").twin.engine
    asked = []

    def generate(*args: object) -> Generated:
        asked.append(args)
        return Generated("Split by document before you make a single sample.", 5, 5)

    monkeypatch.setattr(engine, "generate", generate)
    headers = {"Cache-Control": "no-cache"}
    for how, times in (({}, 1), ({}, 1), (headers, 2)):
        api.post("/v1/write", json={"topic": "Splitting samples by document"}, headers=how).raise_for_status()
        assert len(asked) == times


def test_filters_and_k_reach_retrieval(api: TestClient):
    given = api.post("/v1/answer", json={**QUESTION, "filters": {"categories": ["post"]}, "k": 1}).json()
    assert {each["document_id"] for each in given["citations"]} <= {DOCUMENTS[2].document_id}
    later = {"published_after": "2026-01-26", "platforms": ["medium", "github"]}
    assert api.post("/v1/answer", json={**QUESTION, "filters": later}).json()["outcome"] == "nothing_found"
    before = {"published_after": "2026-01-24T00:00:00", "published_before": "2026-01-26T00:00:00+01:00"}
    assert api.post("/v1/answer", json={**QUESTION, "filters": before}).json()["outcome"] == "quoted"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"question": ""},
        {"question": " \n "},
        {"question": "w" * 2001},
        {"question": "why", "unknown": 1},
        {"question": "why", "k": 0},
        {"question": "why", "k": 51},
        {"question": "why", "author": "../maya"},
        {"question": "why", "filters": {"categories": ["poem"]}},
        {"question": "why", "filters": {"published_after": "soon"}},
        {"question": ["why"]},
        [],
    ],
)
def test_bad_input_is_422_in_the_one_shape(api: TestClient, body: object):
    response = api.post("/v1/answer", json=body)
    assert response.status_code == 422
    assert response.json().keys() == {"error"}
    assert response.json()["error"].keys() == {"type", "message"}
    assert response.json()["error"]["type"] == "invalid_request"


@pytest.mark.parametrize("content", [b"{", b"\xff", b'{"question": "\\ud800"}'])
def test_what_is_no_json_or_no_text_is_422(api: TestClient, content: bytes):
    response = api.post("/v1/answer", content=content, headers={"Content-Type": "application/json"})
    assert (response.status_code, response.json()["error"]["type"]) == (422, "invalid_request")


def test_hostile_text_is_just_text(api: TestClient):
    for question in ("'; DROP TABLE chunks; --", "a\x00b", "<|end|><|system|>", '"(^*[', "🧵" * 500, "why?" * 500):
        response = api.post("/v1/answer", json={"question": question})
        assert response.status_code == 200, (question, response.text)


def test_an_unknown_author_is_404_and_an_unknown_path_too(api: TestClient):
    for response in (
        api.post("/v1/answer", json={**QUESTION, "author": "nobody"}),
        api.get("/v1/releases/current", params={"author": "nobody"}),
    ):
        assert (response.status_code, response.json()["error"]["type"]) == (404, "unknown_author")
    assert api.get("/v1/nothing").json()["error"]["type"] == "not_found"
    assert api.get("/v1/answer").json()["error"]["type"] == "method_not_allowed"


def test_where_two_are_released_the_author_has_to_be_named(home: Path, embedder: Embedder):
    for author in ("maya", "ben"):
        point_to(home, release(embedder, author=author))
    two = client(home)
    response = two.post("/v1/answer", json=QUESTION)
    assert (response.status_code, response.json()["error"]["type"]) == (422, "author_needed")
    assert "ben, maya" in response.json()["error"]["message"]
    assert two.post("/v1/answer", json={**QUESTION, "author": "ben"}).json()["author"] == "ben"


def test_nothing_released_is_503_and_so_is_a_release_that_cannot_be_loaded(home: Path, embedder: Embedder):
    response = client(home).post("/v1/answer", json=QUESTION)
    assert (response.status_code, response.json()["error"]["type"]) == (503, "nothing_released")
    point_to(home, release(embedder))
    point_to(home, release(embedder, author="ben", model_path="models/none"))
    response = client(home).get("/v1/releases/current", params={"author": "ben"})
    assert (response.status_code, response.json()["error"]["type"]) == (503, "not_loaded")
    response = TestClient(create_app()).get("/v1/releases/current")
    assert (response.status_code, response.json()["error"]["type"]) == (503, "not_ready")


def test_the_current_release_shows_no_path_of_the_machine(api: TestClient):
    given = api.get("/v1/releases/current").json()
    assert (given["release"], given["author_name"], given["base"]) == ("maya-000001", "Maya Lindqvist", "tiny-llama")
    assert "model_path" not in given


@pytest.mark.parametrize(
    ("error", "status"), [(StorageError("secret", where="/home/x"), 503), (ZeroDivisionError("/home/x"), 500)]
)
def test_a_fault_inside_says_nothing_of_the_inside(
    api: TestClient, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int
):
    def fails(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("llm_twin_assets.features.retrieve.Retriever.find", fails)
    response = api.post("/v1/answer", json=QUESTION, headers={"Cache-Control": "no-cache"})
    assert response.status_code == status
    assert "/home/x" not in response.text
    assert "Traceback" not in response.text


def test_what_nobody_foresaw_says_nothing_of_itself_and_has_the_headers_of_every_answer():
    app = create_app()

    @app.get("/broken")
    async def broken() -> None:
        raise RuntimeError("/home/maya/secret")

    with TestClient(app, raise_server_exceptions=False) as unlucky:
        given = unlucky.get("/broken")
    assert (given.status_code, given.json()["error"]["type"]) == (500, "internal_error")
    assert "secret" not in given.text
    assert {name: given.headers.get(name) for name in SECURITY_HEADERS} == SECURITY_HEADERS
