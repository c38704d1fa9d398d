"""The pipelines as Prometheus's metrics, read anew only when what was read has become old."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from llm_twin_assets.domain.alarm import Severity
from llm_twin_assets.monitoring.overview import Overview
from llm_twin_assets.monitoring.pipelines import Pipelines


class PipelineMetrics(Collector):
    """Answers scrapes from what it read in the last `every` seconds, so that a scrape costs little."""

    def __init__(
        self, read: Callable[[], Pipelines], every: float = 30.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._read = read
        self._every = every
        self._clock = clock
        self._lock = threading.Lock()
        self._until = -1.0
        self._known: list[Metric] = []

    def collect(self) -> Iterator[Metric]:
        """Every metric of every author."""
        with self._lock:
            if self._clock() >= self._until:
                began = time.perf_counter()
                self._known = list(metrics(self._read()))
                taken = GaugeMetricFamily(
                    "twin_pipelines_read_seconds", "What reading all of this took.", value=time.perf_counter() - began
                )
                self._known.append(taken)
                # From now on: reading may itself take longer than it is good for.
                self._until = self._clock() + self._every
            known = list(self._known)
        yield from known


def metrics(pipelines: Pipelines) -> Iterator[Metric]:
    """What was read, as metrics. Times are instants, of which PromQL makes ages: `time() - …`."""
    readable = _gauge("twin_records_readable", "0 if an author's records are not what was written.", "author")
    for each in pipelines.overviews:
        readable.add_metric((each.author,), 1)
    for author in sorted(pipelines.unreadable):
        readable.add_metric((author,), 0)
    yield readable
    yield _succeeded(pipelines)
    yield _checked(pipelines)
    yield from _searchable(pipelines)
    yield _documents(pipelines.overviews)
    yield from _instants(pipelines.overviews)
    yield _alarms(pipelines.overviews)
    waiting = _gauge("twin_candidate_waiting", "1 if a model passed the gate and nobody has decided on it.", "author")
    for each in pipelines.overviews:
        waiting.add_metric((each.author,), float(each.candidate is not None))
    yield waiting


def _succeeded(pipelines: Pipelines) -> Metric:
    last = _gauge("twin_asset_last_success_timestamp_seconds", "When it last materialized.", "asset", "author")
    for labels, at in sorted(pipelines.succeeded.items()):
        last.add_metric(labels, at)
    return last


def _checked(pipelines: Pipelines) -> Metric:
    failed = _gauge("twin_asset_check_failed", "1 if its newest verdict is no.", "asset", "check", "author")
    for each in pipelines.checked:
        failed.add_metric((each.asset, each.check, each.author), float(not each.passed))
    return failed


def _searchable(pipelines: Pipelines) -> Iterator[Metric]:
    lag = _gauge(
        "twin_searchable_lag_seconds",
        "From publication until a release can find it, or until now, of what was published in the last 30 days.",
        "author",
        "statistic",
    )
    waiting = _gauge("twin_documents_waiting", "Published lately, and no release can find them yet.", "author")
    for author, each in sorted(pipelines.searchable.items()):
        waiting.add_metric((author,), each.waiting)
        for statistic, seconds in (("median", each.median), ("longest", each.longest)):
            if seconds is not None:
                lag.add_metric((author, statistic), seconds)
    yield from (lag, waiting)


def _documents(overviews: Sequence[Overview]) -> Metric:
    documents = _gauge("twin_documents", "Cleaned documents without duplicates.", "author", "category")
    for each in overviews:
        for category, count in each.documents.counts.items():
            documents.add_metric((each.author, category), count)
    return documents


def _instants(overviews: Sequence[Overview]) -> Iterator[Metric]:
    known: tuple[tuple[str, str, Callable[[Overview], datetime | None]], ...] = (
        ("twin_dataset_timestamp_seconds", "When the newest dataset was made.", lambda each: each.dataset_at),
        ("twin_candidate_timestamp_seconds", "When the newest model was examined.", lambda each: each.evaluated_at),
        ("twin_model_timestamp_seconds", "When the model that serves was examined.", lambda each: each.model_at),
        (
            "twin_release_timestamp_seconds",
            "When what serves was released.",
            lambda each: each.release.released_at if each.release else None,
        ),
    )
    for name, documentation, instant in known:
        metric = _gauge(name, documentation, "author")
        for each in overviews:
            if (at := instant(each)) is not None:
                metric.add_metric((each.author,), at.timestamp())
        yield metric


def _alarms(overviews: Sequence[Overview]) -> Metric:
    ringing = _gauge("twin_alarms", "Alarms that are not closed.", "author", "severity")
    for each in overviews:
        counts = Counter(alarm.severity for alarm in each.alarms)
        for severity in Severity:
            ringing.add_metric((each.author, severity.value), counts[severity])
    return ringing


def _gauge(name: str, documentation: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, documentation, labels=labels)
