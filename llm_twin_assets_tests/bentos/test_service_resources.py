"""What runs out around the service: room on the disk, readers that read, the index on which it stands."""

import json
import os
import resource
import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from bentos.answer_log import AnswerLog
from bentos.api import create_app, open_up
from bentos.desk import Desk
from bentos.door import Door
from bentos.follower import ReleaseFollower
from llm_twin_assets.inference.answer import Answer
from llm_twin_assets.inference.caches import LruCache
from llm_twin_assets_tests.bentos import servers
from llm_twin_assets_tests.bentos.scripted import Scripted, scripted_desk
from llm_twin_assets_tests.faults.full_disk import full_disk
from llm_twin_assets_tests.inference import tiny_twin
from resources.access_settings import Access
from resources.embedder import Embedder
from resources.release_settings import Trial

ASKED = {"question": "How should I split samples into training and test set?", "author": "maya"}
STREAMED = {**ASKED, "stream": True}
SLOW_READERS = 1000
ROOM = SLOW_READERS + 64


@contextmanager
def serving(desk: Desk, **access: float) -> Iterator[httpx.Client]:
    app = create_app()
    open_up(app, desk, Door(None, Access.model_validate(access)))
    with servers.in_thread(app) as url, httpx.Client(base_url=url, timeout=60) as client:
        yield client


def test_with_a_full_disk_it_answers_streams_and_keeps_following(
    embedder: Embedder, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    own = scripted_desk(tmp_path, embedder, Scripted(), authors=("maya",))
    with serving(own) as client:
        tiny_twin.try_out(tmp_path, tiny_twin.release(embedder, sequence=2), Trial(share=0.5))
        own.releases._every = 0.02
        with full_disk():
            own.releases.start()
            given = client.post("/v1/answer", json=ASKED).json()
            assert given["outcome"] == "answered"
            said = {"answer_id": given["answer_id"], "thumb": "up"}
            lost = client.post("/v1/feedback", json=said)
            assert (lost.status_code, lost.json()["error"]["type"]) == (503, "not_kept")
            assert "event: answer" in client.post("/v1/answer", json=STREAMED).text
            assert client.post("/v1/search", json={"query": "ferry", "author": "maya"}).status_code == 200
            servers.wait_until(lambda: "cannot be written" in caplog.text)
        servers.wait_until(lambda: any((tmp_path / "objects/canaries").rglob("seen/*.json")))
        own.releases.stop()
        assert client.post("/v1/feedback", json=said).is_success


def test_an_index_that_is_gone_from_the_disk_is_said_and_what_comes_in_its_place_is_served(
    embedder: Embedder, tmp_path: Path
):
    own = scripted_desk(tmp_path, embedder, Scripted(), authors=("maya",))
    with serving(own) as client:
        assert client.post("/v1/search", json={"query": "ferry", "author": "maya"}).status_code == 200
        shutil.rmtree(tmp_path / "embedded")
        statuses = {client.post("/v1/search", json={"query": str(number), "author": "maya"}).status_code
                    for number in range(3)}  # fmt: skip
        assert statuses <= {200, 503}, "what lies in memory may still be found, and nothing else is made up"
        assert client.post("/v1/answer", json=ASKED).status_code in (200, 503)
        tiny_twin.embed_documents(tmp_path, embedder)
        tiny_twin.point_to(tmp_path, tiny_twin.release(embedder, sequence=2))
        own.releases.poll()
        assert client.post("/v1/answer", json=ASKED).json()["release"] == "maya-000002"


@pytest.fixture
def room_for_sockets() -> Iterator[None]:
    """Both ends of a thousand connections are of this process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * ROOM + 256
    if hard != resource.RLIM_INFINITY and hard < wanted:
        pytest.skip(f"this machine allows {hard} open files a process")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.usefixtures("room_for_sockets", "engine")
def test_a_thousand_slow_readers_hold_up_nobody_and_cost_little(desk: Desk):
    """All ask for a stream at once and read nothing of it; the queue takes them all, and then somebody else asks."""
    own = replace(desk, log=AnswerLog(), releases=remembering(desk))
    with serving(own, queue=ROOM) as client:
        client.post("/v1/answer", json=ASKED)
        before = resident_mb()
        lines = opened(client, SLOW_READERS)
        try:
            servers.wait_until(lambda: len(own.log._kept) >= SLOW_READERS)
            began = time.monotonic()
            assert client.post("/v1/answer", json=ASKED).json()["outcome"] == "answered"
            assert time.monotonic() - began < 5
            assert resident_mb() - before < 200
            assert lines[0].recv(12) == b"HTTP/1.1 200", "whoever reads at last gets what was written"
            received = b"".join(iter(lambda: lines[0].recv(65536), b""))
            assert b"event: answer" in received
        finally:
            for line in lines:
                line.close()


def remembering(desk: Desk) -> ReleaseFollower:
    """The same releases, which remember what they answered: a thousand answers shall cost next to nothing."""
    following = copy(desk.releases)
    answers = LruCache[Answer](9, 10**6, lambda answer: answer.bytes)
    following._current = {
        author: replace(each, twin=replace(each.twin, answers=answers))
        for author, each in desk.releases.current.items()
    }
    return following


def opened(client: httpx.Client, count: int) -> list[socket.socket]:
    """Connections that have asked for a stream, with the smallest room for what comes that the kernel gives."""
    content = json.dumps(STREAMED).encode()
    head = "POST /v1/answer HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nConnection: close\r\n"
    request = f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content
    made = []
    for _ in range(count):
        line = socket.socket()
        line.settimeout(30)
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
        line.connect((client.base_url.host, client.base_url.port or 80))
        line.sendall(request)
        made.append(line)
    return made


def resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
