"""The service as it runs: BentoML and Phoenix as processes, driven over HTTP."""

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from llm_twin_assets.lineage.answers import answer_of, answers_of
from llm_twin_assets.monitoring.traces import answers_between
from llm_twin_assets_tests.bentos import servers
from llm_twin_assets_tests.inference.tiny_twin import DOCUMENTS, point_to, release
from resources.embedder import Embedder

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

QUESTION = {"question": "How should I split samples into training and test set?"}
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
    assert "Traceback" not in log.read_text()


def _assert_page_and_streams_are_ours(client: httpx.Client) -> None:
    page = client.get("/")
    assert "/chat.js" in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert client.get("/", headers={"Host": "evil.example"}).status_code == 403
    assert [each["id"] for each in client.get("/v1/models").json()["data"]] == ["maya"]
    streamed = client.post("/v1/answer", json={**QUESTION, "stream": True}).text
    assert streamed.startswith("event: delta\ndata: ")
    assert "event: answer\ndata: " in streamed


def _assert_swaps_without_a_failure(client: httpx.Client, home: Path, embedder: Embedder) -> None:
    stop = threading.Event()
    seen: list[tuple[int, str]] = []

    def ask() -> None:
        while not stop.is_set():
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


def _assert_trace_arrived(phoenix: str, trace_id: str, trace_url: str) -> None:
    from phoenix.client import Client

    deadline = time.monotonic() + 60
    spans = []
    while len(spans) < 3 and time.monotonic() < deadline:
        time.sleep(0.5)
        spans = Client(base_url=phoenix).spans.get_spans(project_identifier="twin-maya", trace_ids=[trace_id])
    by_name = {span["name"]: span for span in spans}
    assert {name: span["span_kind"] for name, span in by_name.items()} == {
        "answer": "CHAIN",
        "retrieve": "RETRIEVER",
        "generate": "LLM",
    }
    root = by_name["answer"]["context"]["span_id"]
    assert by_name["answer"].get("parent_id") is None
    assert {by_name[name]["parent_id"] for name in ("retrieve", "generate")} == {root}
    attributes = by_name["generate"]["attributes"]
    assert attributes["llm.token_count.prompt"] > 0
    assert attributes["llm.model_name"] == "twin-maya/1"
    assert trace_url == f"{phoenix}/redirects/traces/{trace_id}"
    now = datetime.now(UTC)
    seen = answers_between(phoenix, "maya", now - timedelta(minutes=30), now + timedelta(minutes=1))
    assert len(seen) >= 1
    assert all(each.degraded and not each.failed for each in seen)
    assert answers_between(phoenix, "nobody", now - timedelta(minutes=30), now) == []
    _assert_lineage_begins_at_the_answer(phoenix, trace_id)


def _assert_lineage_begins_at_the_answer(phoenix: str, trace_id: str) -> None:
    read = answer_of(phoenix, "maya", trace_id)
    assert read is not None
    assert (read.release, read.details["question"]) == ("maya-000001", QUESTION["question"])
    assert set(read.documents) <= set(TEXTS)
    assert read.documents
    assert read in answers_of(phoenix, "maya").answers
    assert answer_of(phoenix, "nobody", trace_id) is None
