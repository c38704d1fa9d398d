"""What searches have found: each set immutable under its digest, the newest one of each kind of training pointed to."""

import json
from collections.abc import Iterator
from pathlib import Path

from llm_twin_assets.domain.identity import digest
from llm_twin_assets.domain.release import Record
from llm_twin_assets.training.plan import Method, SizeClass, TrainingPlan
from resources.object_store import ObjectStore
from resources.training_settings import Training

OBJECTIVE = "validation_bits_per_byte"
_ROOT = "parameter_sets"
# What decides where or for how long is trained, or is in the key, says nothing about which parameters are good.
_NOT_GIVEN = {"base", "revision", "method", "seed", "parallelism", "launcher", "search", "continuous", "preference"}


class SearchKey(Record):
    """The kind of training that a set is for, whoever's texts it is on."""

    family: str
    size_class: SizeClass
    method: Method
    tier: str
    objective: str = OBJECTIVE

    @classmethod
    def of(cls, base: Path, plan: TrainingPlan, tier: str) -> "SearchKey":
        """The key of a plan for a base folder; the family is what transformers calls `model_type`."""
        config = json.loads((base / "config.json").read_text(encoding="utf-8"))
        return cls(family=str(config["model_type"]), size_class=plan.size_class, method=plan.method, tier=tier)

    @property
    def name(self) -> str:
        """For a folder, a table, a run."""
        return f"{self.family}-{self.size_class}-{self.method}-{self.tier}-{self.objective}"


class ParameterSet(Record):
    """The best of a search; `given` is what twin.yaml had fixed meanwhile, `dataset` and `base` are digests.

    Figures are validation bits per byte: of the best trial, and of the one with the defaults if it was completed.
    """

    key: SearchKey
    values: dict[str, int | float]
    given: dict[str, object]
    bits_per_byte: float
    default_bits_per_byte: float | None
    trials: int
    dataset: str
    base: str
    code_version: str

    @property
    def digest(self) -> str:
        """sha256 of the whole record."""
        return digest(self.model_dump(mode="json"))


def given_by(training: Training) -> dict[str, object]:
    """What twin.yaml fixes of a training's parameters."""
    return training.model_dump(mode="json", exclude=_NOT_GIVEN, exclude_unset=True, exclude_none=True)


def keep(objects: ObjectStore, found: ParameterSet) -> None:
    """Store a set for good, and make it the one that trainings of its kind take."""
    objects.put_new(_path(found.key, found.digest), found.model_dump_json(indent=2).encode())
    objects.replace(_path(found.key, "current"), json.dumps({"digest": found.digest}).encode())


def find(objects: ObjectStore, key: SearchKey) -> ParameterSet | None:
    """The newest set for a kind of training."""
    pointer = objects.find(_path(key, "current"))
    if pointer is None:
        return None
    return ParameterSet.model_validate_json(objects.get(_path(key, json.loads(pointer)["digest"])))


def named(objects: ObjectStore, beginning: str) -> ParameterSet | None:
    """The set whose digest begins so, as a plan's origins name it."""
    for path in objects.list(_ROOT):
        if path.rpartition("/")[2].startswith(beginning):
            return ParameterSet.model_validate_json(objects.get(path))
    return None


def related(objects: ObjectStore, key: SearchKey) -> Iterator[ParameterSet]:
    """Where a search may well begin: what was found for this kind, then for other sizes and tiers of the family."""
    if own := find(objects, key):
        yield own
    for path in objects.list(_ROOT):
        if path.endswith("/current.json"):
            found = ParameterSet.model_validate_json(
                objects.get(f"{path.rpartition('/')[0]}/{json.loads(objects.get(path))['digest']}.json")
            )
            other = found.key
            if other != key and (other.family, other.method) == (key.family, key.method):
                yield found


def _path(key: SearchKey, name: str) -> str:
    return f"{_ROOT}/{key.name}/{name}.json"
