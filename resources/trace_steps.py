"""A trace while it is made: plain data, so that it costs the thread that answers next to nothing.

OpenTelemetry's own spans check every number of a vector as it is set (0.8 ms for an answer's trace, measured by
`benchmarks.tracing`); here they are made of this by the thread that sends them.
"""

import random
import secrets
import time
import traceback
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from types import TracebackType

from resources.tracing import Mask, Span, Value


class Step:
    """A span: open between entering and leaving it, and then one of its trace's."""

    def __init__(self, trace: "Trace", name: str, parent_id: str | None) -> None:
        self.trace = trace
        self.name = name
        self.parent_id = parent_id
        # Not of the system's randomness: to ask for it gives Python's lock away, to whoever masks a prompt meanwhile.
        self.span_id = f"{random.getrandbits(64):016x}"
        self.attributes: dict[str, Value] = {}
        self.events: list[tuple[str, int, Mapping[str, str]]] = []
        # None for one that neither failed nor came to its end: nobody waited for it any more.
        self.error: str | None = None
        self.has_ended_well = False
        self.began = self.ended = 0
        self._is_abandoned = False

    @property
    def trace_id(self) -> str:
        """The trace's identity."""
        return self.trace.trace_id

    def set(self, attributes: Mapping[str, Value | None]) -> None:
        """Add attributes; those that are None are left out."""
        self.attributes.update({key: value for key, value in attributes.items() if value is not None})

    def event(self, name: str) -> None:
        """Note that something happened now."""
        self.events.append((name, time.time_ns(), {}))

    def abandoned(self) -> None:
        """Nobody waits for it any more."""
        self._is_abandoned = True

    def child(self, name: str) -> AbstractContextManager[Span]:
        """A step within this one."""
        return Step(self.trace, name, self.span_id)

    def __enter__(self) -> "Step":
        self.began = time.time_ns()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.ended = time.time_ns()
        self.has_ended_well = error is None
        # Others are no errors: GeneratorExit is a stream that nobody reads to its end.
        if isinstance(error, Exception) and not self._is_abandoned:
            self._failed(error)
        self.trace.ended(self)

    def _failed(self, error: Exception) -> None:
        self.error = f"{type(error).__name__}: {error}"
        # By OpenTelemetry's semantic conventions for exceptions.
        said = {
            "exception.type": type(error).__name__,
            "exception.message": str(error),
            "exception.stacktrace": "".join(traceback.format_exception(error)),
        }
        self.events.append(("exception", self.ended, said))


class Trace:
    """The steps of one trace, whose words may leave as `masked` has them."""

    def __init__(self, project: str, masked: Mask, finished: "Callable[[Trace], None]") -> None:
        self.project = project
        self.masked = masked
        self.trace_id = secrets.token_hex(16)
        self.steps: list[Step] = []
        self._finished = finished

    def root(self, name: str) -> Step:
        """The step that all others are below; with its end the trace is finished."""
        return Step(self, name, None)

    def ended(self, step: Step) -> None:
        """A step has ended."""
        self.steps.append(step)
        if step.parent_id is None:
            self._finished(self)

    @property
    def bytes(self) -> int:
        """About how much text and how many numbers it holds."""
        return sum(_bytes(value) for step in self.steps for value in step.attributes.values())


def _bytes(value: Value) -> int:
    return len(value) if isinstance(value, str) else 8 * len(value) if isinstance(value, list | tuple) else 8
