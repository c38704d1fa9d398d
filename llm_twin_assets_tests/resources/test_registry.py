import socket
from pathlib import Path

import pytest

from resources.errors import StorageError
from resources.folder_digest import folder_digest
from resources.registry import RegisteredModel, Registry


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    """One for all tests, each with an author of its own: a fresh SQLite file takes seconds to set up."""
    return Registry.embedded(tmp_path_factory.mktemp("registry"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "trained"
    (made / "sub").mkdir(parents=True)
    (made / "adapter_model.safetensors").write_bytes(b"weights")
    (made / "sub" / "extra.json").write_text("{}")
    return made


def log(registry: Registry, author: str, folder: Path, training_digest: str = "a" * 64) -> RegisteredModel:
    tags = {"training_digest": training_digest, "dataset_version": "d"}
    params = {"learning_rate": 5e-3, "method": "lora"}
    with registry.run(author, name=folder.name, tags=tags, dataset_digest="d" * 64) as run:
        run.log(params, {"seconds": 2.5}, {"loss": [(1, 3.0), (2, 2.0)]})
        return run.register(folder, tags, params)


def test_a_logged_model_comes_back_byte_by_byte(registry: Registry, folder: Path, tmp_path: Path) -> None:
    model = log(registry, "round", folder)

    copy = registry.download("round", model.version, tmp_path / "scratch")

    assert (model.name, model.version) == ("twin-round", "1")
    assert folder_digest(copy) == folder_digest(folder) == model.digest
    assert copy.is_relative_to(tmp_path / "scratch")
    assert registry.version("round", "1") == model


def test_a_run_keeps_parameters_metrics_and_history(registry: Registry, folder: Path) -> None:
    model = log(registry, "kept", folder)

    assert registry.status(model.run_id) == "FINISHED"
    assert registry.metrics(model.run_id) == {"seconds": 2.5, "loss": 2.0}
    assert registry.history(model.run_id, "loss") == [(1, 3.0), (2, 2.0)]
    assert model.run_id in registry.run_url(model.run_id)
    assert registry.tags("kept", "1")["dataset_version"] == "d"


def test_only_a_verified_version_is_found_again(registry: Registry, folder: Path) -> None:
    model = log(registry, "found", folder, "b" * 64)

    assert registry.find_version("found", "b" * 64) is None
    registry.mark_verified("found", model.version)
    assert registry.find_version("found", "b" * 64) == model
    assert registry.find_version("found", "c" * 64) is None
    assert registry.find_version("somebody-else", "b" * 64) is None


def test_the_newest_of_equal_versions_is_found(registry: Registry, folder: Path) -> None:
    for _ in range(11):  # as text, "9" would come after "11"
        registry.mark_verified("equal", log(registry, "equal", folder).version)

    found = registry.find_version("equal", "a" * 64)

    assert found is not None
    assert found.version == "11"


def test_an_alias_points_to_one_version(registry: Registry, folder: Path) -> None:
    assert registry.alias_version("alias", "candidate") is None
    first, second = log(registry, "alias", folder), log(registry, "alias", folder)
    assert registry.alias_version("alias", "candidate") is None

    registry.set_alias("alias", "candidate", first.version)
    registry.set_alias("alias", "candidate", second.version)
    registry.set_alias("alias", "champion", first.version)

    assert registry.alias_version("alias", "candidate") == "2"
    assert registry.alias_version("alias", "champion") == "1"


def test_marks_are_added_and_changed(registry: Registry, folder: Path) -> None:
    version = log(registry, "marked", folder).version

    registry.mark("marked", version, {"approved_by": "eva"})
    registry.mark("marked", version, {"approved_by": "udo"})

    assert registry.tags("marked", version)["approved_by"] == "udo"


def test_a_run_that_fails_ends_as_failed_with_nothing_registered(registry: Registry) -> None:
    with (
        pytest.raises(ValueError, match="out of luck"),
        registry.run("failing", name="r", tags={}, dataset_digest="d") as run,
    ):
        raise ValueError("out of luck")

    assert registry.status(run.run_id) == "FAILED"
    assert registry.find_version("failing", "a" * 64) is None
    with pytest.raises(StorageError, match="no version 1 of twin-failing"):
        registry.version("failing", "1")


def test_a_run_that_is_cancelled_ends_as_killed(registry: Registry) -> None:
    with (
        pytest.raises(KeyboardInterrupt),
        registry.run("cancelled", name="r", tags={}, dataset_digest="d") as run,
    ):
        raise KeyboardInterrupt

    assert registry.status(run.run_id) == "KILLED"


def test_a_folder_that_cannot_be_stored_is_not_registered(registry: Registry, tmp_path: Path) -> None:
    (tmp_path / "trained").mkdir()
    (tmp_path / "trained" / "dangling").symlink_to(tmp_path / "nowhere")

    with pytest.raises(Exception, match=r"nowhere|dangling"):
        log(registry, "unstored", tmp_path / "trained")

    with pytest.raises(StorageError):
        registry.version("unstored", "1")


def test_a_digest_sees_names_and_contents(folder: Path) -> None:
    before = folder_digest(folder)
    (folder / "sub" / "extra.json").rename(folder / "sub" / "other.json")
    renamed = folder_digest(folder)
    (folder / "sub" / "other.json").write_text("{ }")

    assert len({before, renamed, folder_digest(folder)}) == 3


def test_a_run_whose_process_was_killed_is_ended_by_the_next_one(registry: Registry, folder: Path) -> None:
    client = registry._client
    experiment = client.create_experiment("twin-killed")
    gone = f"{socket.gethostname()}:{2**22 + 1}:1"  # above the kernel's largest number of a process
    left = client.create_run(experiment, tags={"twin.process": gone}).info.run_id
    elsewhere = client.create_run(experiment, tags={"twin.process": "another-machine:1:1"}).info.run_id

    with (
        registry.run("killed", name="next", tags={}, dataset_digest="d") as run,
        registry.run("killed", name="beside", tags={}, dataset_digest="d"),
    ):
        assert registry.status(run.run_id) == "RUNNING"

    assert registry.status(left) == "KILLED"
    assert registry.status(elsewhere) == "RUNNING"
    assert registry.status(run.run_id) == "FINISHED"


def test_a_database_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "mlflow.db").write_bytes(b"no database, be it ever so long" * 100)

    with pytest.raises(StorageError, match=r"mlflow\.db: MLflow's database cannot be used"):
        Registry.embedded(tmp_path).require_reachable()


def test_a_server_that_does_not_answer_is_named_at_once() -> None:
    with pytest.raises(StorageError, match=r"http://127\.0\.0\.1:9: the MLflow server does not answer"):
        Registry("http://127.0.0.1:9", artifact_root=None).require_reachable()


def test_a_database_that_is_there_is_no_matter(registry: Registry) -> None:
    registry.require_reachable()
