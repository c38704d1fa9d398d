"""Finished traces on their way out: bounded, counted, and sent by one thread, so that no answer waits for any.

OpenTelemetry's own batch processor drops what does not fit without saying how much, counts spans whatever their size,
and sends the halves of a trace that a full queue left of it. Here a trace goes whole or is lost whole, the oldest
first, and every span that is lost is counted.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Sequence
from enum import Enum, auto
from itertools import chain, repeat
from typing import Protocol

from resources.trace_steps import Trace

_logger = logging.getLogger(__name__)

# Of texts and figures as they wait; they take about twice as much memory.
_MOST_BYTES = 16 * 1024 * 1024
_BATCH_BYTES = 1024 * 1024
_BATCH_TRACES = 100
# Seconds: how long a trace waits for company, how long it may wait for a Phoenix that is away (a restart takes some
# twenty; what comes minutes late looks like a wrong clock to the alarms), and how long to wait between two attempts.
_COMPANY = 0.5
_PATIENCE = 90.0
_PAUSES = (0.5, 1.0, 2.0, 5.0, 10.0)
# How long closing waits for what is under way: a little longer than the exporter does for an answer.
_CLOSING = 3.5


class Fate(Enum):
    """What became of a batch."""

    DELIVERED = auto()
    REFUSED = auto()
    # Nobody is there, or nobody has the time now.
    NOT_NOW = auto()


class Exporter(Protocol):
    """What knows how spans go out."""

    def encoded(self, traces: Sequence[Trace]) -> tuple[bytes, int]:
        """A batch as it will be sent, and how many spans are in it: those that may not go out are not."""
        ...

    def send(self, content: bytes) -> tuple[Fate, str]:
        """Try once; the second is why not, in words."""
        ...

    def close(self) -> None:
        """Let go."""
        ...


class TraceQueue:
    """Takes traces at once and sends them in its own time; full, it loses the oldest."""

    def __init__(self, exporter: Exporter, *, most_bytes: int = _MOST_BYTES, patience: float = _PATIENCE) -> None:
        self._exporter = exporter
        self._most_bytes = most_bytes
        self._patience = patience
        self._waiting: deque[tuple[Trace, int, float]] = deque()
        self._bytes = 0
        self._lost = 0
        self._changed = threading.Condition()
        self._closing = threading.Event()
        self._is_reachable = True
        self._thread: threading.Thread | None = None

    @property
    def lost_spans(self) -> int:
        """How many spans there was no room, no time or no Phoenix for."""
        return self._lost

    def put(self, trace: Trace) -> None:
        """Take a trace; costs microseconds, whatever becomes of it."""
        size = trace.bytes
        with self._changed:
            if self._closing.is_set() or size > self._most_bytes:
                self._lost += len(trace.steps)
                return
            self._waiting.append((trace, size, time.monotonic()))
            self._bytes += size
            while self._bytes > self._most_bytes:
                self._lost += len(self._pop().steps)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="traces", daemon=True)
                self._thread.start()
            self._changed.notify()

    def close(self) -> None:
        """Send what is waiting, unless Phoenix is known to be away, and count what was not sent."""
        with self._changed:
            self._closing.set()
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(_CLOSING)
        with self._changed:
            while self._waiting:
                self._lost += len(self._pop().steps)

    def _run(self) -> None:
        while batch := self._batch():
            first = min(since for _, since in batch)
            content, spans = self._exporter.encoded([trace for trace, _ in batch])
            self._count_lost(sum(len(trace.steps) for trace, _ in batch) - spans)
            if spans and not self._delivered(content, until=first + self._patience):
                self._count_lost(spans)
        self._exporter.close()

    def _batch(self) -> list[tuple[Trace, float]]:
        """The traces to be sent next, and since when they wait; none if there will be no more."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closing.is_set())
            if not self._closing.is_set():
                self._changed.wait_for(self._is_enough, timeout=_COMPANY)
            if self._closing.is_set() and not self._is_reachable:
                return []
            batch: list[tuple[Trace, float]] = []
            size = 0
            while self._waiting and len(batch) < _BATCH_TRACES and size < _BATCH_BYTES:
                size += self._waiting[0][1]
                since = self._waiting[0][2]
                batch.append((self._pop(), since))
            return batch

    def _is_enough(self) -> bool:
        return self._closing.is_set() or len(self._waiting) >= _BATCH_TRACES or self._bytes >= _BATCH_BYTES

    def _delivered(self, content: bytes, *, until: float) -> bool:
        for pause in chain(_PAUSES, repeat(_PAUSES[-1])):
            fate, why = self._exporter.send(content)
            self._tell(why, is_reachable=fate is Fate.DELIVERED)
            if fate is not Fate.NOT_NOW:
                return fate is Fate.DELIVERED
            if time.monotonic() + pause > until or self._closing.wait(pause):
                return False
        return False

    def _tell(self, why: str, *, is_reachable: bool) -> None:
        """Say once that traces do not arrive, and once that they do again."""
        if is_reachable and not self._is_reachable:
            _logger.warning("traces arrive again; %d spans were lost", self._lost)
        elif self._is_reachable and not is_reachable:
            _logger.warning("traces cannot be sent (%s): answers go on, their traces wait, and then are lost", why)
        self._is_reachable = is_reachable

    def _pop(self) -> Trace:
        trace, size, _ = self._waiting.popleft()
        self._bytes -= size
        return trace

    def _count_lost(self, spans: int) -> None:
        with self._changed:
            self._lost += spans
