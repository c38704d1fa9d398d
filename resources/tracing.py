"""What is traced, as callers see it: a trace, its steps, and where they go. `resources.phoenix_tracer` sends them."""

import logging
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from resources.tracing_settings import Tracing

_logger = logging.getLogger(__name__)

Value: TypeAlias = str | bool | int | float | Sequence[str] | Sequence[float]
# A text without personal data and secrets.
Mask: TypeAlias = Callable[[str], str]


class Span(Protocol):
    """One step of a trace."""

    @property
    def trace_id(self) -> str:
        """The trace's identity, 32 hexadecimal digits."""
        ...

    def set(self, attributes: Mapping[str, Value | None]) -> None:
        """Add attributes; those that are None are left out."""
        ...

    def event(self, name: str) -> None:
        """Note that something happened now."""
        ...

    def abandoned(self) -> None:
        """Nobody waits for it any more: an exception that leaves it is no failure."""
        ...

    def child(self, name: str) -> "AbstractContextManager[Span]":
        """A step within this one; an exception that leaves it marks it as failed."""
        ...


class Tracer(Protocol):
    """Where traces go."""

    @property
    def lost_spans(self) -> int:
        """How many spans were to be sent and never will be."""
        ...

    def trace(self, project: str, name: str, masked: Mask) -> AbstractContextManager[Span]:
        """The root of a new trace, whatever else is being traced around it; its words leave as `masked` has them."""
        ...

    def address(self, trace_id: str) -> str | None:
        """Where a person can look at the trace; None if it is not sent."""
        ...

    def close(self) -> None:
        """Send what is left, within seconds, and stop."""
        ...


class _NoSpan:
    def __init__(self, trace_id: str) -> None:
        self.trace_id = trace_id

    def set(self, attributes: Mapping[str, Value | None]) -> None:
        """Nothing to keep it in."""

    def event(self, name: str) -> None:
        """Nothing to note it in."""

    def abandoned(self) -> None:
        """Nothing to mark."""

    @contextmanager
    def child(self, name: str) -> Iterator[Span]:  # noqa: ARG002 — the protocol's signature
        """The same, one level deeper."""
        yield self


class NoTracer:
    """Traces nothing; answers have an identity all the same."""

    lost_spans = 0

    @contextmanager
    def trace(self, project: str, name: str, masked: Mask) -> Iterator[Span]:  # noqa: ARG002
        """A span that keeps nothing."""
        yield _NoSpan(secrets.token_hex(16))

    def address(self, trace_id: str) -> str | None:  # noqa: ARG002 — the protocol's signature
        """There is nothing to look at."""
        return None

    def close(self) -> None:
        """Nothing to send."""


@dataclass(frozen=True, slots=True)
class Project:
    """Where the traces of one subject go, under one name and one mask."""

    tracer: Tracer
    name: str
    masked: Mask

    def trace(self, name: str) -> AbstractContextManager[Span]:
        """The root of a new trace in this project."""
        return self.tracer.trace(self.name, name, self.masked)


def tracer_for(url: str, how: Tracing | None = None) -> Tracer:
    """A tracer to that Phoenix, or one that traces nothing where the address is empty."""
    if not url:
        return NoTracer()
    try:
        from resources.phoenix_tracer import phoenix_tracer
    except ModuleNotFoundError as error:  # a pipeline without the extra `serve`
        _logger.info("nothing is traced: %s", error)
        return NoTracer()
    return phoenix_tracer(url, how or Tracing())
