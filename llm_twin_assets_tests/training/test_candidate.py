"""The whole way from a stored dataset to a candidate: in this process, and through Dagster in a child process."""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import dagster as dg
import pytest
from tiny_training import AUTHOR_NAME, pairs, write_dataset

from llm_twin_assets.datasets import preference_rejection, preference_version, version
from llm_twin_assets.datasets.preference import Pair, Preferences
from llm_twin_assets.datasets.preference_making import NO_CHAMPION, Maker
from llm_twin_assets.domain.sample import Split
from llm_twin_assets.partitions import AUTHORS
from llm_twin_assets.training import hyperparameters
from llm_twin_assets.training.assets import TRAINING_ASSETS
from llm_twin_assets.training.candidate import Order, candidate_for, order_for
from llm_twin_assets.training.checks import CANDIDATE_CHECKS
from llm_twin_assets.training.errors import ExitCode, TrainingError, VerificationError
from llm_twin_assets.training.plan import plan_for
from llm_twin_assets.training.provenance import git_commit, template_digest
from llm_twin_assets.training.spec import TrainingSpec
from llm_twin_assets.training.train import train
from resources.errors import StorageError
from resources.folder_digest import folder_digest
from resources.llm_settings import Preference
from resources.object_store import ObjectStore
from resources.registry import Registry
from resources.settings import Settings
from resources.training_settings import PreferenceTraining
from resources.warehouse import Warehouse


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    return Registry.embedded(tmp_path_factory.mktemp("registry"))


@pytest.fixture
def objects(tmp_path: Path) -> ObjectStore:
    return ObjectStore(str(tmp_path / "objects"))


@pytest.fixture
def author(request: pytest.FixtureRequest) -> str:
    """An author of each test's own, as the registry is shared."""
    return "a" + folder_name(request.node.name)


def folder_name(text: str) -> str:
    return "".join(letter for letter in text if letter.isalnum())[-30:].lower()


@pytest.fixture
def settings(author: str, llama: Path) -> Settings:
    return Settings.model_validate(
        {
            "authors": {author: {"name": AUTHOR_NAME, "sources": [{"platform": "files"}]}},
            "training": {"base": str(llama), "learning_rate": 1e-2, "max_steps": 3, "batch_size": 4, "lora_rank": 4},
        }
    )


@pytest.fixture
def order(author: str, settings: Settings, objects: ObjectStore) -> Order:
    store_dataset(objects, author, "d1")
    hyperparameters.store(objects, author, plan_for(Path(settings.training.base), settings.training))
    return order_for(author, settings, objects, {"articles": 4})


def store_dataset(objects: ObjectStore, author: str, version: str) -> None:
    folder = write_dataset(Path(objects.root) / "datasets" / author / version, pairs(12), pairs(15)[12:])
    (folder / "manifest.json").write_text(json.dumps({"digest": version}))
    objects.replace(f"datasets/{author}/current.json", json.dumps({"digest": version}).encode())


class Launcher:
    """Trains in this process, and counts how often."""

    def __init__(self) -> None:
        self.launched = 0

    def __call__(self, spec: TrainingSpec) -> None:
        self.launched += 1
        train(spec, lambda line: None)


def test_a_candidate_is_registered_verified_stored_and_named(
    order: Order, registry: Registry, objects: ObjectStore
) -> None:
    found = candidate_for(order, registry, objects, Launcher())

    tags = registry.tags(order.author, found.model.version)
    assert registry.alias_version(order.author, "candidate") == found.model.version == "1"
    assert registry.status(found.model.run_id) == "FINISHED"
    assert tags["dataset_version"] == "d1"
    assert tags["base_digest"] == order.base.digest
    assert {"prompt_digest", "parameters_digest", "git_commit", "code_version", "seconds", "tokens"} <= set(tags)
    assert tags["template_digest"] == template_digest(order.base.folder)
    assert tags["hardware"]
    assert json.loads(tags["snapshots"]) == {"articles": 4}
    assert folder_digest(Path(objects.root, found.path)) == found.model.digest == tags["model_digest"]
    assert registry.metrics(found.model.run_id)["logit_deviation"] < 1e-3
    assert len(registry.history(found.model.run_id, "live/loss")) > 1, "the loss is told while the training runs"
    assert registry.history(found.model.run_id, "live/tokens_per_second")


def test_the_same_order_is_not_trained_twice(order: Order, registry: Registry, objects: ObjectStore) -> None:
    launcher = Launcher()
    first = candidate_for(order, registry, objects, launcher)
    second = candidate_for(order, registry, objects, launcher)

    assert launcher.launched == 1
    assert second == replace(first, reused=True)


def test_the_champion_gives_the_answers_that_are_rejected(
    order: Order,
    author: str,
    settings: Settings,
    registry: Registry,
    objects: ObjectStore,
    warehouse: Warehouse,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(preference_rejection, "_ATTEMPTS", 1)  # each is a process that loads torch
    chosen = Preference(enabled=True, rejected_by="champion", length_ratio=10, max_new_tokens=32)
    asked = settings.model_copy(update={"preference": chosen})
    maker = Maker(author, asked, version.current(objects, author), objects, warehouse, registry)
    candidate = candidate_for(order, registry, objects, Launcher()).model
    assert maker.make().without_rejected == NO_CHAMPION, "a candidate is no champion yet"

    registry.set_alias(author, "champion", candidate.version)
    made = maker.make()

    answers = dict(pairs(15))
    assert made.preferences.pairs
    assert {pair.rejected_by for pair in made.preferences.pairs} == {f"{candidate.name} {candidate.version}"}
    assert all(pair.chosen == answers[pair.prompt] != pair.rejected for pair in made.preferences.pairs)


def test_whatever_decides_the_model_decides_the_digest(order: Order) -> None:
    changed = (
        replace(order, author_name="Somebody Else"),
        replace(order, dataset=replace(order.dataset, digest="d2")),
        replace(order, plan=order.plan.model_copy(update={"learning_rate": 1.0})),
        replace(order, preferences=replace(order.dataset, digest="p1")),
    )

    assert len({order.digest, *(other.digest for other in changed)}) == 5


def test_pairs_are_trained_on_where_the_plan_asks_for_it(
    author: str, settings: Settings, registry: Registry, objects: ObjectStore
) -> None:
    store_dataset(objects, author, "d1")
    made = [
        Pair(f"p{number}", Split.TRAIN, "correction", question, answer, answer[::-1], "the base")
        for number, (question, answer) in enumerate(pairs(6))
    ]
    digest, files, _ = preference_version.build(author, AUTHOR_NAME, "d1", Preferences(tuple(made)), Preference())
    preference_version.store(objects, author, digest, files)
    hyperparameters.store(objects, author, plan_for(Path(settings.training.base), settings.training))
    assert order_for(author, settings, objects).preferences is None

    asking = settings.training.model_copy(update={"preference": PreferenceTraining(method="auto")})
    hyperparameters.store(objects, author, plan_for(Path(settings.training.base), asking))
    found = candidate_for(order_for(author, settings, objects), registry, objects, Launcher())

    assert registry.tags(author, found.model.version)["preference_version"] == digest
    assert registry.metrics(found.model.run_id)["preference_samples"] == 6


def test_an_older_order_makes_its_version_the_candidate_again(
    order: Order, registry: Registry, objects: ObjectStore
) -> None:
    launcher = Launcher()
    other = replace(order, plan=order.plan.model_copy(update={"seed": 99}))
    candidate_for(order, registry, objects, launcher)
    candidate_for(other, registry, objects, launcher)
    candidate_for(order, registry, objects, launcher)

    assert launcher.launched == 2
    assert registry.alias_version(order.author, "candidate") == "1"


def test_a_model_that_left_the_object_store_is_fetched_from_the_registry(
    order: Order, registry: Registry, objects: ObjectStore
) -> None:
    first = candidate_for(order, registry, objects, Launcher())
    for file in Path(objects.root, first.path).iterdir():
        file.unlink()

    again = candidate_for(order, registry, objects, Launcher())

    assert again.reused
    assert folder_digest(Path(objects.root, again.path)) == first.model.digest


def test_a_failed_training_ends_its_run_as_failed_and_registers_nothing(
    order: Order, registry: Registry, objects: ObjectStore
) -> None:
    def fail(spec: TrainingSpec) -> None:
        raise TrainingError("the loss is not a finite number", code=ExitCode.DIVERGED)

    with pytest.raises(TrainingError):
        candidate_for(order, registry, objects, fail)

    assert run_states(registry, order.author) == ["FAILED"]
    assert registry.alias_version(order.author, "candidate") is None
    with pytest.raises(StorageError):
        registry.version(order.author, "1")


def test_weights_changed_in_the_registry_never_become_candidate(
    order: Order, registry: Registry, objects: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    download = registry.download

    def tampered(author: str, version: str, scratch: Path) -> Path:
        folder = download(author, version, scratch)
        weights = folder / "adapter_model.safetensors"
        content = bytearray(weights.read_bytes())
        content[-1] ^= 1
        weights.write_bytes(bytes(content))
        return folder

    monkeypatch.setattr(registry, "download", tampered)
    with pytest.raises(VerificationError):
        candidate_for(order, registry, objects, Launcher())

    assert run_states(registry, order.author) == ["FAILED"]
    assert registry.alias_version(order.author, "candidate") is None
    assert registry.find_version(order.author, order.digest) is None
    assert list(objects.list(f"models/{order.author}")) == []


def test_a_foreign_model_in_the_object_store_is_never_taken_for_this_one(
    order: Order, registry: Registry, objects: ObjectStore
) -> None:
    objects.put_new(f"models/{order.author}/1/adapter_model.safetensors", b"another registry's version 1")

    with pytest.raises(StorageError, match="holds another model"):
        candidate_for(order, registry, objects, Launcher())

    assert registry.alias_version(order.author, "candidate") is None


def test_the_commit_is_that_of_the_git_tree_if_there_is_one(tmp_path: Path) -> None:
    assert git_commit(tmp_path) is None
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@b"]
    subprocess.run([*git, "init", "-q"], check=True)
    (tmp_path / "file").write_text("one")
    subprocess.run([*git, "add", "."], check=True)
    subprocess.run([*git, "commit", "-qm", "first"], check=True)
    clean = git_commit(tmp_path)
    (tmp_path / "file").write_text("two")

    assert clean is not None
    assert len(clean) == 40
    assert git_commit(tmp_path) == f"{clean}+"


@pytest.fixture
def instance(author: str) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        made.add_dynamic_partitions(str(AUTHORS.name), [author])
        yield made


def materialize(
    instance: dg.DagsterInstance, author: str, settings: Settings, objects: ObjectStore, registry: Registry
) -> dg.ExecuteInProcessResult:
    return dg.materialize(
        [*TRAINING_ASSETS, *CANDIDATE_CHECKS],
        instance=instance,
        partition_key=author,
        raise_on_error=False,
        resources={
            "settings": settings,
            "objects": objects,
            "registry": registry,
            "pipes": dg.PipesSubprocessClient(),
        },
    )


def test_the_assets_train_in_a_child_process_and_then_reuse(
    instance: dg.DagsterInstance, author: str, settings: Settings, objects: ObjectStore, registry: Registry
) -> None:
    store_dataset(objects, author, "d1")
    first = materialize(instance, author, settings, objects, registry)
    second = materialize(instance, author, settings, objects, registry)

    assert first.success
    assert second.success
    made, again = (result.asset_materializations_for_node("models__candidate")[0] for result in (first, second))
    assert (made.metadata["reused"].value, again.metadata["reused"].value) == (False, True)
    assert made.tags is not None
    assert again.tags is not None
    assert made.tags["dagster/data_version"] == again.tags["dagster/data_version"]
    assert str(made.metadata["loss"].value).startswith("![loss by step](data:image/png;base64,")
    assert "| learning_rate | 0.01 | twin.yaml |" in str(made.metadata["parameters"].value)
    checks = {check.check_name: check.passed for check in first.get_asset_check_evaluations()}
    assert checks == {"validation_loss_improved": True, "registry_copy_is_intact": True}
    # The very same model comes of it in this process, whoever's it is.
    for_another = replace(order_for(author, settings, objects), author=f"{author}2")
    here = candidate_for(for_another, registry, objects, Launcher())
    assert not here.reused
    assert here.model.digest == registry.tags(author, "1")["model_digest"]


def test_what_stops_a_child_process_is_said_by_the_asset(
    instance: dg.DagsterInstance, author: str, settings: Settings, objects: ObjectStore, registry: Registry
) -> None:
    store_dataset(objects, author, "d1")
    write_dataset(Path(objects.root) / "datasets" / author / "d1", [], [])

    result = materialize(instance, author, settings, objects, registry)

    assert not result.success
    failure = result.failure_data_for_node("models__candidate")
    assert failure is not None
    assert failure.error is not None
    assert failure.error.cause is not None
    assert "there is no sample to train on" in failure.error.cause.message
    assert run_states(registry, author) == ["FAILED"]


def test_parameters_are_stored_once_and_reused(author: str, settings: Settings, objects: ObjectStore) -> None:
    plan = plan_for(Path(settings.training.base), settings.training)
    with pytest.raises(StorageError, match="no hyperparameters yet"):
        hyperparameters.current(objects, author)

    assert hyperparameters.store(objects, author, plan)
    assert not hyperparameters.store(objects, author, plan)
    assert hyperparameters.current(objects, author) == plan


def run_states(registry: Registry, author: str) -> list[str]:
    from mlflow import MlflowClient

    client = MlflowClient(registry.tracking_uri)
    experiment = client.get_experiment_by_name(f"twin-{author}")
    assert experiment is not None
    return [run.info.status for run in client.search_runs([experiment.experiment_id])]
