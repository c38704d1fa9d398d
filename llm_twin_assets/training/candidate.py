"""From an order to a candidate: reuse or train, register, verify, store for the service, then set the alias."""

import json
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from llm_twin_assets.datasets import preference_version
from llm_twin_assets.datasets.version import DatasetVersion, local_folder
from llm_twin_assets.datasets.version import current as current_dataset
from llm_twin_assets.domain.identity import digest
from llm_twin_assets.domain.model import model_path
from llm_twin_assets.inference.prompts import prompt_digest
from llm_twin_assets.training import hyperparameters
from llm_twin_assets.training.live_metrics import LiveMetrics, followed
from llm_twin_assets.training.plan import TrainingPlan
from llm_twin_assets.training.provenance import code_version, cost_tags, git_commit, template_digest
from llm_twin_assets.training.spec import TrainingMetrics, TrainingOutput, TrainingSpec
from llm_twin_assets.training.verification import verify
from llm_twin_assets.training.workspace import output_of, workspace
from resources.bases import Base, find_base
from resources.errors import StorageError
from resources.folder_digest import folder_digest
from resources.object_store import ObjectStore
from resources.registry import RegisteredModel, Registry
from resources.settings import Environment, Settings

# Part of the training digest: raise it when the training code changes what it makes of the same order.
TRAINER = "2"

Launch = Callable[[TrainingSpec], None]


@dataclass(frozen=True)
class Order:
    """Everything that decides what is trained; `snapshots` are for the record: the tables' versions it was made of."""

    author: str
    author_name: str
    base: Base
    plan: TrainingPlan
    dataset: DatasetVersion
    preferences: DatasetVersion | None = None
    snapshots: Mapping[str, int] = field(default_factory=dict)

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
                **({"preferences": self.preferences.digest} if self.preferences else {}),
            }
        )

    def tags(self) -> dict[str, str]:
        """What the registry notes of it."""
        return {
            "author": self.author,
            "training_digest": self.digest,
            "dataset_version": self.dataset.digest,
            "preference_version": self.preferences.digest if self.preferences else "",
            "base": self.base.id,
            "base_revision": self.base.revision or "",
            "base_digest": self.base.digest,
            "parameters_digest": self.plan.digest,
            "prompt_digest": prompt_digest(),
            "method": self.plan.method,
            "code_version": code_version(),
            "git_commit": git_commit(Path(__file__).parent) or "",
            "snapshots": json.dumps(self.snapshots, sort_keys=True),
        }


@dataclass(frozen=True, slots=True)
class Candidate:
    """A registered, verified model; `path` is its folder in the object store, where the service reads it."""

    model: RegisteredModel
    path: str
    reused: bool


def order_for(
    author: str, settings: Settings, objects: ObjectStore, snapshots: Mapping[str, int] | None = None
) -> Order:
    """The order for an author's current dataset and parameters."""
    plan = hyperparameters.current(objects, author)
    return Order(
        author=author,
        author_name=settings.author(author).name,
        base=find_base(settings.training.base, settings.training.revision),
        plan=plan,
        dataset=current_dataset(objects, author),
        preferences=None if plan.preference_method == "none" else preference_version.current(objects, author),
        snapshots=snapshots or {},
    )


def candidate_for(
    order: Order, registry: Registry, objects: ObjectStore, launch: Launch, workspaces: Path | None = None
) -> Candidate:
    """The candidate for an order: the version that was trained so before, or a new one.

    A training that was killed is gone on from its last checkpoint below `workspaces`, else below the home.
    """
    found = registry.find_version(order.author, order.digest)
    root = workspaces or Environment.current().cache("training")
    model = found or _trained(order, registry, objects, launch, root)
    path = model_path(order.author, model.version)
    if not any(objects.list(path)):  # somebody cleared the object store, but the registry still has it
        with tempfile.TemporaryDirectory(prefix="twin-model-") as scratch:
            _publish(objects, path, registry.download(order.author, model.version, Path(scratch)), model)
    registry.set_alias(order.author, "candidate", model.version)
    return Candidate(model, path, reused=found is not None)


def _trained(
    order: Order, registry: Registry, objects: ObjectStore, launch: Launch, workspaces: Path
) -> RegisteredModel:
    tags = order.tags()
    with (
        workspace(workspaces, order.author, order.digest) as folder,
        registry.run(
            order.author, name=f"{order.plan.method}-{order.digest[:8]}", tags=tags, dataset_digest=order.dataset.digest
        ) as run,
    ):
        spec = _spec(order, objects, folder)
        output = TrainingOutput(spec.output)
        if not output.folder.is_dir():  # or it was killed between training and registration
            with followed(output, lambda found: run.stream(_live(found))):
                launch(spec)
        metrics = output.metrics()
        params = order.plan.model_dump(exclude={"origins"})
        run.log(params, metrics.scalars(), _history(metrics))
        run.attach(sorted(file for file in output.folder.iterdir() if file.is_file()))
        made = {**cost_tags(metrics), "template_digest": template_digest(output.model)}
        model = run.register(output.model, {**tags, **made}, params)
        with tempfile.TemporaryDirectory(prefix="reloaded-", dir=folder) as reloaded:
            found = verify(
                registry, order.author, model, output.probes, order.base.folder, order.author_name, Path(reloaded)
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
    preferences = order.preferences
    return TrainingSpec(
        base=order.base.id,
        base_folder=order.base.folder,
        base_revision=order.base.revision,
        dataset_folder=local_folder(objects, order.dataset, folder / "dataset"),
        author_name=order.author_name,
        plan=order.plan,
        output=output_of(folder).folder,
        preference_folder=local_folder(objects, preferences, folder / "preferences") if preferences else None,
    )


def _history(metrics: TrainingMetrics) -> dict[str, list[tuple[int, float]]]:
    return {
        "loss": [(point.step, point.loss) for point in metrics.train_history],
        "validation": [(point.step, point.loss) for point in metrics.validation_history],
        "bits_per_byte": [(point.step, point.loss) for point in metrics.bits_per_byte_history],
    }


def _live(found: list[LiveMetrics]) -> dict[str, list[tuple[int, float]]]:
    rates = [(each.step, each.tokens_per_second) for each in found]
    return {
        "live/loss": [(each.step, each.loss) for each in found],
        "live/tokens_per_second": [(step, rate) for step, rate in rates if rate is not None],
    }
