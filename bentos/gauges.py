"""How things stand when Prometheus asks: queues, releases, engines, caches, lost spans, memory of the GPU."""

from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from bentos.follower import ReleaseFollower
from bentos.gpu import gpu_memory
from bentos.releases import Released
from bentos.visit import Pools
from llm_twin_assets.inference.caches import CachedEncoder
from llm_twin_assets.inference.openai_engine import OpenAIEngine
from resources.tracing import Tracer


@dataclass(frozen=True, slots=True)
class Standing(Collector):
    """One worker as it stands. Nothing here waits for anybody, nor imports what the process does without."""

    releases: ReleaseFollower
    pools: Pools
    tracer: Tracer

    def collect(self) -> Iterator[Metric]:
        """Everything, as it is now."""
        current = list(self.releases.current.values())
        ready = float(self.releases.ready)
        yield GaugeMetricFamily("twin_ready", "Whether questions may come.", value=ready)
        yield from self._queues()
        yield _releases(current, self.releases.canaries.running.values())
        yield _paused(current, self.releases.paused)
        yield _engines(current)
        yield from _caches(current)
        yield CounterMetricFamily(
            "twin_lost_spans", "Spans that were to be sent to Phoenix and never will be.", value=self.tracer.lost_spans
        )
        yield gpu_memory("twin_gpu_memory_bytes")

    def _queues(self) -> Iterator[Metric]:
        waiting = GaugeMetricFamily("twin_queue_depth", "Requests that wait for a thread.", labels=("pool",))
        working = GaugeMetricFamily("twin_threads_working", "Requests that a thread is at work on.", labels=("pool",))
        for name, pool in (("answer", self.pools.answers), ("search", self.pools.searches)):
            waiting.add_metric((name,), pool.waiting)
            working.add_metric((name,), pool.working)
        yield from (waiting, working)


def _releases(current: list[Released], canaries: Iterable[Released]) -> Metric:
    labels = ("author", "release", "model_version", "snapshot", "canary")
    served = GaugeMetricFamily("twin_release_info", "What answers; always 1.", labels=labels)
    for releases, is_canary in ((current, "no"), (canaries, "yes")):
        for record in (each.record for each in releases):
            served.add_metric((record.author, record.release_id, record.model_version, record.snapshot, is_canary), 1)
    return served


def _paused(current: list[Released], authors: Set[str]) -> Metric:
    paused = GaugeMetricFamily("twin_paused", "1 while the twin is let quote only.", labels=("author",))
    for each in current:
        paused.add_metric((each.record.author,), float(each.record.author in authors))
    return paused


def _engines(current: list[Released]) -> Metric:
    up = GaugeMetricFamily(
        "twin_engine_up", "0 while a chat model that failed too often is left alone.", labels=("author", "engine")
    )
    for each in current:
        engine = each.twin.engine
        if engine is not None:
            left_alone = isinstance(engine, OpenAIEngine) and engine.left_alone
            up.add_metric((each.record.author, engine.name), float(not left_alone))
    return up


def _caches(current: list[Released]) -> Iterator[Metric]:
    # Of the releases that serve: a swap begins anew, as a restart does.
    hits = CounterMetricFamily("twin_cache_hits", "Found in a cache.", labels=("author", "cache"))
    misses = CounterMetricFamily("twin_cache_misses", "Not found in a cache.", labels=("author", "cache"))
    for each in current:
        encoder = each.twin.retriever.embedder
        vectors = encoder.vectors if isinstance(encoder, CachedEncoder) else None
        for name, cache in (("answers", each.twin.answers), ("questions", vectors)):
            if cache is not None:
                hits.add_metric((each.record.author, name), cache.hits)
                misses.add_metric((each.record.author, name), cache.misses)
    yield from (hits, misses)
