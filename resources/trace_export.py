"""Sending spans: quiet and quick to give up. Imported only where OpenTelemetry is installed (extra `serve`)."""

import logging
from collections.abc import Sequence

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

_logger = logging.getLogger(__name__)

# These say the same for every batch and every dropped span; what they say is said here once.
_CHATTY = ("opentelemetry.exporter.otlp.proto.http.trace_exporter", "opentelemetry.sdk._shared_internal")


class CountingExporter(SpanExporter):
    """OTLP over HTTP; says once that the collector is gone, and once that it is back."""

    def __init__(self, endpoint: str, timeout: float) -> None:
        for name in _CHATTY:
            logging.getLogger(name).setLevel(logging.CRITICAL)
        self._endpoint = endpoint
        self._exporter = OTLPSpanExporter(endpoint=endpoint, timeout=timeout)
        self._reachable = True
        self.lost = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send a batch; a batch that cannot be sent within the timeout is lost and counted."""
        result = self._exporter.export(spans)
        if result is SpanExportResult.FAILURE:
            self.lost += len(spans)
            if self._reachable:
                _logger.warning("traces cannot be sent to %s: answers go on, their traces are lost", self._endpoint)
        elif not self._reachable:
            _logger.warning("traces arrive at %s again; %d spans were lost", self._endpoint, self.lost)
        self._reachable = result is SpanExportResult.SUCCESS
        return result

    def hasten(self) -> None:
        """Before shutting down: do not wait for a collector that is known to be gone."""
        if not self._reachable:
            self._exporter.shutdown()  # type: ignore[no-untyped-call]

    def shutdown(self) -> None:
        """Stop sending and break off waiting."""
        self._exporter.shutdown()  # type: ignore[no-untyped-call]

    def force_flush(self, timeout_millis: int = 30_000) -> bool:  # noqa: ARG002 — OpenTelemetry's signature
        """Nothing is kept here."""
        return True
