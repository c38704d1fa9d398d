"""What goes wrong around the service, over real sockets: who leaves, who does not read, what is gone."""

import json
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import httpx
import pytest

from bentos.api import create_app, open_up
from bentos.desk import Desk
from bentos.door import Door
from llm_twin_assets.inference.engine import EngineError
from llm_twin_assets_tests.bentos import servers
from llm_twin_assets_tests.bentos.scripted import Scripted, scripted_desk
from resources.access_settings import Access
from resources.api_keys import Keyring, new_key, write_keys
from resources.embedder import Embedder
from resources.errors import StorageError

ASKED = {"question": "How should I split samples into training and test set?", "author": "maya"}
STREAMED = {**ASKED, "stream": True}
SLOW = 0.2


@contextmanager
def serving(desk: Desk, keyring: Keyring | None = None, **access: float) -> Iterator[httpx.Client]:
    app = create_app()
    open_up(app, desk, Door(keyring, Access.model_validate(access)))
    with servers.in_thread(app) as url, httpx.Client(base_url=url, timeout=30) as client:
        yield client


@pytest.fixture(scope="module")
def client(desk: Desk) -> Iterator[httpx.Client]:
    with serving(desk) as made:
        yield made


def connected(client: httpx.Client) -> socket.socket:
    return socket.create_connection((client.base_url.host, client.base_url.port or 80), timeout=30)


def raw(body: dict[str, object], *, length: int | None = None) -> bytes:
    content = json.dumps(body).encode()
    head = "POST /v1/answer HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {length or len(content)}\r\n\r\n".encode() + content


def events(response: httpx.Response) -> list[tuple[str, dict[str, dict[str, str]]]]:
    blocks = response.read().decode().split("\n\n")[:-1]
    pairs = [block.split("\n", 1) for block in blocks]
    return [(name.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for name, data in pairs]


def test_who_closes_a_stream_frees_the_engine(client: httpx.Client, engine: Scripted):
    engine.pause = SLOW
    with client.stream("POST", "/v1/answer", json=STREAMED) as response:
        assert response.status_code == 200
    assert engine.noticed.wait(10)


@pytest.mark.parametrize("body", [ASKED, STREAMED])
def test_who_hangs_up_frees_the_engine(client: httpx.Client, engine: Scripted, body: dict[str, object]):
    engine.pause = SLOW
    with connected(client) as line:
        line.sendall(raw(body))
        wait_until_asked(engine)
    assert engine.noticed.wait(10)


def test_half_a_connection_closed_is_somebody_who_left(client: httpx.Client, engine: Scripted):
    engine.pause = SLOW
    with connected(client) as line:
        line.sendall(raw(ASKED))
        wait_until_asked(engine)
        line.shutdown(socket.SHUT_WR)
        assert engine.noticed.wait(10)
    engine.reset()
    assert client.post("/v1/answer", json=ASKED).status_code == 200


def test_a_request_that_breaks_off_harms_nobody(client: httpx.Client, engine: Scripted):
    for whole in (raw(ASKED, length=5000), raw(ASKED)[:40], b"\x00\xff\r\n\r\n", b""):
        with connected(client) as line:
            line.sendall(whole)
    assert client.post("/v1/answer", json=ASKED).status_code == 200
    assert len(engine.asked) == 1


def test_two_dozen_who_ask_for_a_stream_and_do_not_read_it_hold_up_nobody(client: httpx.Client, engine: Scripted):
    lines = [connected(client) for _ in range(24)]
    try:
        for line in lines:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
            line.sendall(raw(STREAMED))
        wait_until_asked(engine, len(lines))
        assert client.post("/v1/answer", json=ASKED).json()["outcome"] == "answered"
    finally:
        for line in lines:
            line.close()


def test_where_the_queue_is_full_one_is_told_when_to_come_again(desk: Desk, engine: Scripted):
    engine.pause = 0.02
    answers: list[httpx.Response] = []
    with serving(desk, threads=1, queue=1) as crowded:
        threads = [Thread(target=lambda: answers.append(crowded.post("/v1/answer", json=ASKED))) for _ in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(each.status_code for each in answers) == [200, 200, 429, 429, 429]
    refused = next(each for each in answers if each.status_code == 429)
    assert refused.json()["error"]["type"] == "saturated"
    assert int(refused.headers["Retry-After"]) >= 1


def test_a_deadline_covers_an_answer_and_the_whole_of_a_stream(desk: Desk, engine: Scripted):
    engine.pause = SLOW
    with serving(desk, deadline_seconds=0.5) as hurried:
        late = hurried.post("/v1/answer", json=ASKED)
        assert (late.status_code, late.json()["error"]["type"]) == (504, "deadline")
        assert engine.noticed.wait(10)
        engine.noticed.clear()
        with hurried.stream("POST", "/v1/answer", json=STREAMED) as response:
            assert events(response)[-1] == ("error", late.json())
        assert engine.noticed.wait(10)
        chat = {"model": "maya", "messages": [{"role": "user", "content": "How to split samples?"}], "stream": True}
        said = hurried.post("/v1/chat/completions", json=chat).text
        assert '"type":"server_error"' in said
        assert "[DONE]" not in said


def test_a_key_revoked_in_the_middle_of_a_stream_ends_it(desk: Desk, engine: Scripted, tmp_path: Path):
    engine.pause = SLOW
    token, key = new_key("short-lived")
    write_keys(tmp_path / "keys.json", [key])
    with serving(desk, Keyring(tmp_path / "keys.json")) as guarded:
        headers = {"Authorization": f"Bearer {token}"}
        with guarded.stream("POST", "/v1/answer", json=STREAMED, headers=headers) as response:
            write_keys(tmp_path / "keys.json", [])
            name, data = events(response)[-1]
        assert (name, data["error"]["type"]) == ("error", "unauthorized")
        assert engine.noticed.wait(10)
        assert guarded.post("/v1/answer", json=ASKED, headers=headers).status_code == 401


def test_what_is_under_way_when_the_service_stops_is_finished(desk: Desk, engine: Scripted):
    engine.pause = 0.05
    read: list[tuple[str, dict[str, dict[str, str]]]] = []
    with serving(desk) as leaving:
        url = f"{str(leaving.base_url).rstrip('/')}/v1/answer"

        def listen() -> None:
            with httpx.stream("POST", url, json=STREAMED, timeout=30) as response:
                read.extend(events(response))

        reader = Thread(target=listen)
        reader.start()
        wait_until_asked(engine)
    reader.join()
    assert read[-1][0] == "answer"


def test_an_engine_that_is_gone_leaves_the_authors_own_words(client: httpx.Client, engine: Scripted):
    engine.fails = EngineError("http://10.0.0.9 refused")
    given = client.post("/v1/answer", json=ASKED).json()
    assert (given["outcome"], given["degraded"]) == ("quoted", True)
    assert given["citations"]
    with client.stream("POST", "/v1/answer", json=STREAMED) as response:
        assert events(response)[-1][1]["outcome"] == "quoted"


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe", b'{"model": "\xff"}', b"[]", b"null", b'"\\ud800"'])
def test_what_is_no_json_or_no_text_is_400_for_openais_clients(client: httpx.Client, content: bytes):
    for path in ("/v1/chat/completions", "/v1/embeddings"):
        response = client.post(path, content=content, headers={"Content-Type": "application/json"})
        assert (response.status_code, response.json()["error"]["type"]) == (400, "invalid_request_error")


def test_a_vector_store_that_is_gone_is_said_and_nothing_of_it(
    client: httpx.Client, engine: Scripted, monkeypatch: pytest.MonkeyPatch
):
    def gone(*_: object) -> None:
        raise StorageError("refused", where="http://weaviate.internal:8080")

    monkeypatch.setattr("llm_twin_assets.features.retrieve.Retriever.find", gone)
    said = {"type": "unavailable", "message": "this twin cannot answer at the moment"}
    found = client.post("/v1/search", json={"query": "ferry", "author": "maya"})
    assert (found.status_code, found.json()["error"]) == (503, said)
    with client.stream("POST", "/v1/answer", json=STREAMED) as response:
        assert events(response) == [("error", {"error": said})]
    chat = client.post("/v1/chat/completions", json={"model": "maya", "messages": [{"role": "user", "content": "So?"}]})
    assert (chat.status_code, chat.json()["error"]["type"]) == (503, "server_error")


def test_a_pointer_that_cannot_be_read_leaves_the_release_serving(embedder: Embedder, tmp_path: Path):
    own = scripted_desk(tmp_path, embedder, Scripted(), authors=("maya",))
    (tmp_path / "objects" / "releases" / "maya" / "current.json").write_bytes(b"\xff{")
    own.releases.poll()
    assert own.released("maya").record.release_id == "maya-000001"


def wait_until_asked(engine: Scripted, times: int = 1) -> None:
    deadline = time.monotonic() + 30
    while len(engine.asked) < times and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(engine.asked) >= times
