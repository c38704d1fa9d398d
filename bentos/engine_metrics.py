"""What Prometheus reads of the service `Engine`: how its models stand, at `/metrics`.

Its neighbour `Twin` passes the page on, since nobody else reaches its socket; so no name on it is one of `Twin`'s.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from fastapi import APIRouter, Request
from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from starlette.responses import Response

from bentos.errors import ApiError
from bentos.gpu import gpu_memory
from bentos.model_host import ModelHost
from bentos.pool import Pool

router = APIRouter()


@dataclass(frozen=True, slots=True)
class EngineStanding(Collector):
    """The engine as it stands."""

    host: ModelHost
    pool: Pool

    def collect(self) -> Iterator[Metric]:
        """Everything, as it is now."""
        yield GaugeMetricFamily("twin_engine_models", "Models that are leased.", value=len(self.host.leased))
        yield GaugeMetricFamily("twin_engine_queue_depth", "Requests that wait.", value=self.pool.waiting)
        yield GaugeMetricFamily("twin_engine_working", "Requests that a model is at work on.", value=self.pool.working)
        yield gpu_memory("twin_engine_gpu_memory_bytes")


@router.get("/metrics")
def metrics(request: Request) -> Response:
    """For `Twin`, or for Prometheus where the engine runs alone and has been given a key."""
    state = request.app.state
    if not isinstance(state.host, ModelHost):
        raise ApiError(503, "not_ready", "the engine is starting")
    return Response(exposition(EngineStanding(state.host, state.pool)), media_type=CONTENT_TYPE_PLAIN_0_0_4)


def exposition(standing: EngineStanding) -> bytes:
    """How the engine stands, in Prometheus's text format."""
    registry = CollectorRegistry()
    registry.register(standing)
    ProcessCollector(namespace="twin_engine", registry=registry)
    return generate_latest(registry)
