"""A real HTTP server on 127.0.0.1 that speaks the OpenAI chat-completions protocol, well or badly, as a test says."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it came."""

    path: str
    headers: Mapping[str, str]
    body: dict

    @property
    def user(self) -> str:
        return self.body["messages"][-1]["content"]

    @property
    def system(self) -> str:
        return self.body["messages"][0]["content"]


@dataclass(frozen=True, slots=True)
class Said:
    """A whole answer."""

    body: bytes
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


class Misbehaviour:
    """Anything but an answer."""


class Nothing(Misbehaviour):
    """Closes the connection without a word."""


class Silence(Misbehaviour):
    """Takes the question and never says anything."""


class Endless(Misbehaviour):
    """Begins a completion and never ends it."""


class Huge(Misbehaviour):
    """A body of so many megabytes that it must not be read to its end."""


@dataclass(frozen=True, slots=True)
class Streamed:
    """Pieces of an event stream, each sent on its own; `torn` ends the connection without the last chunk."""

    pieces: tuple[bytes, ...]
    torn: bool = False
    pause: float = 0.0


def events(*said: object, done: bool = True) -> bytes:
    """Server-sent events; anything but bytes is sent as JSON."""
    data = [each if isinstance(each, bytes) else json.dumps(each).encode() for each in said]
    return b"".join(b"data: " + each + b"\n\n" for each in (*data, *([b"[DONE]"] if done else [])))


def delta(text: str | None, finish: str | None = None) -> dict:
    """A part of a streamed completion."""
    return {"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": finish}]}


Behaviour = Said | Misbehaviour | Streamed


def completion(text: object, *, usage: object = (100, 20), finish: str = "stop") -> Said:
    """A chat completion; anything but a string is sent as JSON."""
    content = text if isinstance(text, str) or text is None else json.dumps(text)
    if isinstance(usage, tuple):
        usage = {"prompt_tokens": usage[0], "completion_tokens": usage[1], "total_tokens": sum(usage)}
    choice = {"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": finish}
    return Said(json.dumps({"id": "1", "object": "chat.completion", "choices": [choice], "usage": usage}).encode())


def error(status: int, message: str = "no", **headers: str) -> Said:
    body = json.dumps({"error": {"message": message, "type": "error"}}).encode()
    return Said(body, status, {name.replace("_", "-"): value for name, value in headers.items()})


class FakeOpenAi:
    """`answer` is what every question gets, or decides it by the question; `asked` is what was asked so far."""

    def __init__(self) -> None:
        self.answer: Behaviour | Callable[[Asked], Behaviour] = completion("yes")
        self.asked: list[Asked] = []
        self.url = ""
        self.at_once = 0
        self.most_at_once = 0
        self.stopped = threading.Event()
        self.left = threading.Event()
        self._lock = threading.Lock()

    def in_turn(self, *answers: Behaviour) -> None:
        """One answer after the other, the last one for ever."""
        left = list(answers)
        self.answer = lambda _: left.pop(0) if len(left) > 1 else left[0]

    def behaviour(self, asked: Asked) -> Behaviour:
        with self._lock:
            self.asked.append(asked)
            answer = self.answer
            return answer(asked) if callable(answer) else answer

    @contextmanager
    def busy(self) -> Iterator[None]:
        with self._lock:
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            yield
        finally:
            with self._lock:
                self.at_once -= 1


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Headers and body in two packets would wait 40 ms for Nagle's algorithm, request after request.
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        asked = Asked(self.path, {key.lower(): value for key, value in self.headers.items()}, body)
        with self.server.fake.busy():
            self.behave(self.server.fake.behaviour(asked))

    def behave(self, behaviour: Behaviour) -> None:
        if isinstance(behaviour, Said):
            self.send_response(behaviour.status)
            for name, value in behaviour.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(behaviour.body)))
            self.end_headers()
            self.wfile.write(behaviour.body)
            return
        self.close_connection = True
        if isinstance(behaviour, Streamed):
            self.stream(behaviour)
        elif isinstance(behaviour, Silence):
            self.server.fake.stopped.wait(10)
        elif isinstance(behaviour, Endless):
            self.pour(b" ", pause=0.01)
        elif isinstance(behaviour, Huge):
            self.pour(b" " * 2**16)

    def stream(self, behaviour: Streamed) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        try:
            for piece in behaviour.pieces:
                self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
                self.server.fake.stopped.wait(behaviour.pause)
            if not behaviour.torn:
                self.wfile.write(b"0\r\n\r\n")
        except OSError:  # the client has heard enough
            self.server.fake.left.set()

    def pour(self, piece: bytes, pause: float = 0.0) -> None:
        self.send_response(200)
        self.end_headers()
        try:
            while not self.server.fake.stopped.wait(pause):
                self.wfile.write(piece)
        except OSError:  # the client has heard enough
            pass

    def log_message(self, *arguments: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, fake: FakeOpenAi) -> None:
        self.fake = fake
        super().__init__(("127.0.0.1", 0), Handler)


@contextmanager
def fake_openai() -> Iterator[FakeOpenAi]:
    """A server on a free port, gone after the block."""
    fake = FakeOpenAi()
    server = Server(fake)
    fake.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield fake
    finally:
        fake.stopped.set()
        server.shutdown()
        server.server_close()
        thread.join()
