"""Requests at a steady rate, whatever the answers take: who is late is measured, not waited for.

Each is timed from when it was due, so that a service that stands still is late for all that came meanwhile, and not
for one alone ("coordinated omission").
"""

import http.client
import json
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any
from urllib.parse import urlsplit

# A number to a path and a body.
Request = Callable[[int], tuple[str, dict[str, Any]]]
_TIMEOUT = 60


@dataclass(frozen=True, slots=True)
class Response:
    """What came back: 0 for a connection that broke. `late` is in seconds, from when the request was due."""

    path: str
    status: int
    late: float
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        """The body, where it is JSON."""
        found: dict[str, Any] = json.loads(self.body)
        return found


class Client:
    """One kept connection, as bare as the standard library has it."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._line = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=_TIMEOUT)

    def post(self, path: str, body: dict[str, Any]) -> tuple[int, bytes]:
        """Status and body; a connection that breaks is status 0."""
        try:
            self._line.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
            response = self._line.getresponse()
            return response.status, response.read()
        except (OSError, http.client.HTTPException):
            self._line.close()
            return 0, b""


def at_rate(url: str, request: Request, rate: float, until: Callable[[float], bool], lines: int = 16) -> list[Response]:
    """Send so many requests a second over so many connections until it is time to stop, given the seconds passed."""
    numbers, began, responses = count(), time.perf_counter(), list[Response]()
    lock = threading.Lock()

    def send() -> None:
        client = Client(url)
        while True:
            with lock:
                number = next(numbers)
            due = number / rate
            if until(due):
                return
            time.sleep(max(0.0, began + due - time.perf_counter()))
            path, body = request(number)
            status, content = client.post(path, body)
            responses.append(Response(path, status, time.perf_counter() - began - due, content))

    threads = [threading.Thread(target=send) for _ in range(lines)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return responses


def in_turn(url: str, request: Request, times: int) -> list[float]:
    """Seconds of each of so many requests, one after the other; raises `RuntimeError` if one fails."""
    client, seconds = Client(url), []
    for number in range(times):
        path, body = request(number)
        began = time.perf_counter()
        status, content = client.post(path, body)
        seconds.append(time.perf_counter() - began)
        if status != 200:
            raise RuntimeError(f"{path} answered {status}: {content[:200]!r}")
    return seconds


def percentiles(seconds: Sequence[float]) -> tuple[float, float]:
    """p50 and p99 in milliseconds."""
    ordered = sorted(seconds)
    return 1000 * ordered[len(ordered) // 2], 1000 * ordered[int(len(ordered) * 0.99)]
