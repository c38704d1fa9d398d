"""Of Phoenix's REST interface, how it pages through spans in the order in which they came, in a thread of this process.

What it answers was compared with the real one (20.21.0): a cursor is the id of the first span of the page.
"""

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from llm_twin_assets.monitoring.answers import AnswerSeen


@dataclass
class Phoenix:
    """One project, `twin-maya`. `broken` is what it says instead of an answer."""

    url: str = ""
    spans: list[dict[str, Any]] = field(default_factory=list)
    broken: tuple[int, bytes] | None = None
    asked: int = 0

    def answered(self, *seen: AnswerSeen, late: timedelta = timedelta(0), **metadata: object) -> None:
        """Traces of answers come in, by a clock that is so much ahead."""
        for each in seen:
            started = each.started_at + late
            ended = started + timedelta(seconds=each.seconds)
            if each.vector:
                vector = {"embedding.embeddings.0.embedding.vector": list(each.vector)}
                self._add("embed", each.trace_id, started, started, vector, parent="root")
            said = {
                "author": each.author, "release": each.release, "snapshot": each.snapshot, "outcome": each.outcome,
                "degraded": each.degraded, "cause": each.cause, "support": each.support, "citations": each.citations,
                "cached": each.cached, "relevance": each.relevance, "prompt_tokens": each.prompt_tokens,
                "completion_tokens": each.completion_tokens, "personal_data": each.personal_data, "form": each.form,
                "canary": each.canary, "question_digest": each.question_digest,
                "first_token_ms": 1000 * (each.first_token_seconds or 0), **metadata,
            }  # fmt: skip
            attributes = {f"metadata.{key}": value for key, value in said.items() if value is not None}
            self._add("answer", each.trace_id, started, ended, attributes, failed=each.failed)

    def _add(
        self,
        name: str,
        trace: str,
        started: datetime,
        ended: datetime,
        attributes: dict[str, object],
        *,
        parent: str | None = None,
        failed: bool = False,
    ) -> None:
        number = f"Span:{len(self.spans) + 1}".encode()
        self.spans.append(
            {
                "id": base64.b64encode(number).decode(), "name": name, "context": {"trace_id": trace, "span_id": trace},
                "parent_id": parent, "start_time": started.isoformat(), "end_time": ended.isoformat(),
                "status_code": "ERROR" if failed else "OK", "attributes": attributes,
            }
        )  # fmt: skip

    def page(self, asked: dict[str, list[str]]) -> dict[str, Any]:
        found = [each for each in self.spans if _is_wanted(each, asked)]
        if asked.get("order") != ["asc"]:
            found.reverse()
        if "cursor" in asked:
            at = _number(asked["cursor"][0])
            is_before = (lambda n: n >= at) if asked.get("order") == ["asc"] else (lambda n: n <= at)
            found = [each for each in found if is_before(_number(each["id"]))]
        limit = int(asked["limit"][0])
        return {"data": found[:limit], "next_cursor": found[limit]["id"] if len(found) > limit else None}


def _is_wanted(span: dict[str, Any], asked: dict[str, list[str]]) -> bool:
    return (
        span["name"] in asked.get("name", [span["name"]])
        and span["context"]["trace_id"] in asked.get("trace_id", [span["context"]["trace_id"]])
        and not ("parent_id" in asked and span["parent_id"])
    )


def _number(span: str) -> int:
    return int(base64.b64decode(span).decode().split(":")[1])


@contextmanager
def phoenix_pages() -> Iterator[Phoenix]:
    """A Phoenix that knows nothing yet."""
    known = Phoenix()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known.asked += 1
            parts = urlsplit(self.path)
            status, body = 404, b"{}"
            if known.broken:
                status, body = known.broken
            elif parts.path == "/v1/projects/twin-maya/spans":
                status, body = 200, json.dumps(known.page(parse_qs(parts.query))).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Silent."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        known.url = f"http://127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield known
        server.shutdown()
