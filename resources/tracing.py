"""Traces of answers to Phoenix, by OTLP over HTTP. Phoenix slow or absent costs the caller nothing but its traces.

Callers see `Tracer` and `Span` alone; OpenTelemetry is imported by `phoenix_tracer`, so that what runs without tracing
runs without it installed.
"""

import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.trace import Span as OtelSpan

    from resources.trace_export import CountingExporter

Value: TypeAlias = str | bool | int | float | Sequence[str]

# Seconds. The first bounds one export, retries included; the second how long a finished span waits for company.
_EXPORT_TIMEOUT = 3.0
_EXPORT_DELAY = 0.5
_QUEUE = 4096
_BATCH = 256


class Span(Protocol):
    """One step of a trace."""

    @property
    def trace_id(self) -> str:
        """The trace's identity, 32 hexadecimal digits."""
        ...

    def set(self, attributes: Mapping[str, Value | None]) -> None:
        """Add attributes; those that are None are left out."""
        ...

    def failed(self, reason: str) -> None:
        """Mark the step as failed."""
        ...

    def child(self, name: str) -> "AbstractContextManager[Span]":
        """A step within this one; an exception that leaves it marks it as failed."""
        ...


class Tracer(Protocol):
    """Where traces go."""

    def trace(self, project: str, name: str) -> AbstractContextManager[Span]:
        """The root of a new trace, whatever else is being traced around it."""
        ...

    def address(self, trace_id: str) -> str | None:
        """Where a person can look at the trace."""
        ...

    def close(self) -> None:
        """Send what is left, within seconds, and stop."""
        ...


class _NoSpan:
    def __init__(self, trace_id: str) -> None:
        self.trace_id = trace_id

    def set(self, attributes: Mapping[str, Value | None]) -> None:
        """Nothing to keep it in."""

    def failed(self, reason: str) -> None:
        """Nothing to mark."""

    @contextmanager
    def child(self, name: str) -> Iterator[Span]:  # noqa: ARG002 — the protocol's signature
        """The same, one level deeper."""
        yield self


class NoTracer:
    """Traces nothing; answers have an identity all the same."""

    @contextmanager
    def trace(self, project: str, name: str) -> Iterator[Span]:  # noqa: ARG002 — the protocol's signature
        """A span that keeps nothing."""
        yield _NoSpan(secrets.token_hex(16))

    def address(self, trace_id: str) -> str | None:  # noqa: ARG002 — the protocol's signature
        """There is nothing to look at."""
        return None

    def close(self) -> None:
        """Nothing to send."""


class _PhoenixSpan:
    def __init__(self, tracer: "PhoenixTracer", project: str, span: "OtelSpan") -> None:
        self._tracer = tracer
        self._project = project
        self._span = span
        self._has_failed = False

    @property
    def trace_id(self) -> str:
        return format(self._span.get_span_context().trace_id, "032x")

    def set(self, attributes: Mapping[str, Value | None]) -> None:
        self._span.set_attributes({key: value for key, value in attributes.items() if value is not None})

    def failed(self, reason: str) -> None:
        from opentelemetry.trace import Status, StatusCode

        self._has_failed = True
        self._span.set_status(Status(StatusCode.ERROR, reason))

    def ended_well(self) -> None:
        """Say so, unless it was said to have failed: OpenTelemetry lets no error follow an OK."""
        from opentelemetry.trace import Status, StatusCode

        if not self._has_failed:
            self._span.set_status(Status(StatusCode.OK))

    def child(self, name: str) -> AbstractContextManager[Span]:
        return self._tracer.step(self._project, name, self._span)


class PhoenixTracer:
    """One Phoenix, one project per author. Make it with `phoenix_tracer`."""

    def __init__(self, url: str, processor: "BatchSpanProcessor", exporter: "CountingExporter") -> None:
        self._url = url.rstrip("/")
        self._processor = processor
        self._exporter = exporter
        self._providers: dict[str, TracerProvider] = {}

    @property
    def lost_spans(self) -> int:
        """How many spans could not be sent."""
        return self._exporter.lost

    def trace(self, project: str, name: str) -> AbstractContextManager[Span]:
        """The root of a new trace in a project, which Phoenix makes at its first trace."""
        return self.step(project, name, None)

    def address(self, trace_id: str) -> str | None:
        """Phoenix's page finds a trace's project by itself there, once the trace has arrived."""
        return f"{self._url}/redirects/traces/{trace_id}"

    def close(self) -> None:
        """Send what is left; does not wait for a Phoenix that is known to be gone."""
        self._exporter.hasten()
        self._processor.shutdown()  # type: ignore[no-untyped-call]

    @contextmanager
    def step(self, project: str, name: str, parent: "OtelSpan | None") -> Iterator[Span]:
        """A span below `parent`, or the root of a new trace."""
        from opentelemetry import trace
        from opentelemetry.context import Context

        # A clean context: BentoML's own span around the request is unsampled, and its children would be dropped.
        context = trace.set_span_in_context(parent, Context()) if parent is not None else Context()
        otel = self._provider(project).get_tracer(__name__)
        span = otel.start_span(name, context=context)
        with trace.use_span(span, end_on_exit=True, record_exception=True, set_status_on_exception=True):
            step = _PhoenixSpan(self, project, span)
            yield step
            step.ended_well()

    def _provider(self, project: str) -> "TracerProvider":
        if provider := self._providers.get(project):
            return provider
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.sampling import ALWAYS_ON

        # The project is an attribute of the resource, hence a provider for each; they share one queue and one thread.
        resource = Resource({"openinference.project.name": project, "service.name": "llm-twin"})
        provider = TracerProvider(resource=resource, sampler=ALWAYS_ON, shutdown_on_exit=False)
        provider.add_span_processor(self._processor)
        return self._providers.setdefault(project, provider)


def phoenix_tracer(url: str) -> PhoenixTracer:
    """A tracer that sends to the Phoenix at this address; nothing is sent, nor waited for, before the first answer."""
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    from resources.trace_export import CountingExporter

    exporter = CountingExporter(f"{url.rstrip('/')}/v1/traces", timeout=_EXPORT_TIMEOUT)
    processor = BatchSpanProcessor(
        exporter,
        max_queue_size=_QUEUE,
        schedule_delay_millis=_EXPORT_DELAY * 1000,
        max_export_batch_size=_BATCH,
    )
    return PhoenixTracer(url, processor, exporter)


def tracer_for(url: str) -> Tracer:
    """A tracer to that address, or one that traces nothing where the address is empty."""
    return phoenix_tracer(url) if url else NoTracer()
