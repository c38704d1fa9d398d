"""Canary releases as this process tries them: which requests they answer, how they compare, and when that ends.

The canary is opened beside what serves. Each process counts what both do and adds its counts to those of the others;
whichever sees first that the canary is worse ends it for all. That it answers well for long enough is for deployment to
see (release/canary.py), which switches the pointer.
"""

import hashlib
import logging
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

from bentos.pointers import Pointers
from bentos.releases import Released, parts
from llm_twin_assets.domain.canary import BY_FIGURES, Ended, Figures, Seen, answer_failed, answer_given, worse
from llm_twin_assets.domain.canary_records import end, ended, put_figures, read_figures, running_canary
from llm_twin_assets.domain.release import Release
from llm_twin_assets.domain.released import canary_pointer
from llm_twin_assets.inference.engine import EngineError, Failure
from llm_twin_assets.inference.twin import Answer
from resources.errors import TwinError
from resources.object_store import ObjectStore
from resources.release_settings import Trial

_logger = logging.getLogger(__name__)


class _Running:
    """A canary, opened, and what this process has seen of it and of what serves beside it."""

    def __init__(self, released: Released, trial: Trial) -> None:
        self.released = released
        self.trial = trial
        self.figures = Figures()
        self._lock = threading.Lock()

    def add(self, figures: Figures) -> None:
        with self._lock:
            self.figures += figures


class Canaries:
    """The canaries of all authors. `poll` is called in the follower's thread, everything else in any."""

    def __init__(
        self, objects: ObjectStore, open_release: Callable[[Release], Released], *, retry: float = 30.0
    ) -> None:
        self._objects = objects
        self._open = open_release
        self._worker = uuid4().hex
        self._pointers = Pointers(retry)
        self._running: dict[str, _Running] = {}

    def poll(self, served: Mapping[str, Released], listed: Collection[str]) -> None:
        """Begin, compare and end, as the records and the figures say; `listed` are the objects of all releases."""
        for author in self._running.keys() - served.keys():
            self._let_go(author)
        for author, released in served.items():
            running = self._running.get(author)
            if running is not None and self._goes_on(running, released):
                self._compare(running)
            else:
                self._let_go(author)
            if canary_pointer(author) in listed:
                self._look_for_new(author)

    def answering(self, served: Released, session: str | None) -> Released:
        """Who answers: of the sessions the canary's share, always the same ones; of requests without one, by chance."""
        running = self._running.get(served.record.author)
        if running is None:
            return served
        drawn = hashlib.sha256(f"{running.released.record.release_id}/{session or uuid4().hex}".encode()).digest()
        return running.released if int.from_bytes(drawn[:8], "big") < running.trial.share * 2**64 else served

    @contextmanager
    def watching(self, released: Released) -> Iterator[Callable[[Answer], None]]:
        """Count an answer while it is worked out; what is yielded is told of it.

        Not counted is what was remembered, which says nothing of how a release answers now, and what nobody waited for.
        """
        began = time.monotonic()

        def given(answer: Answer) -> None:
            if not answer.cached:
                seconds = time.monotonic() - began
                self._count(released, lambda trial: answer_given(seconds, degraded=answer.degraded, trial=trial))

        try:
            yield given
        except Exception as error:
            if not (isinstance(error, EngineError) and error.kind is Failure.CANCELLED):
                self._count(released, lambda _: answer_failed())
            raise

    @property
    def running(self) -> dict[str, Released]:
        """The canaries that are open, by author."""
        return {author: each.released for author, each in self._running.items()}

    def is_running(self, author: str) -> bool:
        """Whether a canary of the author is open."""
        return author in self._running

    def opened(self, record: Release) -> Released | None:
        """The canary's parts, if they are those of a release: one that has been tried need not be opened again."""
        running = self._running.get(record.author)
        return running.released if running and running.released.parts == parts(record) else None

    def _count(self, released: Released, seen: Callable[[Trial], Seen]) -> None:
        if (running := self._running.get(released.record.author)) is None:
            return
        one = seen(running.trial)
        is_canary = released.record == running.released.record
        running.add(Figures(canary=one) if is_canary else Figures(served=one))

    def _let_go(self, author: str) -> None:
        self._running = {key: each for key, each in self._running.items() if key != author}

    def _goes_on(self, running: _Running, served: Released) -> bool:
        canary = running.released.record
        if ending := ended(self._objects, canary):
            _logger.warning("canary %s was ended by %s: %s", canary.release_id, ending.by, ending.reason)
            return False
        return served.record.sequence < canary.sequence

    def _compare(self, running: _Running) -> None:
        canary = running.released.record
        put_figures(self._objects, canary, self._worker, running.figures)
        figures = read_figures(self._objects, canary)
        if reason := worse(figures, running.trial):
            now = datetime.now(UTC)
            ending = Ended(release_id=canary.release_id, by=BY_FIGURES, reason=reason, figures=figures, ended_at=now)
            end(self._objects, canary, ending)

    def _look_for_new(self, author: str) -> None:
        pointer = self._objects.find(canary_pointer(author))
        if pointer is None or not self._pointers.due(author, pointer):
            return
        self._let_go(author)
        self._pointers.taken_up(author, pointer)
        try:
            canary = running_canary(self._objects, author)
            if canary is not None and canary.canary is not None:
                self._running = {**self._running, author: _Running(_marked(self._open(canary)), canary.canary)}
                _logger.info("canary %s answers %.0f%% of requests", canary.release_id, 100 * canary.canary.share)
        except Exception as error:  # whatever is wrong with it, what serves goes on doing so alone
            self._pointers.failed(author)
            traced = None if isinstance(error, TwinError) else error
            _logger.error("a canary of %s is not tried: %s", author, error, exc_info=traced)


def _marked(canary: Released) -> Released:
    """Its traces say that it was one."""
    return replace(canary, twin=replace(canary.twin, labels={**canary.twin.labels, "canary": True}))
