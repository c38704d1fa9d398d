"""Experiments and model versions on MLflow: a run per training, a registered version per trained model, aliases."""

import logging
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from resources.errors import StorageError
from resources.folder_digest import folder_digest
from resources.process_identity import identity, is_gone
from resources.settings import Environment

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

Alias = Literal["candidate", "champion"]
History = Mapping[str, Sequence[tuple[int, float]]]

_SQLITE = "sqlite:///"
_DIGEST, _VERIFIED = "model_digest", "verified"
_PROCESS = "twin.process"
_SECONDS_TO_ANSWER = 10
_METRICS_PER_CALL = 1000  # MLflow's own limit of a batch
_DATASET_DIGEST_LENGTH = 36  # likewise (DESIGN.md §7)


@dataclass(frozen=True, slots=True)
class RegisteredModel:
    """A version in the registry; `digest` is over the files of its folder."""

    name: str
    version: str
    run_id: str
    digest: str


def model_name(author: str) -> str:
    """What an author's model and experiment are called."""
    return f"twin-{author}"


def registry_of(environment: Environment) -> "Registry":
    """The MLflow server that `MLFLOW_TRACKING_URI` names, else SQLite and a folder below the home."""
    if uri := os.environ.get("MLFLOW_TRACKING_URI"):
        return Registry(uri, artifact_root=None)
    return Registry.embedded(environment.local("mlflow"))


class TrainingRun:
    """An open MLflow run. `Registry.run` ends it, as FINISHED, FAILED or KILLED."""

    def __init__(self, client: "MlflowClient", author: str, experiment_id: str, run_id: str) -> None:
        self.run_id = run_id
        self._client = client
        self._author = author
        self._experiment_id = experiment_id

    def log(self, params: Mapping[str, object], metrics: Mapping[str, float], history: History) -> None:
        """Record parameters, final metrics and metrics by step."""
        from mlflow.entities import Metric, Param

        now = int(time.time() * 1000)
        points = [Metric(key, value, now, 0) for key, value in metrics.items()]
        points += [Metric(key, value, now, step) for key, curve in history.items() for step, value in curve]
        self._client.log_batch(self.run_id, params=[Param(key, str(value)) for key, value in params.items()])
        for start in range(0, len(points), _METRICS_PER_CALL):
            self._client.log_batch(self.run_id, metrics=points[start : start + _METRICS_PER_CALL])

    def stream(self, history: History) -> bool:
        """Record metrics while a training goes on; False if the tracker takes none, which must not end the training."""
        from mlflow.exceptions import MlflowException

        try:
            self.log({}, {}, history)
        except (MlflowException, OSError) as error:
            logging.getLogger(__name__).warning("live metrics of run %s are lost: %s", self.run_id, error)
            return False
        return True

    def attach(self, files: Sequence[Path]) -> None:
        """Keep files with the run that are no part of the model."""
        for file in files:
            self._client.log_artifact(self.run_id, str(file))

    def register(self, folder: Path, tags: Mapping[str, str], params: Mapping[str, object]) -> RegisteredModel:
        """Store a model folder and make it the author's newest version, without alias and not yet verified."""
        # Not `mlflow.transformers.log_model`: on an adapter with a local base it silently saves broken weights.
        name = model_name(self._author)
        said = {**tags, _DIGEST: folder_digest(folder), _VERIFIED: "false"}
        values = {key: str(value) for key, value in params.items()}
        logged = self._client.create_logged_model(self._experiment_id, name, self.run_id, said, values)
        try:
            self._client.log_model_artifacts(logged.model_id, str(folder))
        except BaseException:
            self._client.finalize_logged_model(logged.model_id, "FAILED")
            raise
        self._client.finalize_logged_model(logged.model_id, "READY")
        _ensure_registered(self._client, name)
        version = self._client.create_model_version(
            name, logged.artifact_location, run_id=self.run_id, tags=said, model_id=logged.model_id
        )
        return RegisteredModel(name, str(version.version), self.run_id, said[_DIGEST])


class Registry:
    """One MLflow: a tracking server, or SQLite and a folder. MLflow is imported at first use."""

    def __init__(self, tracking_uri: str, artifact_root: str | None, ui: str = "http://127.0.0.1:5000") -> None:
        self.tracking_uri = tracking_uri
        self._artifact_root = artifact_root
        self._ui = tracking_uri if tracking_uri.startswith("http") else ui

    @classmethod
    def embedded(cls, folder: Path) -> "Registry":
        """SQLite and artifacts below a local folder."""
        return cls(f"{_SQLITE}{folder / 'mlflow.db'}", str(folder / "artifacts"))

    @contextmanager
    def run(self, author: str, *, name: str, tags: Mapping[str, str], dataset_digest: str) -> Iterator[TrainingRun]:
        """An MLflow run around a training, its terminal status set whatever happens.

        What even SIGKILL does not let happen, the next run of the author makes up for.
        """
        from mlflow.entities import Dataset, DatasetInput, InputTag

        experiment = self._experiment(author)
        self._end_abandoned(experiment)
        run = self._client.create_run(experiment, run_name=name, tags={**tags, _PROCESS: identity()})
        run_id = str(run.info.run_id)
        dataset = Dataset(f"instruct-{author}", dataset_digest[:_DATASET_DIGEST_LENGTH], "object_store", dataset_digest)
        try:
            self._client.log_inputs(run_id, [DatasetInput(dataset, [InputTag("mlflow.data.context", "training")])])
            yield TrainingRun(self._client, author, experiment, run_id)
        except BaseException as error:
            status = "FAILED" if isinstance(error, Exception) else "KILLED"
            self._client.set_tag(run_id, "error", f"{type(error).__name__}: {error}"[:500])
            self._client.set_terminated(run_id, status)
            raise
        self._client.set_terminated(run_id, "FINISHED")

    def require_reachable(self) -> None:
        """Raise `StorageError` where MLflow cannot be used: at once, not after all of a client's retries."""
        if self.tracking_uri.startswith("http"):
            _require_server(self.tracking_uri)
            return
        from mlflow.exceptions import MlflowException
        from sqlalchemy.exc import SQLAlchemyError

        try:
            self._client.search_experiments(max_results=1)
        except (MlflowException, SQLAlchemyError) as error:
            raise StorageError(
                f"MLflow's database cannot be used: {str(error).splitlines()[0]}", where=self.tracking_uri
            ) from error

    def find_version(self, author: str, training_digest: str) -> RegisteredModel | None:
        """The newest verified version that was trained exactly so (tag `training_digest`), or None."""
        said = f"name = '{model_name(author)}' and tag.training_digest = '{training_digest}'"
        found = self._client.search_model_versions(said, max_results=1000)
        verified = [version for version in found if version.tags.get(_VERIFIED) == "true"]
        newest = max(verified, key=lambda version: int(version.version), default=None)
        return None if newest is None else _registered(newest)

    def verified_versions(self, author: str) -> dict[str, dict[str, str]]:
        """The tags of every version that counts, by its number."""
        if not self._is_there():
            return {}
        found = self._client.search_model_versions(f"name = '{model_name(author)}'", max_results=1000)
        return {str(each.version): dict(each.tags) for each in found if each.tags.get(_VERIFIED) == "true"}

    def version(self, author: str, version: str) -> RegisteredModel:
        """A version by its number; raises `StorageError` if there is none."""
        return _registered(self._model_version(author, version))

    def download(self, author: str, version: str, scratch: Path) -> Path:
        """A copy of a version's folder, below `scratch`."""
        location = self._client.get_model_version_download_uri(model_name(author), version)
        from mlflow.artifacts import download_artifacts

        scratch.mkdir(parents=True, exist_ok=True)
        return Path(download_artifacts(location, dst_path=str(scratch / "model"), tracking_uri=self.tracking_uri))

    def set_alias(self, author: str, alias: Alias, version: str) -> None:
        """Let an alias point to a version, and to no other."""
        self._client.set_registered_model_alias(model_name(author), alias, version)

    def alias_version(self, author: str, alias: Alias) -> str | None:
        """The version that an alias points to, or None."""
        from mlflow.exceptions import MlflowException

        try:
            return str(self._client.get_model_version_by_alias(model_name(author), alias).version)
        except MlflowException as error:
            if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
                return None  # no such model, or no such alias
            raise

    def candidate_version(self, author: str) -> str:
        """The version that carries the alias `candidate`; raises `StorageError` if none does."""
        if version := self.alias_version(author, "candidate"):
            return version
        raise StorageError(f"author '{author}' has no candidate yet", mend=f"Run `twin run --author {author}`.")

    def tags(self, author: str, version: str) -> dict[str, str]:
        """The tags of a version."""
        return dict(self._model_version(author, version).tags)

    def mark(self, author: str, version: str, tags: Mapping[str, str]) -> None:
        """Add tags to a version, or change them."""
        for key, value in tags.items():
            self._client.set_model_version_tag(model_name(author), version, key, value)

    def mark_verified(self, author: str, version: str) -> None:
        """Note that the registry's copy was reloaded and is the trained model: from now on it counts."""
        self.mark(author, version, {_VERIFIED: "true"})

    def metrics(self, run_id: str) -> dict[str, float]:
        """The latest value of every metric of a run."""
        return dict(self._client.get_run(run_id).data.metrics)

    def history(self, run_id: str, key: str) -> list[tuple[int, float]]:
        """A metric by step."""
        return [(point.step, point.value) for point in self._client.get_metric_history(run_id, key)]

    def attach(self, author: str, version: str, files: Sequence[Path]) -> None:
        """Keep files with the run that made a version; files of the same names are replaced."""
        run_id = str(self._model_version(author, version).run_id)
        for file in files:
            self._client.log_artifact(run_id, str(file))

    def status(self, run_id: str) -> str:
        """RUNNING, FINISHED, FAILED or KILLED."""
        return str(self._client.get_run(run_id).info.status)

    def run_url(self, run_id: str) -> str:
        """The run's page in MLflow's web interface."""
        return f"{self._ui}/#/experiments/{self._client.get_run(run_id).info.experiment_id}/runs/{run_id}"

    def _is_there(self) -> bool:
        """False before the first run: to look must not make a database."""
        return not self.tracking_uri.startswith(_SQLITE) or Path(self.tracking_uri.removeprefix(_SQLITE)).is_file()

    def _end_abandoned(self, experiment: str) -> None:
        """End the runs whose process was killed before it could."""
        for run in self._client.search_runs([experiment], "attributes.status = 'RUNNING'"):
            process = run.data.tags.get(_PROCESS)
            if process is not None and is_gone(process):
                self._client.set_tag(run.info.run_id, "error", "its process ended without a word")
                self._client.set_terminated(run.info.run_id, "KILLED")

    def _model_version(self, author: str, version: str) -> "ModelVersion":
        from mlflow.exceptions import MlflowException

        try:
            return self._client.get_model_version(model_name(author), version)
        except MlflowException as error:
            raise StorageError(
                f"there is no version {version} of {model_name(author)}", where=self.tracking_uri
            ) from error

    def _experiment(self, author: str) -> str:
        from mlflow.exceptions import MlflowException

        name = model_name(author)
        if experiment := self._client.get_experiment_by_name(name):
            return str(experiment.experiment_id)
        try:
            return str(self._client.create_experiment(name, artifact_location=self._location(name)))
        except MlflowException as error:
            if error.error_code == "RESOURCE_ALREADY_EXISTS":  # another process was faster
                return self._experiment(author)
            raise

    def _location(self, name: str) -> str | None:
        root = self._artifact_root
        if root is None or "://" in root:
            return f"{root}/{name}" if root else None
        return Path(root, name).resolve().as_uri()

    @cached_property
    def _client(self) -> "MlflowClient":
        # Both are read when MLflow is imported.
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
        from mlflow import MlflowClient

        # A fresh SQLite file is set up by some hundred migrations, each with a line of its own.
        for logger in ("alembic", "mlflow"):
            logging.getLogger(logger).setLevel(logging.WARNING)
        if self.tracking_uri.startswith(_SQLITE):
            Path(self.tracking_uri.removeprefix(_SQLITE)).parent.mkdir(parents=True, exist_ok=True)
        return MlflowClient(tracking_uri=self.tracking_uri, registry_uri=self.tracking_uri)


def _registered(version: "ModelVersion") -> RegisteredModel:
    return RegisteredModel(version.name, str(version.version), str(version.run_id), version.tags[_DIGEST])


def _require_server(uri: str) -> None:
    import httpx

    try:
        answered = httpx.get(f"{uri.rstrip('/')}/health", timeout=_SECONDS_TO_ANSWER).status_code
    except httpx.HTTPError as error:
        answered, said = 599, f"{type(error).__name__}: {error}"
    else:
        said = f"HTTP status {answered}"
    if answered >= 500:  # a gateway that wants a password, or hides /health, is there
        raise StorageError(
            f"the MLflow server does not answer ({said})", where=uri, mend="Start it, or correct MLFLOW_TRACKING_URI."
        )


def _ensure_registered(client: "MlflowClient", name: str) -> None:
    from mlflow.exceptions import MlflowException

    try:
        client.create_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
