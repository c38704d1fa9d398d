"""A run that is killed loses nothing and leaves nothing behind: the next one ends as if nothing had been."""

import json
import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import dagster as dg
import pyarrow as pa
import pytest

from llm_twin_assets.datasets.version import current as current_dataset
from llm_twin_assets.datasets.version import samples_of
from llm_twin_assets.domain.document import Category
from llm_twin_assets.domain.sample import Split
from llm_twin_assets.features.incremental import current_snapshot
from llm_twin_assets_tests.e2e import small_author
from llm_twin_assets_tests.e2e.small_author import AUTHOR
from llm_twin_assets_tests.faults import killed_run
from llm_twin_assets_tests.faults.own_process import import_for_runs, started
from resources.embedder import Embedder
from resources.lance_store import LanceVectorStore
from resources.object_store import ObjectStore
from resources.registry import Registry
from resources.settings import Embedding
from resources.warehouse import Warehouse

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

PATIENCE = 300


@dataclass(frozen=True)
class Home:
    """A home with the process that works on it."""

    folder: Path
    config: Path

    def run(self) -> ForkServerProcess:
        """`twin run`, in a process group of its own so that its training process can be killed with it."""
        scratch = self.folder / "scratch"
        scratch.mkdir(parents=True, exist_ok=True)
        variables = {**small_author.variables(self.folder, self.config), "TMPDIR": str(scratch)}
        return started(killed_run.run, AUTHOR, variables, self.log)

    def kill_when(self, reached: Callable[[], bool]) -> None:
        """Start a run and kill it, and whatever it started, at the given point: as a power cut would."""
        process = self.run()
        deadline = time.monotonic() + PATIENCE
        while not reached():
            assert process.is_alive(), f"the run ended before: {self.log.read_text()}"
            assert time.monotonic() < deadline, "the point was not reached"
            time.sleep(0.02)
        os.killpg(process.pid, signal.SIGKILL)
        process.join()

    def finish(self) -> None:
        """A run to its end."""
        process = self.run()
        process.join(PATIENCE)
        assert process.exitcode == 0, self.log.read_text()

    def found(self, pattern: str) -> Callable[[], bool]:
        """Whether something lies below the home that was not there yet when this was asked for."""
        before = set(self.folder.glob(pattern))
        return lambda: bool(set(self.folder.glob(pattern)) - before)

    @property
    def log(self) -> Path:
        """What the last run said."""
        return self.folder / "run.log"

    @property
    def registry(self) -> Registry:
        return Registry.embedded(self.folder / "mlflow")

    @property
    def objects(self) -> ObjectStore:
        return ObjectStore(str(self.folder / "objects"))


def test_a_run_killed_in_training_and_in_registration_is_made_good_by_the_next(tmp_path: Path) -> None:
    # Collection and index are killed at each of their commits in test_killed_collection and test_killed_index, which
    # takes seconds: when training begins they are done, and nothing may happen to them any more.
    config = small_author.write_config(
        tmp_path / "twin.yaml", small_author.write_notes(tmp_path / "notes"), max_steps=2
    )
    home = Home(tmp_path / "home", config)
    import_for_runs()

    home.kill_when(home.found("training/*/*/spec.json"))
    assert home.registry.alias_version(AUTHOR, "candidate") is None
    made = cleaned(home), index(home), dataset(home)
    assert all(made)
    home.kill_when(home.found("mlflow/artifacts/**/adapter_model.safetensors"))
    assert home.registry.alias_version(AUTHOR, "candidate") is None

    home.finish()

    assert (cleaned(home), index(home), dataset(home)) == made
    assert len(candidates(home)) == 1
    assert list(home.folder.glob("training/*/*")) == []
    assert trainings(home) == Counter(KILLED=2, FINISHED=1)
    assert json.loads(verdict(home))["passed"]
    # An author's runs never overlap: one that counted as started for ever would let the daemon start no other.
    assert statuses(home) == Counter(FAILURE=2, SUCCESS=1)

    # What the next run makes good it makes good once: the one after it finds nothing to do.
    tables = states(home)
    home.finish()
    assert states(home) == tables


def trainings(home: Home) -> Counter[str]:
    """How many of the author's MLflow runs ended how."""
    from mlflow import MlflowClient

    client = MlflowClient(home.registry.tracking_uri)
    experiment = client.get_experiment_by_name(f"twin-{AUTHOR}")
    assert experiment is not None
    return Counter(run.info.status for run in client.search_runs([experiment.experiment_id]))


def statuses(home: Home) -> Counter[str]:
    """How many of the home's runs ended how, as the Dagster UI shows it."""
    with dg.DagsterInstance.from_config(str(home.folder / "dagster")) as instance:
        return Counter(run.status.value for run in instance.get_runs())


def cleaned(home: Home) -> list[dict[str, object]]:
    warehouse = Warehouse(str(home.folder / "warehouse"))
    tables = [warehouse.read(f"cleaned/{category.plural}", AUTHOR) for category in Category]
    return sorted((row for table in tables for row in table.to_pylist()), key=lambda row: row["document_id"])


def index(home: Home) -> tuple[str | None, list[dict[str, object]]]:
    """The published snapshot's name, and every chunk in it."""
    store = LanceVectorStore(str(home.folder / "embedded"))
    snapshot = current_snapshot(AUTHOR, store, Embedder(Embedding().model))
    assert snapshot in store.snapshots(AUTHOR)
    rows: list[dict[str, object]] = []
    for category in Category:
        found = store.rows(AUTHOR, category.value)
        rows += found.drop_columns(["vector"]).to_pylist() if found.num_rows else []
    return snapshot, sorted(rows, key=lambda row: str(row["chunk_id"]))


def dataset(home: Home) -> tuple[str, list[pa.Table]]:
    version = current_dataset(home.objects, AUTHOR)
    return version.digest, [samples_of(home.objects, version, split) for split in Split]


def candidates(home: Home) -> list[str]:
    """The trainings whose model counts: verified, and stored where the service reads it. One has the alias."""
    version = home.registry.alias_version(AUTHOR, "candidate")
    assert version
    tags = home.registry.tags(AUTHOR, version)
    assert tags["verified"] == "true"
    found = home.registry.find_version(AUTHOR, tags["training_digest"])
    assert found is not None
    assert found.version == version
    verified = [
        home.registry.tags(AUTHOR, str(number))
        for number in range(1, int(version) + 1)
        if home.registry.tags(AUTHOR, str(number))["verified"] == "true"
    ]
    return [each["training_digest"] for each in verified]


def verdict(home: Home) -> bytes:
    version = home.registry.alias_version(AUTHOR, "candidate")
    return home.objects.get(f"evaluations/{AUTHOR}/{version}.json")


def states(home: Home) -> dict[str, object]:
    """Versions of all tables, of the dataset and of the models."""
    warehouse, store = Warehouse(str(home.folder / "warehouse")), LanceVectorStore(str(home.folder / "embedded"))
    return {
        **{f"raw/{each.plural}": warehouse.version(f"raw/{each.plural}") for each in Category},
        **{f"cleaned/{each.plural}": warehouse.version(f"cleaned/{each.plural}") for each in Category},
        "embedded": store.version(AUTHOR),
        "dataset": current_dataset(home.objects, AUTHOR).digest,
        "candidate": home.registry.alias_version(AUTHOR, "candidate"),
        "verdict": verdict(home),
    }
