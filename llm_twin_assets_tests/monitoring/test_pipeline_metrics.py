"""What the exporter tells Prometheus of the pipelines, read from real stores and a real Dagster instance."""

from collections.abc import Iterator
from datetime import datetime

import dagster as dg
import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from llm_twin_assets.domain.alarm import Action, Alarm, Severity, State
from llm_twin_assets.domain.document import Category
from llm_twin_assets.domain.tables import CLEANED_SCHEMA, to_table
from llm_twin_assets.monitoring.alarm_records import put_new
from llm_twin_assets.monitoring.pipeline_metrics import PipelineMetrics
from llm_twin_assets.monitoring.pipelines import PipelineReader, Pipelines
from llm_twin_assets.partitions import AUTHORS
from llm_twin_assets.release.approvals import reject
from llm_twin_assets_tests.conftest import cleaned
from llm_twin_assets_tests.release.test_approvals import evaluated
from resources.lance_store import LanceVectorStore
from resources.object_store import ObjectStore
from resources.warehouse import Warehouse

KEY = dg.AssetKey(["raw", "files"])


@pytest.fixture(scope="module")
def instance() -> Iterator[dg.DagsterInstance]:
    """Both authors' files are collected; ben's are not whole."""
    with dg.DagsterInstance.ephemeral() as made:
        made.add_dynamic_partitions(AUTHORS.name or "", ["maya", "ben"])
        for author in ("maya", "ben"):
            made.report_runless_asset_event(dg.AssetMaterialization(KEY, partition=author))
            verdict = dg.AssetCheckEvaluation(
                asset_key=KEY, check_name="is_whole", passed=author == "maya", partition=author
            )
            made.report_runless_asset_event(verdict)
        yield made


@pytest.fixture
def reader(instance: dg.DagsterInstance, objects: ObjectStore, warehouse: Warehouse) -> PipelineReader:
    store = LanceVectorStore(f"{objects.root}/../embedded")
    return PipelineReader(instance, [dg.AssetCheckKey(KEY, "is_whole")], objects, warehouse, store)


def samples(metrics: PipelineMetrics) -> dict[str, float]:
    registry = CollectorRegistry()
    registry.register(metrics)
    return {
        f"{each.name}{{{','.join(f'{key}={value}' for key, value in sorted(each.labels.items()))}}}": each.value
        for family in text_string_to_metric_families(generate_latest(registry).decode())
        for each in family.samples
    }


def alarm(number: int, state: State, now: datetime) -> Alarm:
    return Alarm(
        alarm_id=f"alarm-{number}", author="maya", rule="slow", metric="p95", release="maya-000001",
        severity=Severity.CRITICAL, action=Action.NOTIFY, automatic=False, value=2.0, threshold=1.0, answers=50,
        window_minutes=60, reason="it is slow", state=state, opened_at=now, changed_at=now,
    )  # fmt: skip


def test_every_author_has_last_successes_verdicts_documents_and_alarms(
    reader: PipelineReader, objects: ObjectStore, warehouse: Warehouse, now: datetime
) -> None:
    texts = [cleaned("one", "Some words."), cleaned("two", "Other words.")]
    warehouse.upsert("cleaned/articles", to_table(texts, CLEANED_SCHEMA), "maya")
    code = [cleaned("c", "x = 1", Category.CODE, code_language="python")]
    warehouse.upsert("cleaned/code", to_table(code, CLEANED_SCHEMA), "maya")
    evaluated(objects, "1", now)
    put_new(objects, alarm(1, State.OPEN, now))
    put_new(objects, alarm(2, State.ACKNOWLEDGED, now))
    put_new(objects, alarm(3, State.CLOSED, now))
    seen = samples(PipelineMetrics(reader.read))
    for author in ("maya", "ben"):
        assert seen[f"twin_asset_last_success_timestamp_seconds{{asset=raw/files,author={author}}}"] > 1.7e9
    assert seen["twin_asset_check_failed{asset=raw/files,author=maya,check=is_whole}"] == 0
    assert seen["twin_asset_check_failed{asset=raw/files,author=ben,check=is_whole}"] == 1
    assert seen["twin_documents{author=maya,category=articles}"] == 2
    assert seen["twin_documents{author=maya,category=code}"] == 1
    assert seen["twin_documents{author=ben,category=articles}"] == 0
    assert seen["twin_alarms{author=maya,severity=critical}"] == 2
    assert seen["twin_alarms{author=maya,severity=info}"] == 0
    assert seen["twin_candidate_waiting{author=maya}"] == 1
    assert seen["twin_candidate_timestamp_seconds{author=maya}"] == now.timestamp()
    assert "twin_release_timestamp_seconds{author=maya}" not in seen
    reject(objects, "maya", "1", "Noor", "repeats itself", now)
    assert samples(PipelineMetrics(reader.read))["twin_candidate_waiting{author=maya}"] == 0


def test_an_author_whose_records_are_broken_takes_no_other_along(reader: PipelineReader, objects: ObjectStore) -> None:
    objects.replace("alarms/maya/broken.json", b"{}")
    seen = samples(PipelineMetrics(reader.read))
    assert seen["twin_records_readable{author=maya}"] == 0
    assert seen["twin_records_readable{author=ben}"] == 1
    assert "twin_documents{author=maya,category=articles}" not in seen
    assert "twin_documents{author=ben,category=articles}" in seen


def test_what_was_read_lately_is_not_read_again() -> None:
    reads, clock = [], [0.0]

    def read() -> Pipelines:
        reads.append(clock[0])
        return Pipelines()

    metrics = PipelineMetrics(read, every=30, clock=lambda: clock[0])
    for now in (0.0, 10.0, 29.0, 31.0, 40.0, 62.0):
        clock[0] = now
        list(metrics.collect())
    assert reads == [0.0, 31.0, 62.0]
