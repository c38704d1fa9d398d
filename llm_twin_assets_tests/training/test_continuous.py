"""When a changed dataset trains a new candidate: tick by tick, on the asset's own condition."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.definitions.asset_daemon_cursor import AssetDaemonCursor
from dagster_shared.serdes import deserialize_value, serialize_value
from tiny_training import pairs, write_dataset

from llm_twin_assets.partitions import AUTHORS
from llm_twin_assets.training.continuous import CANDIDATE, INSTRUCT, WHEN_WORTH_TRAINING_ANEW, snapshots_of
from resources.object_store import ObjectStore

MAYA, NOOR = "maya", "noor"
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


class Clockwork:
    """A dataset and a candidate in a graph of their own, with an instance, a clock and a cursor that is stored."""

    def __init__(self, objects: ObjectStore) -> None:
        self.instance = dg.DagsterInstance.ephemeral()
        self.instance.add_dynamic_partitions(str(AUTHORS.name), [MAYA, NOOR])
        self.now = datetime.now(UTC)
        self._objects = objects
        self._cursor: str | None = None
        self._dataset = {MAYA: "", NOOR: ""}
        assert self.tick() == set()

    def tick(self) -> set[str]:
        """The authors whose candidate is asked for. Between ticks nothing survives but what Dagster stores."""
        cursor = deserialize_value(self._cursor, AssetDaemonCursor) if self._cursor else None
        result = dg.evaluate_automation_conditions(
            self._graph(), instance=self.instance, cursor=cursor, evaluation_time=self.now
        )
        self._cursor = serialize_value(result.cursor)
        return {author for author in result.get_requested_partitions(CANDIDATE) if author}

    def new_dataset(self, author: str, name: str, samples: int) -> None:
        """A version with that many train samples, the first ones the same in all versions."""
        folder = write_dataset(Path(self._objects.root) / "datasets" / author / name, pairs(samples), [])
        (folder / "manifest.json").write_text("{}")
        self._objects.replace(f"datasets/{author}/current.json", json.dumps({"digest": name}).encode())
        self._dataset[author] = name
        self._materialize(author, INSTRUCT)

    def trained(self, author: str, dataset: str = "") -> None:
        """The training is done: on the newest dataset, or on the one that it began with."""
        newest, self._dataset[author] = self._dataset[author], dataset or self._dataset[author]
        self._materialize(author, CANDIDATE)
        self._dataset[author] = newest

    def later(self, hours: float) -> None:
        self.now += timedelta(hours=hours)

    def _materialize(self, author: str, key: dg.AssetKey) -> None:
        dg.materialize(
            [*self._graph().resolve_asset_graph().assets_defs],
            instance=self.instance,
            selection=[key],
            partition_key=author,
            run_config=QUIET,
        )

    def _graph(self) -> dg.Definitions:
        @dg.asset(key=INSTRUCT, partitions_def=AUTHORS)
        def instruct(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
            return dg.MaterializeResult(
                data_version=dg.DataVersion(self._dataset[context.partition_key]),
                metadata={"snapshots": dg.MetadataValue.json({"articles": 3, "posts": 7})},
            )

        @dg.asset(key=CANDIDATE, deps=[INSTRUCT], partitions_def=AUTHORS, automation_condition=WHEN_WORTH_TRAINING_ANEW)
        def candidate(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
            return dg.MaterializeResult(
                metadata={"versions": dg.MetadataValue.json({"dataset_version": self._dataset[context.partition_key]})}
            )

        return dg.Definitions([instruct, candidate])


def configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rule: str) -> None:
    (tmp_path / "twin.yaml").write_text(
        f"authors: {{maya: {{name: Maya, sources: [{{platform: files}}]}}}}\ntraining: {{continuous: {rule}}}\n"
    )
    monkeypatch.setenv("TWIN_CONFIG", str(tmp_path / "twin.yaml"))


@pytest.fixture
def clockwork(
    request: pytest.FixtureRequest, objects: ObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Clockwork]:
    """Maya's first candidate is trained on ten samples; the rule is the test's own."""
    configured(tmp_path, monkeypatch, getattr(request, "param", "{}"))
    made = Clockwork(objects)
    made.new_dataset(MAYA, "d1", samples=10)
    assert made.tick() == {MAYA}  # the first one is trained whatever the rule
    made.trained(MAYA)
    assert made.tick() == set()
    yield made
    made.instance.dispose()


def test_by_default_every_change_is_trained_on_once(clockwork: Clockwork) -> None:
    clockwork.new_dataset(MAYA, "d2", samples=10)

    assert clockwork.tick() == {MAYA}
    assert clockwork.tick() == set()
    clockwork.trained(MAYA)
    assert clockwork.tick() == set()


@pytest.mark.parametrize("clockwork", ["{min_new_samples: 5}"], indirect=True)
def test_new_samples_add_up_until_there_are_enough(clockwork: Clockwork) -> None:
    clockwork.new_dataset(MAYA, "d2", samples=13)
    assert clockwork.tick() == set()
    clockwork.new_dataset(MAYA, "d3", samples=15)

    assert clockwork.tick() == {MAYA}
    assert clockwork.tick() == set()
    clockwork.trained(MAYA)
    clockwork.new_dataset(MAYA, "d4", samples=18)
    assert clockwork.tick() == set()


def test_a_change_while_a_training_goes_on_is_trained_on_after_it(clockwork: Clockwork) -> None:
    clockwork.new_dataset(MAYA, "d2", samples=11)
    assert clockwork.tick() == {MAYA}
    assert clockwork.tick() == set()
    clockwork.new_dataset(MAYA, "d3", samples=12)
    clockwork.trained(MAYA, "d2")

    assert clockwork.tick() == {MAYA}
    clockwork.trained(MAYA, "d3")
    assert clockwork.tick() == set()
    assert clockwork.tick() == set()


def test_a_change_right_after_a_request_is_not_lost(clockwork: Clockwork) -> None:
    clockwork.new_dataset(MAYA, "d2", samples=11)
    assert clockwork.tick() == {MAYA}
    clockwork.new_dataset(MAYA, "d3", samples=12)

    assert clockwork.tick() == {MAYA}
    assert clockwork.tick() == set()


@pytest.mark.parametrize("clockwork", ["{min_hours: 24}"], indirect=True)
def test_a_change_waits_until_its_time_has_come_and_is_not_forgotten(clockwork: Clockwork) -> None:
    clockwork.new_dataset(MAYA, "d2", samples=11)
    assert clockwork.tick() == set()
    clockwork.later(hours=23)
    assert clockwork.tick() == set()
    clockwork.later(hours=2)

    assert clockwork.tick() == {MAYA}
    assert clockwork.tick() == set()


@pytest.mark.parametrize("clockwork", ["{min_hours: 24}"], indirect=True)
def test_time_alone_trains_nothing(clockwork: Clockwork) -> None:
    clockwork.later(hours=1000)
    assert clockwork.tick() == set()


@pytest.mark.parametrize("clockwork", ["{min_new_samples: 5, min_hours: 24}"], indirect=True)
def test_what_is_trained_by_hand_meanwhile_is_not_trained_again(clockwork: Clockwork) -> None:
    clockwork.new_dataset(MAYA, "d2", samples=20)
    assert clockwork.tick() == set()
    clockwork.trained(MAYA)
    clockwork.later(hours=100)

    assert clockwork.tick() == set()


@pytest.mark.parametrize("clockwork", ["{min_new_samples: 5}"], indirect=True)
def test_one_authors_samples_are_not_anothers(clockwork: Clockwork) -> None:
    clockwork.new_dataset(NOOR, "n1", samples=8)
    assert clockwork.tick() == {NOOR}
    clockwork.trained(NOOR)
    clockwork.new_dataset(MAYA, "d2", samples=12)
    clockwork.new_dataset(NOOR, "n2", samples=13)

    assert clockwork.tick() == {NOOR}


def test_a_broken_twin_yaml_delays_and_loses_nothing(
    clockwork: Clockwork, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clockwork.new_dataset(MAYA, "d2", samples=11)
    configured(tmp_path, monkeypatch, "{min_new_sample: 5}")
    assert clockwork.tick() == set()
    configured(tmp_path, monkeypatch, "{}")

    assert clockwork.tick() == {MAYA}


def test_the_snapshots_of_a_dataset_are_its_own_record(clockwork: Clockwork) -> None:
    assert snapshots_of(clockwork.instance, MAYA) == {"articles": 3, "posts": 7}
    assert snapshots_of(clockwork.instance, NOOR) == {}
