"""Traces to Phoenix. Phoenix slow, wrong or absent costs the caller nothing but its traces."""

from contextlib import AbstractContextManager

from resources.trace_export import PhoenixExporter, without_password
from resources.trace_queue import TraceQueue
from resources.trace_steps import Trace
from resources.tracing import Mask, Span
from resources.tracing_settings import Tracing

# As OpenTelemetry's `TraceIdRatioBased` decides: by the last 64 bits of the trace's identity.
_DIGITS = 16


class PhoenixTracer:
    """One Phoenix, a project for each author. Make it with `phoenix_tracer`."""

    def __init__(self, url: str, queue: TraceQueue, share: float = 1.0) -> None:
        self._url = without_password(url).rstrip("/")
        self._queue = queue
        self._bound: int = round(share * 2.0**64)

    @property
    def lost_spans(self) -> int:
        """How many spans were to be sent and never will be."""
        return self._queue.lost_spans

    def trace(self, project: str, name: str, masked: Mask) -> AbstractContextManager[Span]:
        """The root of a new trace in a project, which Phoenix makes at its first trace."""
        return Trace(project, masked, self._finished).root(name)

    def address(self, trace_id: str) -> str | None:
        """Phoenix's page finds a trace's project by itself there, once the trace has arrived."""
        return f"{self._url}/redirects/traces/{trace_id}" if self._is_sent(trace_id) else None

    def close(self) -> None:
        """Send what is left; does not wait for a Phoenix that is known to be gone."""
        self._queue.close()

    def _finished(self, trace: Trace) -> None:
        if self._is_sent(trace.trace_id):
            self._queue.put(trace)

    def _is_sent(self, trace_id: str) -> bool:
        return int(trace_id[-_DIGITS:], 16) < self._bound


def phoenix_tracer(url: str, how: Tracing = Tracing()) -> PhoenixTracer:  # noqa: B008 — frozen
    """A tracer that sends to the Phoenix at this address; nothing is sent, nor waited for, before the first trace."""
    return PhoenixTracer(url, TraceQueue(PhoenixExporter(url, how)), how.sample)
