"""What Phoenix's OTLP endpoint is, in memory; and what else may answer at its address."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

GARBAGE = b"\x00\xffSMTP ready\n" * 10


class Collector(ThreadingHTTPServer):
    """Keeps what it is sent; `statuses` are answered in turn, the last one from then on."""

    def __init__(self, *statuses: int, pause: float = 0.0, port: int = 0) -> None:
        self.statuses = list(statuses) or [200]
        self.pause = pause
        self.received: list[ExportTraceServiceRequest] = []
        self.paths: list[str] = []
        self.authorizations: list[str | None] = []
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                collector.authorizations.append(self.headers["Authorization"])
                time.sleep(collector.pause)
                status = collector.statuses.pop(0) if len(collector.statuses) > 1 else collector.statuses[0]
                if status == 0:
                    self.wfile.write(GARBAGE)
                    return
                if status == 200:
                    collector.paths.append(self.path)
                    collector.received.append(ExportTraceServiceRequest.FromString(body))
                self.send_response(status)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        super().__init__(("127.0.0.1", port), Handler)
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    @property
    def spans(self) -> dict[str, list]:
        """Every span, by its project."""
        found: dict[str, list] = {}
        for each in (resource for request in self.received for resource in request.resource_spans):
            said = {pair.key: pair.value.string_value for pair in each.resource.attributes}
            found.setdefault(said["openinference.project.name"], []).extend(each.scope_spans[0].spans)
        return found

    def wait_for(self, requests: int) -> None:
        """Until so many have been taken."""
        deadline = time.monotonic() + 30
        while len(self.received) < requests and time.monotonic() < deadline:
            time.sleep(0.01)


@contextmanager
def collecting(*statuses: int, pause: float = 0.0) -> Iterator[Collector]:
    """A collector for as long as the block."""
    collector = Collector(*statuses, pause=pause)
    try:
        yield collector
    finally:
        collector.shutdown()
        collector.server_close()


def attributes(span: object) -> dict[str, object]:
    """A span's attributes as they arrived."""
    return {each.key: _value(each.value) for each in span.attributes}


def _value(value: object) -> object:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_value(each) for each in value.array_value.values]
    return getattr(value, kind)


def main() -> None:
    """A collector of its own process, for who measures: its status and its pause, then it says where it is."""
    import sys

    collector = Collector(int(sys.argv[1]), pause=float(sys.argv[2]))
    sys.stdout.write(f"{collector.url}\n")
    sys.stdout.flush()
    threading.Event().wait()


if __name__ == "__main__":
    main()
