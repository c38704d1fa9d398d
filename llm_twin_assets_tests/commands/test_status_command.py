"""`twin status`: one screen, with everything running, with nothing running, and with records that are broken."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from llm_twin_assets.domain.tables import CLEANED_SCHEMA, to_table
from llm_twin_assets.monitoring.alarm_records import put_new
from llm_twin_assets_tests.commands.typed import Configure, Twin
from llm_twin_assets_tests.conftest import cleaned
from llm_twin_assets_tests.imports import closure
from llm_twin_assets_tests.monitoring.test_pipeline_metrics import State, alarm
from llm_twin_assets_tests.release.test_approvals import evaluated
from resources.object_store import ObjectStore
from resources.warehouse import Warehouse


@contextmanager
def answering(ready: Callable[[], int]) -> Iterator[str]:
    """A server that answers /readyz with what `ready` says."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(ready() if self.path == "/readyz" else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_where_nothing_runs_and_nothing_was_made_it_says_so(twin: Twin, configure: Configure) -> None:
    configure()
    result = twin("status")
    assert result.exit_code == 0, result.output
    assert "Maya Lindqvist (maya)" in result.stdout
    assert "files: never" in result.stdout
    assert "nothing is released" in result.stdout
    [line] = [line for line in result.stdout.splitlines() if line.startswith("  service")]
    assert "not running" in line


def test_what_waits_and_what_rings_is_on_the_screen(
    twin: Twin, configure: Configure, objects: ObjectStore, warehouse: Warehouse
) -> None:
    configure()
    now = datetime.now(UTC)
    warehouse.upsert("cleaned/articles", to_table([cleaned("one", "Some words.")], CLEANED_SCHEMA), "maya")
    evaluated(objects, "7", now - timedelta(hours=3))
    put_new(objects, alarm(1, State.OPEN, now - timedelta(minutes=20)))
    put_new(objects, alarm(2, State.CLOSED, now))
    shown = twin("status").stdout
    assert "1 articles" in shown
    assert "model 7 passed the gate 3 h ago: `twin approve`" in shown
    assert shown.count("critical slow: it is slow") == 1
    assert "(open, 20 min ago)" in shown
    told = json.loads(twin("status", "--json").stdout)
    [author] = told["authors"]
    assert (author["author"], author["candidate"], author["release"]) == ("maya", "7", None)
    assert [each["alarm_id"] for each in author["alarms"]] == ["alarm-1"]
    assert author["documents"]["articles"] == 1
    assert {each["name"] for each in told["servers"]} == {"Dagster", "service", "Phoenix", "MLflow", "exporter"}


def test_broken_records_are_said_and_the_rest_is_shown(twin: Twin, configure: Configure, objects: ObjectStore) -> None:
    configure()
    objects.replace("alarms/maya/broken.json", b"{}")
    result = twin("status")
    assert result.exit_code == 0
    assert "alarms/maya/broken.json: is not the record of an alarm" in result.stdout
    assert "Servers" in result.stdout


def test_a_service_that_runs_is_not_yet_one_that_answers(
    twin: Twin, configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure()
    status = [503]
    with answering(lambda: status[0]) as url:
        monkeypatch.setenv("TWIN_SERVICE_URL", url)
        assert "running, but no release can answer yet" in twin("status").stdout
        status[0] = 200
        told = json.loads(twin("status", "--json").stdout)
    [service] = [each for each in told["servers"] if each["name"] == "service"]
    assert service == {"name": "service", "url": url, "said": "ready", "ready": True}


def test_it_draws_in_nothing_that_takes_long_to_import() -> None:
    _, others = closure("llm_twin_assets.commands.status")
    assert others.isdisjoint({"torch", "transformers", "dagster", "mlflow", "lancedb", "pandas", "matplotlib", "scipy"})
