"""A real git server on 127.0.0.1: `git http-backend` behind a handler; what it was asked is on record."""

import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit


@dataclass
class GitWeb:
    """Serves the bare repositories in `root`; `requests` are (method, path, Authorization header)."""

    root: Path
    url: str = ""
    requests: list[tuple[str, str, str | None]] = field(default_factory=list)
    password: str | None = None
    redirect_to: str | None = None

    @property
    def host(self) -> str:
        return urlsplit(self.url).netloc

    def clones(self, name: str) -> int:
        """How often a pack of this repository was asked for; asking for HEAD is one request, cloning two."""
        return sum(method == "POST" and path.startswith(f"/{name}.git/") for method, path, _ in self.requests)

    def publish(self, repository: Path, name: str) -> str:
        """Make (or bring up to date) a bare copy; returns its address."""
        target = self.root / f"{name}.git"
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists():
            _git(repository, "push", "--quiet", "--mirror", str(target))
        else:
            _git(repository, "clone", "--quiet", "--bare", str(repository), str(target))
            for setting in ("http.uploadpack=true", "uploadpack.allowFilter=true"):
                _git(target, "config", *setting.split("="))
        return f"{self.url}/{name}.git"


def _git(folder: Path, *arguments: str) -> None:
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    subprocess.run(["git", *arguments], cwd=folder, env=environment, check=True, capture_output=True)


class _Handler(BaseHTTPRequestHandler):
    web: GitWeb

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers.get("Content-Length", 0))))

    def _answer(self, body: bytes) -> None:
        parts = urlsplit(self.path)
        self.web.requests.append((self.command, parts.path, self.headers.get("Authorization")))
        if self.web.redirect_to:
            self._send(302, [("Location", self.web.redirect_to + self.path)])
        elif self.web.password is not None and self.headers.get("Authorization") != self.web.password:
            self._send(401, [("WWW-Authenticate", 'Basic realm="git"')])
        else:
            self._backend(parts.path, parts.query, body)

    def _backend(self, path: str, query: str, body: bytes) -> None:
        environment = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": str(self.web.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "safe.directory",
            "GIT_CONFIG_VALUE_0": "*",
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "CONTENT_LENGTH": str(len(body)),
        }
        done = subprocess.run(["git", "http-backend"], env=environment, input=body, capture_output=True, check=False)
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if ": " in line)
        status = headers.pop("Status", "200")
        self._send(int(status.split()[0]), list(headers.items()), content)

    def _send(self, status: int, headers: list[tuple[str, str]], content: bytes = b"") -> None:
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args: object) -> None:
        pass


@contextmanager
def git_web(root: Path) -> Iterator[GitWeb]:
    """A server on a free port, gone after the block."""
    web = GitWeb(root)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"web": web}))
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
