import json

import dagster as dg
import pytest

from llm_twin_assets.collection.assets import RAW_ASSETS
from llm_twin_assets.collection.sensors import compared, local_changes, register_authors

GOOD = "authors:\n  maya:\n    name: Maya\n    sources:\n      - {platform: files, path: notes}\n"


@pytest.fixture
def twin_yaml(tmp_path, monkeypatch):
    path = tmp_path / "twin.yaml"
    path.write_text(GOOD)
    monkeypatch.setenv("TWIN_CONFIG", str(path))
    return path


@pytest.fixture
def instance():
    # Not as a context: entered in a fixture, Dagster 1.13.27 leaves a context variable behind that breaks later tests.
    return dg.DagsterInstance.ephemeral()


@pytest.fixture
def tick(instance):
    resources = {"settings": object(), "environment": object(), "warehouse": object()}
    definitions = dg.Definitions(assets=RAW_ASSETS, sensors=[register_authors, local_changes], resources=resources)

    def evaluate(sensor, cursor=None):
        context = dg.build_sensor_context(
            instance=instance, cursor=cursor, repository_def=definitions.get_repository_def()
        )
        return sensor(context)

    return evaluate


def test_a_new_author_becomes_a_partition_with_one_first_run(twin_yaml, tick, instance) -> None:
    result = tick(register_authors)
    assert result.dynamic_partitions_requests[0].partition_keys == ["maya"]
    (request,) = result.run_requests
    assert (request.partition_key, request.run_key) == ("maya", "first-collection-of-maya")
    instance.add_dynamic_partitions("author", ["maya"])
    assert isinstance(tick(register_authors, result.cursor), dg.SkipReason)
    twin_yaml.write_text(GOOD + GOOD.partition("\n")[2].replace("maya", "jun").replace("Maya", "Jun"))
    later = tick(register_authors, result.cursor)
    assert [request.partition_key for request in later.run_requests] == ["jun"]


def test_an_author_whose_sources_change_is_collected_again(twin_yaml, tick, instance) -> None:
    first = tick(register_authors)
    instance.add_dynamic_partitions("author", ["maya"])
    twin_yaml.write_text(GOOD + "      - {platform: medium, export: medium.zip}\n")
    changed = tick(register_authors, first.cursor)
    (request,) = changed.run_requests
    assert request.partition_key == "maya"
    assert request.run_key.startswith("sources-of-maya-")
    twin_yaml.write_text(twin_yaml.read_text() + "# a comment\n")
    assert tick(register_authors, changed.cursor).run_requests == []


def test_a_cursor_of_an_earlier_version_starts_nothing(twin_yaml, tick, instance) -> None:
    instance.add_dynamic_partitions("author", ["maya"])
    assert tick(register_authors, "9f86d081884c7d65").run_requests == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("authors: [", "is not YAML"),
        ("autors: {}\n", "unknown key"),
        (GOOD.replace("files", "file"), r"twin.yaml:5: unknown platform 'file'. Did you mean 'files'?"),
    ],
)
def test_a_broken_twin_yaml_is_a_clear_skip_and_not_a_crash(twin_yaml, tick, text, said) -> None:
    twin_yaml.write_text(text)
    result = tick(register_authors)
    assert isinstance(result, dg.SkipReason)
    assert said in (result.skip_message or "")


def test_a_missing_twin_yaml_is_a_clear_skip(twin_yaml, tick) -> None:
    twin_yaml.unlink()
    for sensor in (register_authors, local_changes):
        result = tick(sensor)
        assert isinstance(result, dg.SkipReason)
        assert "there is no such file" in (result.skip_message or "")


def test_a_new_file_is_collected_once_it_has_come_to_rest(twin_yaml, tick, instance, tmp_path) -> None:
    instance.add_dynamic_partitions("author", ["maya"])
    notes = tmp_path / "notes"
    notes.mkdir()
    first = tick(local_changes)
    assert first.run_requests == [], "what is there at the beginning belongs to the first collection"
    (notes / "a.md").write_text("# A")
    arriving = tick(local_changes, first.cursor)
    assert arriving.run_requests == []
    (notes / "a.md").write_text("# A, still being written")
    still = tick(local_changes, arriving.cursor)
    assert still.run_requests == []
    rested = tick(local_changes, still.cursor)
    (request,) = rested.run_requests
    assert (request.partition_key, request.asset_selection) == ("maya", [dg.AssetKey(["raw", "files"])])
    assert tick(local_changes, rested.cursor).run_requests == []


def test_nobody_is_collected_who_is_not_registered(twin_yaml, tick, tmp_path) -> None:
    (tmp_path / "notes").mkdir()
    cursor = tick(local_changes).cursor
    (tmp_path / "notes" / "a.md").write_text("# A")
    for _ in range(2):
        result = tick(local_changes, cursor)
        cursor = result.cursor
        assert result.run_requests == []
    assert json.loads(cursor).keys() == {"maya/files"}


@pytest.mark.parametrize(
    ("entry", "now", "after"),
    [
        (None, "1", ("1", False)),
        ("1", "1", ("1", False)),
        ("1", "2", ("1>2", False)),
        ("1>2", "3", ("1>3", False)),
        ("1>2", "2", ("2", True)),
        ("1>2", "1", ("1", False)),
    ],
)
def test_a_change_counts_at_the_second_tick_that_sees_it(entry, now, after) -> None:
    assert compared(entry, now) == after


def test_both_run_unasked() -> None:
    assert {each.default_status for each in (register_authors, local_changes)} == {dg.DefaultSensorStatus.RUNNING}
