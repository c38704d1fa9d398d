"""From an order to a candidate: reuse or train, register, verify, store for the service, then set the alias."""

import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from llm_twin_assets.datasets.version import DatasetVersion, local_folder
from llm_twin_assets.datasets.version import current as current_dataset
from llm_twin_assets.domain.identity import digest
from llm_twin_assets.domain.model import model_path
from llm_twin_assets.inference.prompts import prompt_digest
from llm_twin_assets.training import hyperparameters
from llm_twin_assets.training.plan import TrainingPlan
from llm_twin_assets.training.spec import TrainingMetrics, TrainingOutput, TrainingSpec
from llm_twin_assets.training.verification import verify
from resources.bases import Base, find_base
from resources.errors import StorageError
from resources.folder_digest import folder_digest
from resources.object_store import ObjectStore
from resources.registry import RegisteredModel, Registry
from resources.settings import Settings

# Part of the training digest: raise it when the training code changes what it makes of the same order.
TRAINER = "1"

Launch = Callable[[TrainingSpec], None]


@dataclass(frozen=True)
class Order:
    """Everything that decides what is trained."""

    author: str
    author_name: str
    base: Base
    plan: TrainingPlan
    dataset: DatasetVersion

    @property
    def digest(self) -> str:
        """The same order has the same digest, and is not trained twice."""
        return digest(
            {
                "author_name": self.author_name,
                "base": self.base.digest,
                "dataset": self.dataset.digest,
                "plan": self.plan.digest,
                "prompt": prompt_digest(),
                "trainer": TRAINER,
            }
        )

    def tags(self) -> dict[str, str]:
        """What the registry notes of it."""
        return {
            "author": self.author,
            "training_digest": self.digest,
            "dataset_version": self.dataset.digest,
            "base": self.base.id,
            "base_revision": self.base.revision or "",
            "base_digest": self.base.digest,
            "parameters_digest": self.plan.digest,
            "prompt_digest": prompt_digest(),
            "method": self.plan.method,
            "code_version": code_version(),
            "git_commit": git_commit(Path(__file__).parent) or "",
        }


@dataclass(frozen=True, slots=True)
class Candidate:
    """A registered, verified model; `path` is its folder in the object store, where the service reads it."""

    model: RegisteredModel
    path: str
    reused: bool


def order_for(author: str, settings: Settings, objects: ObjectStore) -> Order:
    """The order for an author's current dataset and parameters."""
    return Order(
        author=author,
        author_name=settings.author(author).name,
        base=find_base(settings.training.base, settings.training.revision),
        plan=hyperparameters.current(objects, author),
        dataset=current_dataset(objects, author),
    )


def candidate_for(order: Order, registry: Registry, objects: ObjectStore, launch: Launch) -> Candidate:
    """The candidate for an order: the version that was trained so before, or a new one."""
    found = registry.find_version(order.author, order.digest)
    model = found or _trained(order, registry, objects, launch)
    path = model_path(order.author, model.version)
    if not any(objects.list(path)):  # somebody cleared the object store, but the registry still has it
        with tempfile.TemporaryDirectory(prefix="twin-model-") as scratch:
            _publish(objects, path, registry.download(order.author, model.version, Path(scratch)), model)
    registry.set_alias(order.author, "candidate", model.version)
    return Candidate(model, path, reused=found is not None)


def _trained(order: Order, registry: Registry, objects: ObjectStore, launch: Launch) -> RegisteredModel:
    tags = order.tags()
    with (
        tempfile.TemporaryDirectory(prefix="twin-training-") as scratch,
        registry.run(
            order.author, name=f"{order.plan.method}-{order.digest[:8]}", tags=tags, dataset_digest=order.dataset.digest
        ) as run,
    ):
        folder = Path(scratch)
        spec = _spec(order, objects, folder)
        launch(spec)
        output = TrainingOutput(spec.output)
        metrics = output.metrics()
        params = order.plan.model_dump(exclude={"origins"})
        run.log(params, metrics.scalars(), _history(metrics))
        run.attach(sorted(file for file in output.folder.iterdir() if file.is_file()))
        made = {"seconds": str(metrics.seconds), "device": metrics.device, "precision": metrics.precision}
        model = run.register(output.model, {**tags, **made}, params)
        found = verify(
            registry, order.author, model, output.probes, order.base.folder, order.author_name, folder / "reloaded"
        )
        _publish(objects, model_path(order.author, model.version), output.model, model)
        run.log({}, {"logit_deviation": found.deviation}, {})
    # Last of all: a run that was killed before has left a version that never counts.
    registry.mark_verified(order.author, model.version)
    return model


def _publish(objects: ObjectStore, path: str, folder: Path, model: RegisteredModel) -> None:
    objects.put_folder(path, folder)
    with tempfile.TemporaryDirectory(prefix="twin-model-") as scratch:
        stored = folder_digest(objects.local_folder(path, Path(scratch)))
    if stored != model.digest:  # objects are never overwritten, so something else has been there before
        raise StorageError(
            f"holds another model than {model.name} version {model.version}",
            where=f"{objects.root}/{path}",
            mend="Was the registry started afresh? Move this folder away, then run again.",
        )


def _spec(order: Order, objects: ObjectStore, folder: Path) -> TrainingSpec:
    return TrainingSpec(
        base=order.base.id,
        base_folder=order.base.folder,
        base_revision=order.base.revision,
        dataset_folder=local_folder(objects, order.dataset, folder / "dataset"),
        author_name=order.author_name,
        plan=order.plan,
        output=folder / "output",
    )


def _history(metrics: TrainingMetrics) -> dict[str, list[tuple[int, float]]]:
    return {
        "loss": [(point.step, point.loss) for point in metrics.train_history],
        "validation": [(point.step, point.loss) for point in metrics.validation_history],
    }


def code_version() -> str:
    """The installed version of the project."""
    try:
        return version("llm-twin")
    except PackageNotFoundError:  # run from a source tree that is not installed
        return "unknown"


def git_commit(folder: Path) -> str | None:
    """The commit of the git tree around a folder, `+` appended if it has uncommitted changes; None without git."""
    try:
        commit = _git(folder, "rev-parse", "HEAD")
        return commit + ("+" if _git(folder, "status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.SubprocessError):
        return None


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=True, timeout=10
    )
    return done.stdout.strip()
