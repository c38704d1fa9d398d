"""Of Phoenix's REST interface, what feedback asks it, in a thread of this process.

What it answers was compared with the real one, which test_live_service.py asks the same.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

WHEN = "2026-11-21T12:00:00+00:00"


@dataclass
class Phoenix:
    """One project, `twin-maya`: its spans, and the annotations of them by span, name and identifier."""

    url: str = ""
    spans: list[dict[str, Any]] = field(default_factory=list)
    annotations: dict[tuple[str, str, str], dict[str, Any]] = field(default_factory=dict)
    configs: list[str] = field(default_factory=list)
    written: int = 0

    def answered(self, trace: str, question: str = "Why?", answer: str = "So.", documents: tuple[str, ...] = ()) -> str:
        """A trace of an answer; returns the id of its root span."""
        root = trace[:16]
        found = {f"retrieval.documents.{at}.document.metadata.document_id": each for at, each in enumerate(documents)}
        said = {"input.value": question, "output.value": answer}
        self.spans += [
            {"name": "answer", "context": {"trace_id": trace, "span_id": root}, "parent_id": None, "attributes": said},
            {"name": "retrieve", "context": {"trace_id": trace, "span_id": trace[16:]}, "parent_id": root,
             "attributes": found},
        ]  # fmt: skip
        return root

    def by_hand(self, span: str, name: str, identifier: str = "", **result: object) -> None:
        """What somebody says on Phoenix's page."""
        self._keep({"span_id": span, "name": name, "identifier": identifier, "result": result}, "APP")

    def named(self, trace: str) -> list[str]:
        """The names of all annotations of an answer, each as often as it is there."""
        return sorted(name for span, name, _ in self.annotations if span == trace[:16])

    def get(self, path: str, asked: dict[str, list[str]]) -> Any:
        match path.split("/")[3:]:
            case ["twin-maya", "spans"]:
                return [each for each in self.spans if self._is_wanted(each, asked)]
            case ["twin-maya", "traces"]:
                spans = {span for span, _, identifier in self.annotations if "twin:" not in identifier}
                return [each["context"] for each in self.spans if each["context"]["span_id"] in spans]
            case ["twin-maya", "span_annotations"]:
                spans, identifiers = asked.get("span_ids", []), asked.get("identifier", [])
                rows = self.annotations.values()
                return [each for each in rows if each["span_id"] in spans or each["identifier"] in identifiers]
            case ["twin-maya", "annotation_configs"]:
                return [{"name": name} for name in self.configs]
        return None

    def post(self, path: str, body: Any) -> int:
        if path.startswith("/v1/annotation_configs"):
            return 200
        known = {each["context"]["span_id"] for each in self.spans}
        if any(each["span_id"] not in known for each in body["data"]):
            return 404
        for each in body["data"]:
            self.written += 1
            self._keep(each, "API")
        return 200

    def _keep(self, said: dict[str, Any], source: str) -> None:
        key = (said["span_id"], said["name"], said["identifier"])
        row = self.annotations.get(key, {}).get("id") or f"row-{len(self.annotations)}"
        result = {"label": None, "score": None, "explanation": None, **said["result"]}
        self.annotations[key] = {**said, "id": row, "updated_at": WHEN, "source": source, "result": result}

    @staticmethod
    def _is_wanted(span: dict[str, Any], asked: dict[str, list[str]]) -> bool:
        traces, names = asked.get("trace_id", []), asked.get("name", [])
        return span["context"]["trace_id"] in traces and (not names or span["name"] in names)


@contextmanager
def phoenix() -> Iterator[Phoenix]:
    """On a free port."""
    served = Phoenix()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = urlsplit(self.path)
            data = served.get(asked.path, parse_qs(asked.query))
            self._answer(404 if data is None else 200, {"data": data, "next_cursor": None})

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            self._answer(served.post(self.path, body), {"data": []})

        def do_PUT(self) -> None:
            served.configs.append(self.path.rsplit("/", 1)[1])
            self._answer(200, {})

        def _answer(self, status: int, said: object) -> None:
            content = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *args: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
