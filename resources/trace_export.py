"""How spans go out: masked, encoded and posted to Phoenix. Imported only where OpenTelemetry is installed."""

import logging
import re
import time
from collections.abc import Sequence
from functools import lru_cache
from http import HTTPStatus

import httpx
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.trace import SpanContext, Status, StatusCode, TraceFlags

from resources.errors import TwinError
from resources.tls import trusted
from resources.trace_queue import Fate
from resources.trace_steps import Trace
from resources.trace_words import Outgoing, outgoing
from resources.tracing import Mask
from resources.tracing_settings import Tracing

_logger = logging.getLogger(__name__)

# A passage has some 900 characters; what is longer is not remembered.
_PARAGRAPHS, _LONGEST = 2048, 2000
# Seconds; a sleep of none gives the lock away and mostly takes it again.
_BREATH = 0.0005
# Seconds, for each of connecting, writing and reading.
_TIMEOUT = 3.0
# https://opentelemetry.io/docs/specs/otlp/#retryable-response-codes
_NOT_NOW = frozenset(
    {
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)


class PhoenixExporter:
    """OTLP over HTTP (https://opentelemetry.io/docs/specs/otlp/#otlphttp), of words that may leave."""

    def __init__(self, url: str, how: Tracing) -> None:
        self._endpoint = f"{url.rstrip('/')}/v1/traces"
        self._how = how
        # Passages come again with other questions, and stand in a prompt as they stand in a search.
        self._paragraph = lru_cache(maxsize=_PARAGRAPHS)(_masked)
        headers = {"Content-Type": "application/x-protobuf"}
        self._client = httpx.Client(timeout=_TIMEOUT, headers=headers, verify=trusted())

    def encoded(self, traces: Sequence[Trace]) -> tuple[bytes, int]:
        """A batch as bytes, and how many spans are in it; a trace that cannot be masked stays here."""
        parts = []
        for span in (each for trace in traces for each in self._outgoing(trace)):
            # Requests one after the other are one request: protobuf joins what is repeated.
            parts.append(encode_spans([_span(span)]).SerializeToString())
            _let_others()
        return b"".join(parts), len(parts)

    def send(self, content: bytes) -> tuple[Fate, str]:
        """Post it once. Phoenix takes a span that it has already as the same, so what took too long may go again."""
        try:
            # Its status is all that matters: what a server that is none of Phoenix's goes on to say is not read.
            with self._client.stream("POST", self._endpoint, content=content) as response:
                status = response.status_code
        except (httpx.TransportError, httpx.InvalidURL) as error:
            return Fate.NOT_NOW, f"{without_password(self._endpoint)}: {type(error).__name__}"
        if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            return Fate.DELIVERED, ""
        return (
            Fate.NOT_NOW if status in _NOT_NOW else Fate.REFUSED
        ), f"{without_password(self._endpoint)} answered {status}"

    def close(self) -> None:
        """Let go of the connection."""
        self._client.close()

    def _outgoing(self, trace: Trace) -> list[Outgoing]:
        try:
            return outgoing(trace, self._how, lambda text: self._by_paragraph(text, trace.masked))
        except TwinError as error:
            _logger.warning("a trace cannot be masked and stays here: %s", error)
            return []

    def _by_paragraph(self, text: str, masked: Mask) -> str:
        """A text masked paragraph by paragraph, for nothing that is masked goes on after a blank line but a key."""
        if "-----BEGIN " in text:
            return masked(text)
        parts = text.split("\n\n")
        return "\n\n".join(masked(part) if len(part) > _LONGEST else self._paragraph(masked, part) for part in parts)


def without_password(url: str) -> str:
    """An address that may be shown: without the name and the password that may stand before its host."""
    return re.sub(r"//[^/@]*@", "//", url)


def _masked(masked: Mask, text: str) -> str:
    try:
        return masked(text)
    finally:
        _let_others()


def _let_others() -> None:
    """Let the threads that answer have Python's lock: for one that works on, they would wait 5 ms at a time."""
    time.sleep(_BREATH)


def _span(outgoing: Outgoing) -> ReadableSpan:
    """OpenTelemetry's span of a step; the project is an attribute of the resource."""
    step = outgoing.step
    status = StatusCode.ERROR if step.error else StatusCode.OK if step.has_ended_well else StatusCode.UNSET
    return ReadableSpan(
        name=step.name,
        context=_context(step.trace_id, step.span_id),
        parent=_context(step.trace_id, step.parent_id) if step.parent_id else None,
        resource=Resource({"openinference.project.name": step.trace.project, "service.name": "llm-twin"}),
        attributes=outgoing.attributes,
        events=[Event(name, said, at) for name, at, said in outgoing.events],
        status=Status(status, outgoing.error),
        start_time=step.began,
        end_time=step.ended,
    )


def _context(trace_id: str, span_id: str) -> SpanContext:
    return SpanContext(int(trace_id, 16), int(span_id, 16), is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))
