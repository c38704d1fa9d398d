"""The files of `deploy/`: whatever metric they name is one that we have, with promtool here or without."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from bentos.engine_metrics import EngineStanding, exposition
from bentos.follower import ReleaseFollower
from bentos.gauges import Standing
from bentos.metrics import ServiceMetrics
from bentos.model_host import ModelHost
from bentos.pool import Pool
from bentos.visit import Pools
from llm_twin_assets.exporter import PORT
from llm_twin_assets.monitoring.pipeline_metrics import PipelineMetrics
from llm_twin_assets.monitoring.pipelines import Pipelines
from llm_twin_assets_tests.imports import ROOT
from resources.access_settings import Access
from resources.object_store import ObjectStore
from resources.tracing import NoTracer

PROMETHEUS, GRAFANA = ROOT / "deploy" / "prometheus", ROOT / "deploy" / "grafana" / "llm-twin.json"
PROMTOOL = shutil.which("promtool")
# Where there is no promtool the test is left out, but never in CI, which installs it.
LEFT_OUT = PROMTOOL is None and "CI" not in os.environ
NAME = re.compile(r"\b(?:twin|process)_[a-z_]+")


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The name of every series of ours, from a service and pipelines that hold nothing yet."""
    objects = ObjectStore(str(tmp_path_factory.mktemp("objects")))
    pools = Pools.of(Access())
    nobody = ReleaseFollower(objects, lambda _: pytest.fail("nothing is released"))
    page = ServiceMetrics().exposition(Standing(nobody, pools, NoTracer())).decode()
    pools.close()
    host, queue = ModelHost(lambda _: pytest.fail("nothing is leased")), Pool("model", 1, 1)
    engine = exposition(EngineStanding(host, queue)).decode()
    host.close()
    queue.close()
    pages = (text_string_to_metric_families(each) for each in (page, engine))
    families = [*chain.from_iterable(pages), *PipelineMetrics(Pipelines).collect()]
    return {name for family in families for name in _series(family.name, family.type)}


def _series(name: str, kind: str) -> Iterator[str]:
    yield from {
        "counter": (f"{name}_total",),
        "histogram": (f"{name}_bucket", f"{name}_count", f"{name}_sum"),
    }.get(kind, (name,))


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load((PROMETHEUS / "alerts.yml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    return [panel for panel in json.loads(GRAFANA.read_text())["panels"] if panel["type"] != "row"]


def queries() -> list[str]:
    return [target["expr"] for panel in panels() for target in panel["targets"]]


def series_of_the_rules_tests() -> list[str]:
    tests = yaml.safe_load((PROMETHEUS / "alerts_test.yml").read_text())["tests"]
    return [series["series"] for test in tests for series in test["input_series"]]


def test_every_metric_that_a_rule_or_a_panel_names_is_one_that_we_have(known: set[str]) -> None:
    for expression in (*(rule["expr"] for rule in rules()), *queries(), *series_of_the_rules_tests()):
        assert set(NAME.findall(expression)) <= known, expression


def test_a_metric_that_nobody_looks_at_is_not_kept(known: set[str]) -> None:
    looked_at = {name for each in (*(rule["expr"] for rule in rules()), *queries()) for name in NAME.findall(each)}
    ours = {name.removesuffix("_bucket") for name in known if name.startswith("twin_") and "_process_" not in name}
    ours -= {name for name in ours if name.endswith(("_count", "_sum", "_created"))}
    assert ours - {name.removesuffix("_bucket") for name in looked_at} == set()


def test_every_alert_says_what_is_wrong_how_bad_and_what_to_do() -> None:
    names = [rule["alert"] for rule in rules()]
    assert len(names) == len(set(names))
    for rule in rules():
        assert rule["labels"]["severity"] in ("info", "warning", "critical")
        assert rule["for"]
        assert set(rule["annotations"]) == {"summary", "mend"}


def test_prometheus_scrapes_what_twin_up_starts() -> None:
    config = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())
    targets = {job["job_name"]: job["static_configs"][0]["targets"] for job in config["scrape_configs"]}
    procfile = (ROOT / "Procfile").read_text()
    assert targets == {"twin-service": ["127.0.0.1:8000"], "twin-pipelines": [f"127.0.0.1:{PORT}"]}
    assert re.search(r"^service: .*--port 8000$", procfile, re.MULTILINE)
    assert re.search(rf"^exporter: .*--port {PORT}$", procfile, re.MULTILINE)


def test_the_dashboard_asks_its_own_variables_and_places_no_panel_over_another() -> None:
    dashboard = json.loads(GRAFANA.read_text())
    assert {each["name"] for each in dashboard["templating"]["list"]} == {"datasource", "author"}
    assert set(re.findall(r"\$\{?(\w+)", json.dumps(dashboard))) <= {
        "datasource", "author", "__rate_interval", "__all",
    }  # fmt: skip
    taken: set[tuple[int, int]] = set()
    for panel in dashboard["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert taken.isdisjoint(cells), panel["title"]
        assert max(x for x, _ in cells) < 24
        taken |= cells
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(ids) == len(set(ids))


@pytest.mark.skipif(LEFT_OUT, reason="needs promtool (Debian's package `prometheus`)")
def test_promtool_finds_nothing_wrong(tmp_path: Path) -> None:
    """The configuration, the rules by their own tests, and what the dashboard asks, as if it were rules."""
    asked = {
        "groups": [{"name": "dashboard", "rules": [
            {"record": f"panel:{number}", "expr": each.replace("$__rate_interval", "5m").replace("$author", ".*")}
            for number, each in enumerate(queries())
        ]}]
    }  # fmt: skip
    (tmp_path / "dashboard.yml").write_text(yaml.safe_dump(asked))
    for command in (
        ("check", "config", str(PROMETHEUS / "prometheus.yml")),
        ("test", "rules", str(PROMETHEUS / "alerts_test.yml")),
        ("check", "rules", str(tmp_path / "dashboard.yml")),
    ):
        done = subprocess.run([PROMTOOL or "promtool", *command], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
