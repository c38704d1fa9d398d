"""The whole order for a training process, as one JSON file; and what it leaves behind."""

import json
import os
from pathlib import Path

from pydantic import ValidationError

from llm_twin_assets.domain.identity import digest
from llm_twin_assets.domain.release import Record
from llm_twin_assets.training.errors import ExitCode, TrainingError
from llm_twin_assets.training.plan import TrainingPlan
from resources.folder_digest import folder_digest


class TrainingSpec(Record):
    """What to train, on what, how, and where to put it. `base` is the id that the adapter's configuration will name.

    `preference_folder` holds a version of preference pairs or thumbs, for the plan's preference method. A trial of a
    search is given up at an evaluation whose bits per byte are above the limit of its place.
    """

    base: str
    base_folder: Path
    base_revision: str | None
    dataset_folder: Path
    author_name: str
    plan: TrainingPlan
    output: Path
    preference_folder: Path | None = None
    limits: tuple[float, ...] = ()

    def order(self) -> str:
        """Digest of all that decides the model: a training may go on from checkpoints of the same order alone.

        Bases are told apart by name, revision and size of their files: to read 140 GB would cost more than it saves.
        """
        weights = sorted(self.base_folder.glob("*.safetensors"))
        return digest(
            {
                **json.loads(self.model_dump_json(include={"base", "base_revision", "author_name"})),
                "weights": [[file.name, file.stat().st_size] for file in weights],
                "plan": self.plan.digest,
                "dataset": folder_digest(self.dataset_folder),
                "preferences": folder_digest(self.preference_folder) if self.preference_folder else None,
                "processes": os.environ.get("WORLD_SIZE", "1"),
            }
        )

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


class PreferenceMetrics(Record):
    """What the preference stage did. `accuracy` is the share of samples whose better answer got likelier."""

    method: str
    samples: int
    samples_dropped: int
    steps: int
    seconds: float
    loss: float
    accuracy: float | None


class TrainingMetrics(Record):
    """What a finished training reports. Losses are nats per answer token; None where there is no validation split.

    `base_validation_loss` is the untrained base's on the same samples; `validation_loss` and bits per byte are those of
    the weights that were kept. `notes` tell of everything that was made up or left out: a neutral chat template, a pad
    token, samples that were cut or dropped, packing that was asked for and is not exact.
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
    base_validation_bits_per_byte: float | None = None
    validation_bits_per_byte: float | None = None
    bits_per_byte_history: tuple[LossPoint, ...] = ()
    packed: bool = False
    resumed_at: int = 0
    preference: PreferenceMetrics | None = None
    given_up: bool = False
    hardware: str = ""
    energy_joules: float | None = None

    def scalars(self) -> dict[str, float]:
        """The numbers, for an experiment tracker."""
        preference = self.preference.model_dump() if self.preference else {}
        values = self.model_dump(exclude={"preference"}) | {f"preference_{key}": preference[key] for key in preference}
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
    def checkpoints(self) -> Path:
        """Where a training keeps what it could go on from, until it is done."""
        return self.folder.with_name(f"{self.folder.name}.checkpoints")

    @property
    def partial(self) -> Path:
        """Where a training writes until it is done."""
        return self.folder.with_name(f"{self.folder.name}.partial")
