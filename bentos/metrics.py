"""What Prometheus counts of the service: requests as they end, answers as they are given, the rest as it stands.

Every set of values that a label may take is bounded: routes and not paths, authors that are released, causes that the
pipeline knows. BentoML's own metrics label requests by their raw path, which anybody may make up, so the service goes
without them (docs/adr/0029).
"""

import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector
from prometheus_client.exposition import generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from llm_twin_assets.inference.answer import Answer
from llm_twin_assets.inference.engine import EngineError, Failure

# From a search of some 20 ms to the deadline of an answer. Seconds.
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)


class ServiceMetrics:
    """The counters of one worker.

    Several workers each write theirs into the folder `shared`, and whichever is asked answers for all; how things stand
    it tells of itself alone, by its number. `neighbour` gives the page of the service beside this one.
    """

    def __init__(
        self, shared: Path | None = None, worker: int | None = None, neighbour: Callable[[], bytes] | None = None
    ) -> None:
        self._counted = CollectorRegistry()
        self._shared = shared
        self._worker = worker
        self._neighbour = neighbour
        self._requests = Counter("twin_requests", "Requests that ended.", ("route", "status"), registry=self._counted)
        self._request_seconds = Histogram(
            "twin_request_seconds", "From a request to its last byte.", ("route",), buckets=_BUCKETS,
            registry=self._counted,
        )  # fmt: skip
        self._answers = Counter("twin_answers", "Answers given.", ("author", "outcome"), registry=self._counted)
        self._failed = Counter(
            "twin_failed_answers", "Questions that ended in an error, not in an answer.", ("author",),
            registry=self._counted,
        )  # fmt: skip
        self._degraded = Counter(
            "twin_degraded_answers", "Answers that are less than they should be.", ("author", "cause"),
            registry=self._counted,
        )  # fmt: skip
        self._answer_seconds = Histogram(
            "twin_answer_seconds", "From the desk to the last word of an answer.", ("author",), buckets=_BUCKETS,
            registry=self._counted,
        )  # fmt: skip
        self._first_token_seconds = Histogram(
            "twin_first_token_seconds", "From the desk to the first words of a streamed answer.", ("author",),
            buckets=_BUCKETS, registry=self._counted,
        )  # fmt: skip
        self._tokens = Counter("twin_tokens", "The model's tokens.", ("author", "kind"), registry=self._counted)
        self._uncited = Counter(
            "twin_answers_without_citation", "Answers that cite nothing.", ("author",), registry=self._counted
        )

    def requested(self, route: str, status: int, seconds: float) -> None:
        """Count a request that ended."""
        self._requests.labels(route, str(status)).inc()
        self._request_seconds.labels(route).observe(seconds)

    def answering(self, author: str) -> "Answering":
        """Around the work on an answer."""
        return Answering(self, author)

    def begun(self, author: str, seconds: float) -> None:
        """Count the first words of a stream."""
        self._first_token_seconds.labels(author).observe(seconds)

    def answered(self, author: str, given: Answer, seconds: float) -> None:
        """Count an answer."""
        self._answers.labels(author, given.outcome.value).inc()
        self._answer_seconds.labels(author).observe(seconds)
        self._tokens.labels(author, "prompt").inc(given.prompt_tokens)
        self._tokens.labels(author, "completion").inc(given.completion_tokens)
        if given.degraded:
            self._degraded.labels(author, given.cause or "unknown").inc()
        if not given.citations:
            self._uncited.labels(author).inc()

    def failed(self, author: str) -> None:
        """Count a question that got no answer."""
        self._failed.labels(author).inc()

    def exposition(self, standing: Collector) -> bytes:
        """What was counted and how things stand, in Prometheus's text format."""
        now = CollectorRegistry()
        for each in (standing, ProcessCollector(registry=None)):
            now.register(each if self._worker is None else Labelled(each, {"worker": str(self._worker)}))
        return generate_latest(self._of_all_workers()) + generate_latest(now) + (self._neighbour or bytes)()

    def _of_all_workers(self) -> CollectorRegistry:
        # BentoML has one folder for everything of a user, and empties it when another of its servers starts: what this
        # process holds in memory stands all the same.
        if self._shared is None or not (self._shared / f"counter_{os.getpid()}.db").exists():
            return self._counted
        together = CollectorRegistry()
        MultiProcessCollector(together, str(self._shared))  # type: ignore[no-untyped-call]
        return together


def shared_folder() -> Path | None:
    """Where the workers of one BentoML server write their counters; None outside of one."""
    named = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    return Path(named) if named else None


@dataclass(frozen=True, slots=True, eq=False)  # a registry keeps collectors by their identity
class Labelled(Collector):
    """What another collector tells, with further labels."""

    collector: Collector
    labels: Mapping[str, str]

    def collect(self) -> Iterator[Metric]:
        """The same samples, told apart."""
        for metric in self.collector.collect():
            metric.samples = [each._replace(labels={**each.labels, **self.labels}) for each in metric.samples]
            yield metric


class Answering:
    """Times one answer; what ends in an error is counted as failed, unless nobody waited for it any more."""

    def __init__(self, metrics: ServiceMetrics, author: str) -> None:
        self._metrics = metrics
        self._author = author
        self._began = time.perf_counter()
        self._has_begun = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        cancelled = isinstance(error, EngineError) and error.kind is Failure.CANCELLED
        if isinstance(error, Exception) and not cancelled:
            self._metrics.failed(self._author)

    def begun(self) -> None:
        """The first words are there; what comes after them is not looked at."""
        if not self._has_begun:
            self._has_begun = True
            self._metrics.begun(self._author, self._seconds)

    def answered(self, given: Answer) -> None:
        """The whole answer is there."""
        self._metrics.answered(self._author, given, self._seconds)

    @property
    def _seconds(self) -> float:
        return time.perf_counter() - self._began
