"""A real HTTP server on 127.0.0.1 that answers as a platform would; tests write its pages."""

import gzip
import hashlib
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it came."""

    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]

    @property
    def conditional(self) -> bool:
        return "if-none-match" in self.headers or "if-modified-since" in self.headers


@dataclass(frozen=True, slots=True)
class Reply:
    """What to answer; `etag` is computed from the body unless told otherwise, and a matching request gets 304."""

    body: bytes | str | list[object] | dict[str, object] = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    media_type: str = ""
    etag: bool = True
    compressed: bool = False

    def sent(self) -> tuple[bytes, dict[str, str]]:
        kind = self.media_type
        if isinstance(self.body, list | dict):
            data, kind = json.dumps(self.body).encode(), kind or "application/json; charset=utf-8"
        else:
            data = self.body.encode() if isinstance(self.body, str) else self.body
        headers = {"Content-Type": kind or "text/html; charset=utf-8", **self.headers}
        if self.etag and self.status == 200:
            headers.setdefault("ETag", f'"{hashlib.sha256(data).hexdigest()[:16]}"')
        if self.compressed:
            data, headers["Content-Encoding"] = gzip.compress(data), "gzip"
        return data, headers


Page = Reply | Callable[[Asked], Reply]


class Web:
    """Pages by path. `requests` is what was asked so far; `url` the address of the server."""

    def __init__(self) -> None:
        self.pages: dict[str, Page] = {}
        self.requests: list[Asked] = []
        self.url = ""
        self.neighbours: tuple[str, ...] = ()  # servers beside it that may be asked

    @property
    def host(self) -> str:
        return urlsplit(self.url).netloc

    def serve(self, path: str, page: Page | str | bytes | list[object] | dict[str, object]) -> str:
        """Put a page at a path; returns its address."""
        self.pages[path] = page if isinstance(page, Reply) or callable(page) else Reply(page)
        return f"{self.url}{path}"

    def asked_for(self, path: str) -> list[Asked]:
        return [each for each in self.requests if each.path == path]

    def answer(self, asked: Asked) -> Reply:
        page = self.pages.get(asked.path, Reply("nothing here", 404))
        return page(asked) if callable(page) else page


@contextmanager
def local_web() -> Iterator[Web]:
    """A server on a free port, gone after the block."""
    web = Web()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Headers and body in two packets would wait 40 ms for Nagle's algorithm, request after request.
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            asked = Asked(
                parts.path,
                {key: values[-1] for key, values in parse_qs(parts.query, keep_blank_values=True).items()},
                {key.lower(): value for key, value in self.headers.items()},
            )
            web.requests.append(asked)
            reply = web.answer(asked)
            body, headers = reply.sent()
            status = reply.status
            if status == 200 and headers.get("ETag") and asked.headers.get("if-none-match") == headers["ETag"]:
                status, body = 304, b""
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    web.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield web
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
