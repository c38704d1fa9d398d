from datetime import UTC, datetime

import dagster as dg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_twin_assets.collection.assets import RAW_ASSETS
from llm_twin_assets.collection.connectors import all_connectors
from llm_twin_assets.collection.schedules import collection_schedules, jittered
from resources.settings import Collection

GOOD = "authors:\n  maya:\n    name: Maya\n    sources:\n      - {platform: files, path: notes}\n"
NO_JITTER = Collection(jitter_minutes=0)


@pytest.fixture
def twin_yaml(tmp_path, monkeypatch):
    path = tmp_path / "twin.yaml"
    path.write_text(GOOD)
    monkeypatch.setenv("TWIN_CONFIG", str(path))
    return path


@pytest.fixture
def tick(tmp_path, twin_yaml):
    schedules = {each.name: each for each in collection_schedules(NO_JITTER)}
    resources = {"settings": object(), "environment": object(), "warehouse": object()}
    definitions = dg.Definitions(assets=RAW_ASSETS, schedules=schedules.values(), resources=resources)

    def evaluate(platform: str, *registered: str):
        with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
            instance.add_dynamic_partitions("author", list(registered))
            made = dg.build_schedule_context(
                instance=instance,
                scheduled_execution_time=datetime(2026, 1, 1, 5, 17, tzinfo=UTC),
                repository_def=definitions.get_repository_def(),
            )
            # As a context: collected later, it would put its own instance's storage back in place of the outer one's.
            with made as context:
                return schedules[f"collect_{platform}"].evaluate_tick(context)

    return evaluate


def test_each_platform_has_a_schedule_that_runs_unasked() -> None:
    schedules = collection_schedules(Collection(schedules={"github": "0 */6 * * *"}), "home")
    assert [each.name for each in schedules] == [f"collect_{platform}" for platform in all_connectors()]
    assert all(each.default_status is dg.DefaultScheduleStatus.RUNNING for each in schedules)
    assert {each.name: each.cron_schedule for each in schedules}["collect_github"].endswith("*/6 * * *")


def test_a_schedule_asks_for_its_platform_of_each_author_who_uses_it(tick) -> None:
    (request,) = tick("files", "maya", "left").run_requests
    assert request.partition_key == "maya"
    assert request.asset_selection == [dg.AssetKey(["raw", "files"])]
    assert request.run_key == "maya/files@2026-01-01T05:17:00+00:00"


def test_a_platform_that_nobody_uses_is_skipped_and_says_so(tick) -> None:
    data = tick("medium", "maya")
    assert data.run_requests == []
    assert data.skip_message == "No registered author of twin.yaml has a medium source."


def test_a_broken_twin_yaml_is_a_clear_skip(tick, twin_yaml) -> None:
    twin_yaml.write_text("autors: {}\n")
    assert "unknown key" in (tick("files", "maya").skip_message or "")


def test_platforms_and_twins_are_spread_and_each_stays_where_it_is() -> None:
    spread = Collection()
    crons = {jittered("17 5 * * *", spread, home, platform) for home in "abcdef" for platform in all_connectors()}
    assert len(crons) > 20
    assert jittered("17 5 * * *", spread, "a", "web") == jittered("17 5 * * *", spread, "a", "web")


@pytest.mark.parametrize("cron", ["*/15 * * * *", "0,30 5 * * *", "@daily", "5-10 5 * * *"])
def test_a_cron_that_names_more_than_one_minute_stays(cron) -> None:
    assert jittered(cron, Collection(), "a", "web") == cron


@given(st.integers(0, 59), st.integers(0, 23), st.integers(0, 720), st.text(max_size=5))
def test_a_daily_cron_moves_at_most_by_the_jitter_and_never_into_another_day(minute, hour, jitter, seed) -> None:
    moved = jittered(f"{minute} {hour} * * 1", Collection(jitter_minutes=jitter), seed, "web").split()
    later = int(moved[1]) * 60 + int(moved[0]) - (hour * 60 + minute)
    assert 0 <= later <= jitter
    assert moved[2:] == ["*", "*", "1"]
