"""The service as it runs: BentoML and Phoenix as processes, driven over HTTP."""

import threading
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from llm_twin_assets.domain.feedback import FEEDBACK_TABLE, feedback_of
from llm_twin_assets.lineage.answers import answer_of, answers_of
from llm_twin_assets.monitoring.answer_traces import read_answers
from llm_twin_assets.monitoring.feedback_assets import Collecting
from llm_twin_assets_tests.bentos import servers
from llm_twin_assets_tests.inference.tiny_twin import DOCUMENTS, point_to, release
from resources.embedder import Embedder
from resources.object_store import ObjectStore
from resources.phoenix_annotations import PhoenixAnnotations
from resources.settings import Author, Settings, Source
from resources.warehouse import Warehouse

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

QUESTION = {"question": "How should I split samples into training and test set?"}
# Between two requests of one who asks without end: some twenty a second, and the new release can be loaded meanwhile.
PAUSE = 0.05
TEXTS = {each.document_id: each.text for each in DOCUMENTS}


@pytest.fixture(scope="module")
def phoenix(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with servers.phoenix(tmp_path_factory.mktemp("phoenix")) as url:
        yield url


def test_from_nothing_released_to_a_swap_under_requests(
    built_home: Path, embedder: Embedder, phoenix: str, tmp_path: Path
):
    log = tmp_path / "service.log"
    with servers.service(built_home, phoenix, log) as url, httpx.Client(base_url=url, timeout=60) as client:
        assert client.get("/readyz").status_code == 503
        assert client.post("/v1/answer", json=QUESTION).status_code == 503
        point_to(built_home, release(embedder))
        servers.wait_for(f"{url}/readyz")

        given = client.post("/v1/answer", json=QUESTION).raise_for_status().json()
        assert given["release"] == "maya-000001"
        assert given["citations"]
        for each in given["citations"]:
            assert TEXTS[each["document_id"]][each["start"] : each["end"]] == each["quote"]
        assert client.post("/v1/answer", json={**QUESTION, "author": "nobody"}).status_code == 404
        assert client.post("/v1/answer", json={"question": ""}).status_code == 422
        assert client.get("/v1/releases/current").json()["release"] == "maya-000001"
        _assert_page_and_streams_are_ours(client)

        _assert_swaps_without_a_failure(client, built_home, embedder)
        _assert_trace_arrived(phoenix, given["trace_id"], given["trace_url"])
        _assert_feedback_goes_to_phoenix_and_comes_back_once(client, phoenix, built_home, given["trace_id"])
        _assert_lives_without_its_engine(client, url)
    assert "Traceback" not in log.read_text()


def _assert_page_and_streams_are_ours(client: httpx.Client) -> None:
    page = client.get("/")
    assert "/chat.js" in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert client.get("/", headers={"Host": "evil.example"}).status_code == 403
    metrics = client.get("/metrics").text
    assert 'twin_answers_total{author="maya"' in metrics
    assert "\ntwin_engine_models 1.0\n" in metrics
    assert "bentoml" not in metrics, "its own would count every path that somebody makes up"
    assert client.get("/metrics", headers={"Host": "evil.example"}).status_code == 403
    assert [each["id"] for each in client.get("/v1/models").json()["data"]] == ["maya"]
    streamed = client.post("/v1/answer", json={**QUESTION, "stream": True}).text
    assert streamed.startswith("event: delta\ndata: ")
    assert "event: answer\ndata: " in streamed


def _assert_swaps_without_a_failure(client: httpx.Client, home: Path, embedder: Embedder) -> None:
    stop = threading.Event()
    seen: list[tuple[int, str]] = []

    def ask() -> None:
        while not stop.wait(PAUSE):
            response = client.post("/v1/answer", json=QUESTION)
            seen.append((response.status_code, response.json().get("release", "")))

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    point_to(home, release(embedder, sequence=2, model_path="models/other"))
    deadline = time.monotonic() + 60
    while (200, "maya-000002") not in seen and time.monotonic() < deadline:
        time.sleep(0.1)
    stop.set()
    for thread in threads:
        thread.join()
    assert {status for status, _ in seen} == {200}
    assert {name for _, name in seen} >= {"maya-000002"}
    assert client.get("/v1/releases/current").json()["model_version"] == "2"


def _assert_lives_without_its_engine(client: httpx.Client, url: str) -> None:
    """Killed under load: nobody goes without an answer, and the supervisor's next one is asked again."""
    uncached = {"Cache-Control": "no-cache"}
    seen: list[httpx.Response] = []
    stop = threading.Event()

    def ask() -> None:
        while not stop.wait(PAUSE):
            seen.append(client.post("/v1/answer", json=QUESTION, headers=uncached))

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    servers.process_of(url, "Engine").kill()
    servers.wait_until(lambda: _tokens(seen) == 0)
    servers.wait_for(f"{url}/readyz")
    servers.wait_until(lambda: _tokens(seen) > 0)
    stop.set()
    for thread in threads:
        thread.join()
    assert {each.status_code for each in seen} == {200}
    given = [each.json() for each in seen]
    assert all(each["citations"] for each in given)
    without = [each for each in given if not each["usage"]["completion_tokens"]]
    assert all(each["degraded"] and each["outcome"] == "quoted" for each in without)


def _tokens(seen: Sequence[httpx.Response]) -> int:
    """What the model wrote of the last answer; -1 before there is one."""
    return int(seen[-1].json()["usage"]["completion_tokens"]) if seen else -1


def _assert_trace_arrived(phoenix: str, trace_id: str, trace_url: str) -> None:
    from phoenix.client import Client

    deadline = time.monotonic() + 60
    spans = []
    while len(spans) < 4 and time.monotonic() < deadline:
        time.sleep(0.5)
        spans = Client(base_url=phoenix).spans.get_spans(project_identifier="twin-maya", trace_ids=[trace_id])
    by_name = {span["name"]: span for span in spans}
    assert {name: span["span_kind"] for name, span in by_name.items()} == {
        "answer": "CHAIN",
        "embed": "EMBEDDING",
        "retrieve": "RETRIEVER",
        "generate": "LLM",
    }
    root = by_name["answer"]["context"]["span_id"]
    assert by_name["answer"].get("parent_id") is None
    assert {by_name[name]["parent_id"] for name in ("embed", "retrieve", "generate")} == {root}
    attributes = by_name["generate"]["attributes"]
    assert attributes["llm.token_count.prompt"] > 0
    assert attributes["llm.model_name"] == "twin-maya/1"
    assert trace_url == f"{phoenix}/redirects/traces/{trace_id}"
    now = datetime.now(UTC) + timedelta(minutes=1)
    read = read_answers(phoenix, "maya", None, now, None, 100)
    assert trace_id in {each.trace_id for each in read.answers}
    assert all(each.degraded and not each.failed and each.release for each in read.answers)
    later = read_answers(phoenix, "maya", read.position, now, now, 100)
    assert not {each.trace_id for each in later.answers} & {each.trace_id for each in read.answers}
    assert read_answers(phoenix, "nobody", None, now, None, 100).answers == ()
    _assert_lineage_begins_at_the_answer(phoenix, trace_id)


def _assert_feedback_goes_to_phoenix_and_comes_back_once(
    client: httpx.Client, phoenix: str, home: Path, trace_id: str
) -> None:
    """Said to the service it is an annotation; said on Phoenix's page, whose words these are, it is a row."""
    said = {"answer_id": trace_id, "thumb": "down", "corrected_text": "By document, always."}
    assert client.post("/v1/feedback", json=said).raise_for_status().json()["answer_known"]
    there = PhoenixAnnotations(phoenix)
    root = there.root_span("twin-maya", trace_id)
    assert root
    servers.wait_until(lambda: len(there.of_spans("twin-maya", [root])) == 2)
    assert there.annotated_by_hand("twin-maya") == []
    by_hand = "mutation($input: [CreateSpanAnnotationInput!]!) { createSpanAnnotations(input: $input) { __typename } }"
    span = httpx.get(f"{phoenix}/v1/projects/twin-maya/spans", params={"span_id": root}).json()["data"][0]["id"]
    page = {"spanId": span, "name": "thumb", "label": "up", "annotatorKind": "HUMAN", "source": "APP", "metadata": {}}
    httpx.post(f"{phoenix}/graphql", json={"query": by_hand, "variables": {"input": [page]}}).raise_for_status()
    settings = Settings(authors={"maya": Author(name="Maya", sources=(Source(platform="files"),))})
    warehouse = Warehouse(str(home / "warehouse"))
    collecting = Collecting("maya", ObjectStore(str(home / "objects")), warehouse, settings, phoenix)
    first, again = (collecting.collect(datetime.now(UTC)) for _ in range(2))
    assert (len(first.gathered.rows), first.told, first.trouble) == (2, 0, None)
    assert (again.gathered.rows, again.told, again.untold) == ((), 0, 0)
    rows = {each.source: each for each in feedback_of(warehouse.read(FEEDBACK_TABLE, "maya"))}
    assert {source: (each.thumb, each.in_phoenix) for source, each in rows.items()} == {
        "service": ("down", True),
        "phoenix": ("up", True),
    }
    assert rows["phoenix"].question == QUESTION["question"]
    assert {each.name for _, each in there.of_spans("twin-maya", [root])} == {"thumb", "correction"}


def _assert_lineage_begins_at_the_answer(phoenix: str, trace_id: str) -> None:
    read = answer_of(phoenix, "maya", trace_id)
    assert read is not None
    assert (read.release, read.details["question"]) == ("maya-000001", QUESTION["question"])
    assert set(read.documents) <= set(TEXTS)
    assert read.documents
    assert read in answers_of(phoenix, "maya").answers
    assert answer_of(phoenix, "nobody", trace_id) is None
