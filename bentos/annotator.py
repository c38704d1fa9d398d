"""What people say of answers on its way to Phoenix: a thread and a bounded queue, so that nobody waits for it.

What gets lost here is not lost: the asset `monitoring/feedback` makes up for it.
"""

import logging
import queue
import threading
from collections.abc import Sequence
from typing import Protocol

from resources.phoenix_annotations import Annotation, AnnotationsUnavailableError, PhoenixAnnotations

_logger = logging.getLogger(__name__)

_QUEUE = 256
# Phoenix shows a span some seconds after its answer was given; a click may be quicker.
_LOOKS, _PAUSE = 6, 2.0


class Annotator(Protocol):
    """Where annotations go."""

    def annotate(self, project: str, trace_id: str, said: Sequence[Annotation]) -> None:
        """Send what was said of a trace, some time; never waits, never fails."""
        ...

    def close(self) -> None:
        """Send nothing more."""
        ...


class NoAnnotator:
    """Where there is no Phoenix."""

    def annotate(self, project: str, trace_id: str, said: Sequence[Annotation]) -> None:
        """Nobody to tell."""

    def close(self) -> None:
        """Nothing to end."""


class PhoenixAnnotator:
    """Sends from a thread of its own, which starts with the first annotation."""

    def __init__(self, phoenix: PhoenixAnnotations, *, looks: int = _LOOKS, pause: float = _PAUSE) -> None:
        self._phoenix = phoenix
        self._looks = looks
        self._pause = pause
        self._queue: queue.Queue[tuple[str, str, Sequence[Annotation]]] = queue.Queue(_QUEUE)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._send, name="annotator", daemon=True)
        self._lock = threading.Lock()

    def annotate(self, project: str, trace_id: str, said: Sequence[Annotation]) -> None:
        """Send what was said of a trace, some time."""
        with self._lock:
            if self._thread.ident is None:
                self._thread.start()
        try:
            self._queue.put_nowait((project, trace_id, said))
        except queue.Full:
            _late("too much of it at once")

    def close(self) -> None:
        """Send nothing more; what waits is dropped."""
        self._stopped.set()

    def _send(self) -> None:
        while not self._stopped.is_set():
            try:
                project, trace_id, said = self._queue.get(timeout=1.0)
            except queue.Empty:
                continue
            try:
                self._annotate(project, trace_id, said)
            except AnnotationsUnavailableError as error:
                _late(str(error))

    def _annotate(self, project: str, trace_id: str, said: Sequence[Annotation]) -> None:
        for _ in range(self._looks):
            if span := self._phoenix.root_span(project, trace_id):
                self._phoenix.put([(span, each) for each in said])
                return
            if self._stopped.wait(self._pause):
                break
        _late(f"no trace {trace_id}")


def _late(why: str) -> None:
    _logger.warning("feedback is kept, and Phoenix gets it later: %s", why)


def annotator_for(url: str, *, words: bool = True) -> Annotator:
    """An annotator to the Phoenix at that address, or one that tells nobody where the address is empty."""
    return PhoenixAnnotator(PhoenixAnnotations(url, words=words)) if url else NoAnnotator()
