"""The whole order for a training process, as one JSON file; and what it leaves behind."""

from pathlib import Path

from pydantic import ValidationError

from llm_twin_assets.domain.release import Record
from llm_twin_assets.training.errors import ExitCode, TrainingError
from llm_twin_assets.training.plan import TrainingPlan


class TrainingSpec(Record):
    """What to train, on what, how, and where to put it. `base` is the id that the adapter's configuration will name."""

    base: str
    base_folder: Path
    base_revision: str | None
    dataset_folder: Path
    author_name: str
    plan: TrainingPlan
    output: Path

    @classmethod
    def read(cls, path: Path) -> "TrainingSpec":
        """Read and check a spec file; raises `TrainingError` naming the key."""
        try:
            return cls.model_validate_json(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise TrainingError("there is no such spec file", where=str(path), code=ExitCode.SPEC) from None
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join(str(part) for part in first["loc"])
            raise TrainingError(f"{key}: {first['msg']}", where=str(path), code=ExitCode.SPEC) from None

    def write(self, path: Path) -> Path:
        """Write the spec where a training process can read it."""
        path.write_text(self.model_dump_json(indent=2), encoding="utf-8")
        return path


class LossPoint(Record):
    """A loss at a step: of the training batches since the point before, or of the whole validation split."""

    step: int
    loss: float


class TrainingMetrics(Record):
    """What a finished training reports. Losses are nats per answer token; None where there is no validation split.

    `base_validation_loss` is the untrained base's on the same samples. `notes` tell of everything that was made up or
    left out: a neutral chat template, a pad token, samples that were cut or dropped.
    """

    steps: int
    epochs: float
    seconds: float
    tokens: int
    tokens_per_second: float
    samples: int
    samples_cut: int
    samples_dropped: int
    trainable_parameters: int
    train_loss: float
    base_validation_loss: float | None
    validation_loss: float | None
    train_history: tuple[LossPoint, ...]
    validation_history: tuple[LossPoint, ...]
    device: str
    precision: str
    versions: dict[str, str]
    notes: tuple[str, ...]

    def scalars(self) -> dict[str, float]:
        """The numbers, for an experiment tracker."""
        values = self.model_dump(exclude={"train_history", "validation_history", "device", "precision"})
        return {key: float(value) for key, value in values.items() if isinstance(value, int | float)}


class TrainingOutput:
    """The folder that a training leaves: `model/` (what is registered and served), `metrics.json`, `probes.npz`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.model = folder / "model"
        self.probes = folder / "probes.npz"
        self._metrics = folder / "metrics.json"

    def write_metrics(self, metrics: TrainingMetrics) -> None:
        """Store the metrics beside the model."""
        self._metrics.write_text(metrics.model_dump_json(indent=2), encoding="utf-8")

    def metrics(self) -> TrainingMetrics:
        """The metrics of the finished training."""
        return TrainingMetrics.model_validate_json(self._metrics.read_text(encoding="utf-8"))

    @property
    def error_file(self) -> Path:
        """Where a failed training says why, in one line: beside the folder, which then does not exist."""
        return self.folder.with_name(f"{self.folder.name}.error")

    @property
    def partial(self) -> Path:
        """Where a training writes until it is done."""
        return self.folder.with_name(f"{self.folder.name}.partial")
