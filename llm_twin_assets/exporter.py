"""The pipelines' metrics for Prometheus: `python -m llm_twin_assets.exporter --port 9464`."""

import argparse
import logging
import signal
import threading

from prometheus_client import CollectorRegistry, start_http_server

from llm_twin_assets.definitions import definitions
from llm_twin_assets.instance import open_instance
from llm_twin_assets.monitoring.pipeline_metrics import PipelineMetrics
from llm_twin_assets.monitoring.pipelines import PipelineReader
from resources.object_store import ObjectStore
from resources.settings import Environment
from resources.vector_stores import vector_store
from resources.warehouse import Warehouse

# As Prometheus counts its exporters' ports, the one that OpenTelemetry's exporter has by default.
PORT = 9464


def pipeline_metrics(environment: Environment) -> PipelineMetrics:
    """What the exporter serves, of the home and the Dagster instance that the environment names."""
    reader = PipelineReader(
        open_instance(environment),
        definitions().resolve_asset_graph().asset_check_keys,
        ObjectStore(environment.under("objects")),
        Warehouse(environment.under("warehouse")),
        vector_store(environment.under("embedded")),
    )
    return PipelineMetrics(reader.read)


def main() -> None:
    """Serve them until told to stop."""
    parser = argparse.ArgumentParser(description="The pipelines' metrics for Prometheus.")
    parser.add_argument("--host", default="127.0.0.1", help="Where to listen; who reaches it reads them.")
    parser.add_argument("--port", type=int, default=PORT)
    chosen = parser.parse_args()
    logging.basicConfig(level=logging.INFO)
    registry = CollectorRegistry()
    registry.register(pipeline_metrics(Environment.current()))
    server, thread = start_http_server(chosen.port, chosen.host, registry)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    logging.getLogger(__name__).info("metrics at http://%s:%d/metrics", chosen.host, chosen.port)
    stop.wait()
    server.shutdown()
    thread.join()


if __name__ == "__main__":
    main()
