import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import numpy as np
import pytest

from llm_twin_assets.domain.alarm import State
from llm_twin_assets.monitoring.alarm_records import acknowledged, alarms, change, ringing
from llm_twin_assets.monitoring.answers import ANSWERS_TABLE
from llm_twin_assets.monitoring.checks import answers_are_sound
from llm_twin_assets.monitoring.columns import Answers
from llm_twin_assets.monitoring.corpus import corpus_sample
from llm_twin_assets.monitoring.sensors import answer_alarms
from llm_twin_assets.monitoring.stored_answers import record, stored_answers
from llm_twin_assets.monitoring.traces import TracesUnavailableError
from llm_twin_assets.monitoring.upkeep import tidy_answers_op
from llm_twin_assets.monitoring.watch import Progress, Watch
from llm_twin_assets.partitions import AUTHORS
from llm_twin_assets_tests.monitoring.phoenix_pages import Phoenix, phoenix_pages
from llm_twin_assets_tests.monitoring.traffic import answers, hours, with_share
from llm_twin_assets_tests.resources.chunks import rows
from resources.lance_store import LanceVectorStore
from resources.monitoring_settings import Monitoring
from resources.object_store import ObjectStore
from resources.settings import Author, Environment, Settings, Source
from resources.warehouse import Warehouse

# A full hour before now: whenever this runs, looks end at times that are known.
NOW = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
BEFORE = answers(200, NOW - hours(30), hours(20))
FAILING = with_share(answers(60, NOW - hours(1), hours(0.95), seed=1), 2, failed=True)


@pytest.fixture
def phoenix() -> Iterator[Phoenix]:
    with phoenix_pages() as known:
        yield known


@pytest.fixture
def watch(phoenix: Phoenix, tmp_path: Path) -> Watch:
    return Watch(phoenix.url, Warehouse(str(tmp_path / "w")), ObjectStore(str(tmp_path / "o")), Monitoring())


def stored(watch: Watch) -> Answers:
    return stored_answers(watch.warehouse, "maya")


def test_phoenix_gone_for_an_hour_loses_nothing_and_doubles_nothing(phoenix: Phoenix, watch: Watch):
    phoenix.answered(*BEFORE)
    progress = Progress()
    while progress.is_due(NOW - hours(2)):
        progress = watch.read("maya", progress, NOW - hours(2))
    phoenix.broken = (503, b"")
    for minutes in range(5, 60, 5):
        with pytest.raises(TracesUnavailableError):
            watch.read("maya", progress, NOW - hours(2) + timedelta(minutes=minutes))
    phoenix.broken = None
    # What was asked meanwhile was kept by the service; it is no sign of a wrong clock.
    phoenix.answered(*answers(30, NOW - hours(1.9), hours(0.8), seed=2))
    for late in range(3):
        progress = watch.read("maya", progress, NOW - hours(1) + timedelta(minutes=5 * late))
    assert len(stored(watch)) == 230
    assert not stored(watch).clock_skew.any()


def test_a_backlog_is_read_by_and_by(phoenix: Phoenix, watch: Watch):
    phoenix.answered(*answers(150, NOW - hours(30), hours(20)))
    progress = watch.read("maya", Progress(), NOW)
    assert progress.more
    assert progress.is_due(NOW)
    # Half of the answers are no window.
    assert watch.look("maya", progress, NOW) == progress
    progress = watch.read("maya", progress, NOW)
    assert (len(stored(watch)), progress.more, progress.is_due(NOW)) == (150, False, False)


def test_phoenix_is_asked_and_the_warehouse_written_every_five_minutes_at_most(phoenix: Phoenix, watch: Watch):
    progress = Progress()
    for minute in range(16):
        seen = answers(1, NOW - hours(1) + timedelta(minutes=minute - 1), seed=minute)
        phoenix.answered(*seen)
        now = NOW - hours(1) + timedelta(minutes=minute)
        progress = watch.read("maya", progress, now) if progress.is_due(now) else progress
    assert len(stored(watch)) == 16
    assert watch.warehouse.version(ANSWERS_TABLE) == 4


def test_an_alarm_is_opened_once_even_if_all_progress_is_lost(phoenix: Phoenix, watch: Watch):
    phoenix.answered(*BEFORE, *FAILING)
    for _ in range(2):
        progress = Progress()
        while progress.is_due(NOW):
            progress = watch.read("maya", progress, NOW)
        watch.look("maya", progress, NOW)
    [alarm] = alarms(watch.objects, "maya")
    assert (alarm.rule, alarm.state) == ("errors", State.OPEN)


def test_an_alarm_that_somebody_acknowledged_meanwhile_closes_with_that_on_record(phoenix: Phoenix, watch: Watch):
    record(watch.warehouse, "maya", [*BEFORE, *FAILING])
    progress = watch.look("maya", Progress(), NOW)
    [alarm] = ringing(watch.objects, "maya")
    change(
        watch.objects,
        alarm.author,
        alarm.alarm_id,
        lambda said: acknowledged(said.model_copy(update={"acted": ("told",)}), "ines", None),
    )
    record(watch.warehouse, "maya", answers(120, NOW, hours(3), seed=3))
    watch.look("maya", progress, NOW + hours(3))
    [over] = alarms(watch.objects, "maya")
    assert (over.state, over.acted, over.changed_at) == (State.CLOSED, ("told",), NOW + hours(3))


def test_what_is_too_old_goes_and_small_files_are_joined(watch: Watch):
    for at, each in enumerate((*BEFORE[:1], *FAILING[:2])):
        record(watch.warehouse, "maya", [replace(each, trace_id=f"{at:032x}")])
    settings = settings_of("maya")
    monitoring = Monitoring(retention_days=1)
    tidy_answers_op(dg.build_op_context(), watch.warehouse, settings.model_copy(update={"monitoring": monitoring}))
    assert stored(watch).trace_id.tolist() == [f"{at:032x}" for at in (1, 2)]
    from deltalake import DeltaTable

    assert len(DeltaTable(watch.warehouse.uri(ANSWERS_TABLE)).file_uris()) == 1


def settings_of(*authors: str) -> Settings:
    return Settings(authors={name: Author(name=name, sources=(Source(platform="files"),)) for name in authors})


def tick(watch: Watch, cursor: str | None = None) -> dg.SensorResult:
    root = Path(watch.objects.root).parent
    environment = Environment(home=str(root), config=Path("none"), service_url="", phoenix_url=watch.phoenix_url)
    resources = {
        "settings": settings_of("maya", "ben"),
        "environment": environment,
        "warehouse": watch.warehouse,
        "objects": watch.objects,
        "vector_store": LanceVectorStore(str(root / "embedded")),
    }
    hardcoded = {name: dg.ResourceDefinition.hardcoded_resource(each) for name, each in resources.items()}
    result = answer_alarms(dg.build_sensor_context(cursor=cursor, resources=hardcoded))
    assert isinstance(result, dg.SensorResult)
    return result


def test_the_sensor_has_each_alarm_acted_on_and_shows_what_to_run(phoenix: Phoenix, watch: Watch):
    recent = datetime.now(UTC) - timedelta(minutes=90)
    phoenix.answered(*BEFORE, *with_share(answers(180, recent, hours(1.45), seed=1), 2, failed=True))
    first = tick(watch)
    [alarm] = alarms(watch.objects, "maya")
    [request] = first.run_requests or ()
    assert (request.run_key, request.job_name) == (alarm.alarm_id, "act_on_alarm")
    [shown] = first.asset_events
    assert (shown.partition, shown.passed, shown.severity) == ("maya", False, dg.AssetCheckSeverity.ERROR)
    assert "twin rollback --author maya" in str(shown.metadata["alarms"].value)

    # Restarted without a cursor, it asks for the same run, which Dagster runs once; once acted on, for none.
    assert [each.run_key for each in tick(watch).run_requests or ()] == [alarm.alarm_id]
    change(watch.objects, "maya", alarm.alarm_id, lambda each: each.model_copy(update={"acted": ("told",)}))
    again = tick(watch, later(first.cursor))
    assert (again.run_requests, again.asset_events) == ([], [])

    change(watch.objects, alarm.author, alarm.alarm_id, lambda said: said.model_copy(update={"state": State.CLOSED}))
    [cleared] = tick(watch, later(again.cursor)).asset_events
    assert cleared.passed


def later(cursor: str | None) -> str:
    """The cursor, had its tick been ten minutes earlier."""
    progress = {author: Progress.model_validate(said) for author, said in json.loads(cursor or "{}").items()}
    ago = datetime.now(UTC) - timedelta(minutes=10)
    return json.dumps(
        {author: {**each.model_dump(mode="json"), "looked_at": ago.isoformat()} for author, each in progress.items()}
    )


def test_the_sensor_lives_through_a_phoenix_that_is_gone_and_a_cursor_of_before(watch: Watch, phoenix: Phoenix):
    phoenix.broken = (503, b"")
    result = tick(watch, json.dumps({"maya": "alarm"}))
    assert (result.run_requests, result.asset_events) == ([], [])
    assert "Phoenix answered 503" in str(result.skip_reason and result.skip_reason.skip_message)
    # One author's question that nobody answers is enough for a minute.
    assert phoenix.asked == 1


def test_run_by_hand_the_check_says_what_rings(watch: Watch, phoenix: Phoenix):
    record(watch.warehouse, "maya", [*BEFORE, *FAILING])
    watch.look("maya", Progress(), NOW)

    @dg.asset(key=["release", "deployed"], partitions_def=AUTHORS)
    def deployed() -> None: ...

    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions("author", ["maya"])
        result = dg.materialize(
            [deployed, answers_are_sound], instance=instance, partition_key="maya", resources={"objects": watch.objects}
        )
    [evaluated] = result.get_asset_check_evaluations()
    assert not evaluated.passed
    assert "errors: answers that failed" in (evaluated.description or "")


def test_a_corpus_is_sampled_from_the_releases_own_snapshot(tmp_path: Path):
    store = LanceVectorStore(str(tmp_path))
    store.write("maya", rows(["a", "b"], dimension=4), ())
    store.publish("maya", "first")
    store.write("maya", rows(["c"], document="e", dimension=4), ())
    sample = corpus_sample(store, "maya")
    assert sample("first").shape == (2, 4)
    assert np.size(sample("gone")) == 0
