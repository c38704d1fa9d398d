"""The search for parameters: what it tries, what it may see, how it goes on, what it leaves."""

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from tiny_training import AUTHOR_NAME, pairs, write_dataset

from llm_twin_assets.training import parameter_sets
from llm_twin_assets.training.choosing import Choice, choose
from llm_twin_assets.training.errors import ExitCode, PlanError, TrainingError, TrainingFailedError
from llm_twin_assets.training.giving_up import is_hopeless
from llm_twin_assets.training.parameter_sets import ParameterSet, SearchKey
from llm_twin_assets.training.plan import plan_for
from llm_twin_assets.training.search_report import search_page
from llm_twin_assets.training.search_space import SearchSpace
from llm_twin_assets.training.spec import LossPoint, TrainingMetrics, TrainingOutput, TrainingSpec
from llm_twin_assets.training.train import train
from resources.bases import find_base
from resources.errors import StorageError
from resources.object_store import ObjectStore
from resources.registry import Registry
from resources.settings import Settings
from resources.training_settings import Training

KEY = SearchKey(family="llama", size_class="tiny", method="lora", tier="l")


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    return Registry.embedded(tmp_path_factory.mktemp("registry"))


@pytest.fixture
def author(request: pytest.FixtureRequest) -> str:
    """An author of each test's own, as the registry is shared."""
    return "s" + "".join(letter for letter in request.node.name if letter.isalnum())[-30:].lower()


Choosing = Callable[..., Choice]


@pytest.fixture
def chosen(llama: Path, registry: Registry, objects: ObjectStore, author: str, tmp_path: Path) -> Choosing:
    """Choose parameters for the author's dataset, by simulated trainings unless said otherwise."""
    store_dataset(objects, author, "d1")

    def chosen(launch: Callable[[TrainingSpec], None], trials: int, **training: object) -> Choice:
        search_settings = {"trials": trials} | dict(training.pop("search", {}))  # type: ignore[call-overload]
        settings = Settings.model_validate(
            {
                "authors": {author: {"name": AUTHOR_NAME, "sources": [{"platform": "files"}]}},
                "training": {"base": str(llama), "search": search_settings, **training},
            }
        )
        return choose(author, find_base(str(llama)), settings, objects, registry, launch, tmp_path / "searches")

    return chosen


def store_dataset(objects: ObjectStore, author: str, version: str, validation: int = 3) -> Path:
    folder = write_dataset(Path(objects.root) / "datasets" / author / version, pairs(12), pairs(12 + validation)[12:])
    (folder / "manifest.json").write_text(json.dumps({"digest": version}))
    objects.replace(f"datasets/{author}/current.json", json.dumps({"digest": version}).encode())
    return folder


class Simulated:
    """Trainings whose bits per byte are best at a learning rate of 2e-2 and a batch of 4, falling as they go."""

    def __init__(self, killed_at: int | None = None) -> None:
        self.specs: list[TrainingSpec] = []
        self._killed_at = killed_at

    def __call__(self, spec: TrainingSpec) -> None:
        self.specs.append(spec)
        if len(self.specs) == self._killed_at:
            raise KeyboardInterrupt  # as good as a kill: nothing of ours runs after it but what ends the MLflow run
        level = 2.0 + abs(spec.plan.learning_rate - 2e-2) * 10 + abs(spec.plan.batch_size - 4) / 10
        found = [level + 0.2, level + 0.1, level]
        stopped = next((place for place in (1, 2) if is_hopeless(found[:place], spec.limits)), None)
        found = found[:stopped]
        output = TrainingOutput(spec.output)
        output.model.mkdir(parents=True)
        output.write_metrics(metrics(found, given_up=stopped is not None))


def metrics(found: list[float], *, given_up: bool) -> TrainingMetrics:
    history = [LossPoint(step=step, loss=value) for step, value in enumerate((4.0, *found))]
    return TrainingMetrics(
        steps=len(found),
        epochs=1.0,
        seconds=1.0,
        tokens=100,
        tokens_per_second=100.0,
        samples=12,
        samples_cut=0,
        samples_dropped=0,
        trainable_parameters=10,
        train_loss=1.0,
        base_validation_loss=4.0,
        validation_loss=found[-1],
        train_history=(),
        validation_history=(),
        device="cpu",
        precision="float32",
        versions={},
        notes=(),
        validation_bits_per_byte=found[-1],
        bits_per_byte_history=tuple(history),
        given_up=given_up,
    )


def tried(launch: Simulated) -> list[tuple[float, int]]:
    return [(spec.plan.learning_rate, spec.plan.batch_size) for spec in launch.specs]


def test_without_trials_the_defaults_are_taken_and_nothing_is_trained(chosen: Choosing, llama: Path) -> None:
    launch = Simulated()

    assert chosen(launch, trials=0) == Choice(plan_for(llama, Training(base=str(llama))))
    assert launch.specs == []


def test_a_search_begins_with_the_defaults_and_ends_no_worse(
    chosen: Choosing, objects: ObjectStore, llama: Path
) -> None:
    launch = Simulated()
    choice = chosen(launch, trials=6)

    default = plan_for(llama, Training(base=str(llama)))
    assert tried(launch)[0] == (default.learning_rate, default.batch_size)
    found = parameter_sets.find(objects, KEY)
    assert found is not None
    assert found == choice.followed
    assert found.trials == len(launch.specs) == 6
    assert found.default_bits_per_byte is not None
    assert found.bits_per_byte <= found.default_bits_per_byte
    assert choice.plan.learning_rate == found.values["learning_rate"]
    assert choice.plan.lora_alpha == 2 * int(found.values["lora_rank"])  # what follows from them follows
    assert choice.plan.origins["learning_rate"] == f"search {found.digest[:8]}, 6 trials"
    assert choice.search is not None
    page = search_page(choice.search)
    assert page.startswith("6 trials: ")
    assert "![history of the search](data:image/png;base64," in page
    assert "![importance of the parameters](data:image/png;base64," in page


def test_a_set_is_reused_without_training_until_more_trials_are_asked_for(chosen: Choosing) -> None:
    first = chosen(Simulated(), trials=2)
    again, more, none = Simulated(), Simulated(), Simulated()

    assert chosen(again, trials=2).plan == first.plan
    assert again.specs == []
    assert chosen(none, trials=0).plan == first.plan
    assert none.specs == []
    chosen(more, trials=3)
    assert len(more.specs) == 1


def test_a_search_begins_with_what_was_found_on_another_dataset(chosen: Choosing, objects: ObjectStore) -> None:
    found = ParameterSet(
        key=KEY,
        values={"learning_rate": 1.5e-2, "batch_size": 4, "lora_rank": 16, "epochs": 2},
        given={},
        bits_per_byte=1.0,  # on another validation split, so it says nothing about this one
        default_bits_per_byte=None,
        trials=1,
        dataset="d0",
        base="",
        code_version="",
    )
    parameter_sets.keep(objects, found)
    launch = Simulated()
    choice = chosen(launch, trials=2)

    assert tried(launch)[1] == (1.5e-2, 4)
    assert choice.followed is not None
    assert choice.followed.bits_per_byte > 2.0
    assert len(list(objects.list("parameter_sets"))) == 3  # both sets, and the pointer


def test_what_twin_yaml_sets_is_not_searched_and_a_set_of_other_settings_not_followed(chosen: Choosing) -> None:
    chosen(Simulated(), trials=1)
    launch = Simulated()
    choice = chosen(launch, trials=2, learning_rate=7e-3)

    assert {rate for rate, _ in tried(launch)} == {7e-3}
    assert choice.plan.learning_rate == 7e-3
    assert choice.plan.origins["learning_rate"] == "twin.yaml"
    assert chosen(Simulated(), trials=0, learning_rate=6e-3).followed is None


def test_where_everything_is_set_there_is_nothing_to_search(chosen: Choosing) -> None:
    launch = Simulated()
    choice = chosen(launch, trials=3, learning_rate=7e-3, batch_size=4, lora_rank=8, epochs=1)

    assert choice.search is None
    assert launch.specs == []


def test_a_search_that_was_killed_goes_on_with_the_same_trial_and_ends_the_same(
    chosen: Choosing, objects: ObjectStore, tmp_path: Path
) -> None:
    whole = Simulated()
    undisturbed = chosen(whole, trials=4)
    for leftover in (tmp_path / "searches" / "studies").rglob("*.sqlite"):
        leftover.unlink()
    for path in list(objects.list("parameter_sets")):
        Path(objects.root, path).unlink()

    killed = Simulated(killed_at=3)
    with pytest.raises(KeyboardInterrupt):
        chosen(killed, trials=4)
    assert parameter_sets.find(objects, KEY) is None
    rest = Simulated()
    choice = chosen(rest, trials=4)

    assert tried(rest)[0] == tried(killed)[-1]
    assert tried(killed)[:-1] + tried(rest) == tried(whole)
    assert choice.followed == undisturbed.followed


def test_a_trial_sees_train_and_validation_and_nothing_sealed(
    chosen: Choosing, objects: ObjectStore, author: str
) -> None:
    folder = Path(objects.root) / "datasets" / author / "d1"
    for sealed in ("test.parquet", "test_documents.parquet"):
        (folder / sealed).write_bytes(b"sealed")
    seen: list[list[str]] = []

    class Looking(Simulated):
        def __call__(self, spec: TrainingSpec) -> None:
            order = spec.model_dump_json()
            assert str(folder) not in order
            assert not spec.dataset_folder.is_relative_to(objects.root)
            seen.append(sorted(file.name for file in spec.dataset_folder.rglob("*")))
            super().__call__(spec)

    with_sealed = chosen(Looking(), trials=2)
    assert seen == [["train.parquet", "validation.parquet"]] * 2
    assert with_sealed.followed is not None


def test_a_trial_worse_than_the_median_is_given_up(chosen: Choosing) -> None:
    choice = chosen(Simulated(), trials=6, search={"pruning_after": 1})

    assert choice.search is not None
    outcomes = [trial.outcome for trial in choice.search.trials]
    assert len(outcomes) == 6
    assert outcomes[0] == "complete"
    assert "given up" in outcomes


def test_the_median_rule_is_the_one_of_optunas_pruner() -> None:
    import optuna

    before = [[3.0, 2.0, 1.0], [3.5, 2.5, 1.5], [4.0, 3.0, 2.0]]
    limits = [sorted(values)[1] for values in zip(*before, strict=True)]
    study = optuna.create_study(pruner=optuna.pruners.MedianPruner(n_startup_trials=3))
    for values in before:
        trial = study.ask()
        for place, value in enumerate(values, start=1):
            trial.report(value, place)
        study.tell(trial, values[-1])

    for values in ([3.4, 2.6, 1.6], [3.6, 2.0, 1.0], [3.5, 2.5, 1.5], [1.0, 9.0, 9.0], [3.5, 2.51]):
        trial = study.ask()
        for place, value in enumerate(values, start=1):
            trial.report(value, place)
            assert trial.should_prune() == is_hopeless(values[:place], limits), values[:place]


def test_a_trial_that_fails_is_counted_and_not_the_end(chosen: Choosing, registry: Registry, author: str) -> None:
    class Failing(Simulated):
        def __call__(self, spec: TrainingSpec) -> None:
            if len(self.specs) in (1, 2):
                self.specs.append(spec)
                if len(self.specs) == 2:
                    raise TrainingError("the loss is not a finite number after step 7", code=ExitCode.DIVERGED)
                raise PlanError("this does not fit into 4 GB")
            super().__call__(spec)

    choice = chosen(Failing(), trials=4)

    assert choice.search is not None
    outcomes = [trial.outcome for trial in choice.search.trials]
    assert outcomes.count("failed") == 2
    assert len(outcomes) == 4
    assert "the loss is not a finite number after step 7" in search_page(choice.search)
    assert sorted(run["status"] for run in runs(registry, author)) == ["FAILED"] * 2 + ["FINISHED"] * 3


def test_if_all_trials_fail_it_says_so_and_leaves_nothing(
    chosen: Choosing, registry: Registry, objects: ObjectStore, author: str
) -> None:
    class Failing(Simulated):
        def __call__(self, spec: TrainingSpec) -> None:
            self.specs.append(spec)
            raise TrainingFailedError("out of memory")

    launch = Failing()
    with pytest.raises(TrainingFailedError, match=r"all of the first 3 trials of the search failed.*out of memory"):
        chosen(launch, trials=20)

    assert len(launch.specs) == 3
    assert {run["status"] for run in runs(registry, author)} == {"FAILED"}
    assert parameter_sets.find(objects, KEY) is None


def test_trials_are_runs_below_the_searchs_run(chosen: Choosing, registry: Registry, author: str) -> None:
    chosen(Simulated(), trials=2)

    found = runs(registry, author)
    (parent,) = [run for run in found if "mlflow.parentRunId" not in run]
    children = [run for run in found if run.get("mlflow.parentRunId") == parent["id"]]
    assert parent["mlflow.runName"] == f"search-{KEY.name}"
    assert sorted(run["mlflow.runName"] for run in children) == ["trial-0", "trial-1"]
    assert {run["status"] for run in found} == {"FINISHED"}


def test_without_validation_samples_there_is_nothing_to_search_by(
    chosen: Choosing, objects: ObjectStore, author: str
) -> None:
    store_dataset(objects, author, "d1", validation=0)

    with pytest.raises(TrainingFailedError, match=r"no validation sample.*validation_share"):
        chosen(Simulated(), trials=2)


def test_a_damaged_study_is_named(chosen: Choosing, tmp_path: Path, registry: Registry, author: str) -> None:
    chosen(Simulated(), trials=1)
    (file,) = (tmp_path / "searches" / "studies").rglob("*.sqlite")
    file.write_bytes(b"no database, be it ever so long" * 100)
    launch = Simulated()

    with pytest.raises(StorageError, match=rf"{file.name}: the stored search cannot be used: .*not a database.*delete"):
        chosen(launch, trials=2)

    assert launch.specs == []
    assert "FAILED" in {run["status"] for run in runs(registry, author)}


def test_a_study_that_another_program_locks_is_named(
    chosen: Choosing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("llm_twin_assets.training.study._SECONDS_FOR_A_LOCK", 0.2)
    chosen(Simulated(), trials=1)
    (file,) = (tmp_path / "searches" / "studies").rglob("*.sqlite")
    holder = sqlite3.connect(file)
    holder.execute("BEGIN EXCLUSIVE")

    with pytest.raises(StorageError, match="database is locked"):
        chosen(Simulated(), trials=2)
    holder.close()

    assert chosen(Simulated(), trials=2).followed is not None


def test_an_mlflow_server_that_does_not_answer_stops_it_before_any_training(
    chosen: Choosing, monkeypatch: pytest.MonkeyPatch, registry: Registry
) -> None:
    monkeypatch.setattr(registry, "tracking_uri", "http://127.0.0.1:9")
    launch = Simulated()

    with pytest.raises(StorageError, match=r"http://127\.0\.0\.1:9: the MLflow server does not answer"):
        chosen(launch, trials=1)

    assert launch.specs == []


def test_time_that_is_over_begins_no_further_trial(chosen: Choosing) -> None:
    launch = Simulated()
    choice = chosen(launch, trials=50, search={"minutes": 1e-6})

    assert len(launch.specs) == 1
    assert choice.followed is not None


def test_what_another_search_could_not_have_tried_is_left_out(llama: Path) -> None:
    space = SearchSpace(llama, Training(base=str(llama), epochs=2))

    assert space.inside({"learning_rate": 99.0, "batch_size": 3, "epochs": 1, "lora_rank": 64}) == {"lora_rank": 64}
    assert space.inside(space.defaults) == space.defaults


def test_real_trainings_are_searched_and_a_hopeless_one_is_cut_short(
    chosen: Choosing, registry: Registry, author: str, tmp_path: Path
) -> None:
    limited: list[TrainingMetrics] = []

    def launch(spec: TrainingSpec) -> None:
        # The second trial is held to a limit that nothing can reach.
        unreachable = spec.model_copy(update={"limits": (0.0, 0.0, 0.0)} if limited else {})
        train(unreachable, lambda line: None)
        limited.append(TrainingOutput(spec.output).metrics())

    choice = chosen(launch, trials=2, max_steps=6)

    assert choice.search is not None
    assert [trial.outcome for trial in choice.search.trials] == ["complete", "given up"]
    assert choice.search.trials[0].bits_per_byte == limited[0].validation_bits_per_byte
    assert [each.steps for each in limited] == [6, 2]
    assert limited[0].hardware
    assert not any((tmp_path / "searches" / "trials").rglob("*.safetensors"))  # weights of trials are not kept
    assert all(float(run["given_up"]) == (run["mlflow.runName"] == "trial-1") for run in runs(registry, author)[1:])


def runs(registry: Registry, author: str) -> list[dict[str, str]]:
    """Tags and status of the author's runs, the search's own first."""
    from mlflow import MlflowClient

    client = MlflowClient(registry.tracking_uri)
    experiment = client.get_experiment_by_name(f"twin-{author}")
    assert experiment is not None
    found = client.search_runs([experiment.experiment_id], order_by=["attributes.start_time ASC"])
    return [
        {
            **run.data.tags,
            "id": run.info.run_id,
            "status": run.info.status,
            "given_up": str(run.data.metrics.get("given_up", 0.0)),
        }
        for run in found
    ]
