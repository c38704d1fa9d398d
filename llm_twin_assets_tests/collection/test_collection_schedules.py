from datetime import UTC, datetime

import dagster as dg
import pytest

from llm_twin_assets.collection.assets import RAW_ASSETS
from llm_twin_assets.collection.schedules import collection_schedule, register_authors

GOOD = "authors:\n  maya:\n    name: Maya\n    sources:\n      - {platform: files, path: notes}\n"


@pytest.fixture
def twin_yaml(tmp_path, monkeypatch):
    path = tmp_path / "twin.yaml"
    path.write_text(GOOD)
    monkeypatch.setenv("TWIN_CONFIG", str(path))
    return path


@pytest.fixture
def definitions():
    return dg.Definitions(
        assets=RAW_ASSETS,
        schedules=[collection_schedule()],
        sensors=[register_authors],
        resources={"settings": object(), "environment": object(), "warehouse": object()},
    )


def tick(definitions, instance, cursor=None):
    context = dg.build_sensor_context(instance=instance, cursor=cursor, repository_def=definitions.get_repository_def())
    return register_authors(context)


def test_a_new_author_becomes_a_partition_with_one_first_run(twin_yaml, definitions) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        result = tick(definitions, instance)
        assert result.dynamic_partitions_requests[0].partition_keys == ["maya"]
        (request,) = result.run_requests
        assert (request.partition_key, request.run_key) == ("maya", "first-collection-of-maya")
        instance.add_dynamic_partitions("author", ["maya"])
        skipped = tick(definitions, instance, result.cursor)
        assert isinstance(skipped, dg.SkipReason)
        twin_yaml.write_text(GOOD + GOOD.partition("\n")[2].replace("maya", "jun").replace("Maya", "Jun"))
        later = tick(definitions, instance, result.cursor)
        assert [request.partition_key for request in later.run_requests] == ["jun"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("authors: [", "is not YAML"),
        ("autors: {}\n", "unknown key"),
        (GOOD.replace("files", "file"), r"twin.yaml:5: unknown platform 'file'. Did you mean 'files'?"),
    ],
)
def test_a_broken_twin_yaml_is_a_clear_skip_and_not_a_crash(twin_yaml, definitions, text, said) -> None:
    twin_yaml.write_text(text)
    with dg.DagsterInstance.ephemeral() as instance:
        result = tick(definitions, instance)
    assert isinstance(result, dg.SkipReason)
    assert said in (result.skip_message or "")


def test_a_missing_twin_yaml_is_a_clear_skip(twin_yaml, definitions) -> None:
    twin_yaml.unlink()
    with dg.DagsterInstance.ephemeral() as instance:
        result = tick(definitions, instance)
    assert isinstance(result, dg.SkipReason)
    assert "there is no such file" in (result.skip_message or "")


def test_the_schedule_asks_for_one_run_per_author_of_twin_yaml(twin_yaml, definitions, tmp_path) -> None:
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        instance.add_dynamic_partitions("author", ["maya", "left"])
        context = dg.build_schedule_context(
            instance=instance,
            scheduled_execution_time=datetime(2026, 1, 1, 5, 17, tzinfo=UTC),
            repository_def=definitions.get_repository_def(),
        )
        data = collection_schedule("17 5 * * *").evaluate_tick(context)
    assert [request.partition_key for request in data.run_requests] == ["maya"]


def test_both_run_unasked_and_load(definitions) -> None:
    dg.Definitions.validate_loadable(definitions)
    assert register_authors.default_status is dg.DefaultSensorStatus.RUNNING
    assert collection_schedule().default_status is dg.DefaultScheduleStatus.RUNNING
    assert collection_schedule("1 2 * * *").cron_schedule == "1 2 * * *"
