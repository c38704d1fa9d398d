"""Against a server of this test's own that speaks the part of the hub's protocol that is needed."""

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from llm_twin_assets.datasets.hub import HubError, push

huggingface_hub = pytest.importorskip("huggingface_hub")
REPOSITORY = "maya/words"


class Hub(ThreadingHTTPServer):
    """What was created and committed; `refuse` is the status that every request to write gets."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.private: dict[str, bool] = {}
        self.files: dict[str, bytes] = {}
        self.refuse = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Answers(BaseHTTPRequestHandler):
    server: Hub

    def log_message(self, *_: object) -> None:
        """Quiet."""

    def do_GET(self) -> None:
        if "/tree/" in self.path:
            return self._say(200, [])
        if self.path.startswith(f"/api/datasets/{REPOSITORY}") and REPOSITORY in self.server.private:
            return self._say(200, {"id": REPOSITORY, "private": self.server.private[REPOSITORY], "sha": "0" * 40})
        return self._say(404, {"error": "not found"})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        if self.server.refuse:
            return self._say(self.server.refuse, {"error": "no"})
        if self.path.endswith("/repos/create"):
            return self._created(json.loads(body))
        if "/preupload/" in self.path:
            named = [file["path"] for file in json.loads(body)["files"]]
            modes = [{"path": path, "uploadMode": "regular", "shouldIgnore": False} for path in named]
            return self._say(200, {"files": modes})
        if "/commit/" in self.path:
            return self._committed(body)
        return self._say(200, {"errors": [], "warnings": []})  # what it thinks of the card

    def _created(self, asked: dict[str, object]) -> None:
        private = asked.get("private") is True or asked.get("visibility") == "private"
        exists = REPOSITORY in self.server.private
        self.server.private.setdefault(REPOSITORY, private)
        self._say(409 if exists else 200, {"url": f"{self.server.url}/datasets/{REPOSITORY}", "name": REPOSITORY})

    def _committed(self, body: bytes) -> None:
        for line in map(json.loads, body.decode().splitlines()):
            if line["key"] == "file":
                self.server.files[line["value"]["path"]] = base64.b64decode(line["value"]["content"])
        url = f"{self.server.url}/datasets/{REPOSITORY}/commit/1"
        self._say(200, {"success": True, "commitUrl": url, "commitOid": "1" * 40, "hookOutput": ""})

    def _say(self, status: int, value: object) -> None:
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setenv("HF_TOKEN", "hf_made_up_for_a_test")
    server = Hub()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, content in {
        "README.md": "card",
        "manifest.json": "{}",
        "train.parquet": "PAR1",
        "notes.txt": "x",
    }.items():
        (tmp_path / name).write_text(content)
    return tmp_path


def test_a_version_is_private_unless_somebody_says_otherwise(hub: Hub, folder: Path) -> None:
    url = push(folder, REPOSITORY, "Dataset version d", endpoint=hub.url)
    assert url == f"{hub.url}/datasets/{REPOSITORY}"
    assert hub.private == {REPOSITORY: True}
    assert hub.files == {"README.md": b"card", "manifest.json": b"{}", "train.parquet": b"PAR1"}


def test_a_repository_that_is_public_already_gets_nothing(hub: Hub, folder: Path) -> None:
    hub.private[REPOSITORY] = False
    with pytest.raises(HubError, match=r"the repository is public.*say --public"):
        push(folder, REPOSITORY, "Dataset version d", endpoint=hub.url)
    assert hub.files == {}


def test_who_says_public_makes_it_public(hub: Hub, folder: Path) -> None:
    push(folder, REPOSITORY, "Dataset version d", public=True, endpoint=hub.url)
    assert hub.private == {REPOSITORY: False}
    assert hub.files


@pytest.mark.parametrize("status", [401, 403])
def test_a_token_that_may_not_is_told_how_to_log_in(hub: Hub, folder: Path, status: int) -> None:
    hub.refuse = status
    with pytest.raises(HubError, match=r"maya/words: the hub refused.*hf auth login"):
        push(folder, REPOSITORY, "Dataset version d", endpoint=hub.url)


def test_a_hub_that_is_not_there_is_one_line(hub: Hub, folder: Path) -> None:
    with pytest.raises(HubError, match="maya/words: cannot be pushed"):
        push(folder, REPOSITORY, "Dataset version d", endpoint="http://127.0.0.1:9")


def test_a_name_that_no_repository_can_have_is_refused(hub: Hub, folder: Path) -> None:
    with pytest.raises(HubError, match="cannot be pushed"):
        push(folder, "not/a/name", "Dataset version d", endpoint=hub.url)
