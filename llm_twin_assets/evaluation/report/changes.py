"""What is other about a candidate than about the champion: its data, its parameters, what it cost."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from llm_twin_assets.datasets import version
from llm_twin_assets.domain.sample import Split
from llm_twin_assets.training import hyperparameters
from resources.errors import StorageError
from resources.object_store import ObjectStore

_TAGS = {
    "base": "base model",
    "base_revision": "base revision",
    "method": "training method",
    "prompt_digest": "prompt template",
    "preference_version": "preference dataset",
    "code_version": "code version",
    "git_commit": "git commit",
}
_COST = {
    "seconds": "training, seconds",
    "tokens": "training, tokens",
    "energy_joules": "training, joules",
    "device": "trained on",
    "hardware": "hardware",
}
_LONGEST = 48


@dataclass(frozen=True, slots=True)
class Row:
    """A thing, how it was before (empty: there was no champion, or nothing is on record) and how it is now."""

    what: str
    before: str
    now: str


@dataclass(frozen=True, slots=True)
class Trained:
    """A model version as its records describe it: registry tags, dataset manifest, parameters."""

    tags: Mapping[str, str]
    manifest: Mapping[str, Any]
    parameters: Mapping[str, Any]

    @classmethod
    def of(cls, objects: ObjectStore, author: str, tags: Mapping[str, str]) -> "Trained":
        """What is on record. A dataset or a plan that is no longer kept leaves its part empty."""
        try:
            manifest: Mapping[str, Any] = version.open_version(objects, author, tags["dataset_version"]).manifest
        except StorageError:
            manifest = {}
        plan = hyperparameters.find(objects, author, tags.get("parameters_digest", ""))
        return cls(tags, manifest, plan.model_dump(exclude={"origins"}) if plan else {})


def data_changes(before: Trained | None, now: Trained) -> list[Row]:
    """Every count and setting of the dataset, where there is no champion; else the version and what differs."""
    old = _data(before) if before else {}
    rows = _differing(old, _data(now), everything=before is None)
    if before and before.manifest and now.manifest:
        ours, theirs = _documents(now), _documents(before)
        rows.append(Row("documents that are new", "", str(len(ours.keys() - theirs.keys()))))
        rows.append(Row("documents that are gone", "", str(len(theirs.keys() - ours.keys()))))
        moved = sum(ours[key] != theirs[key] for key in ours.keys() & theirs.keys())
        rows.append(Row("documents in another split", "", str(moved)))
    return rows


def parameter_changes(before: Trained | None, now: Trained) -> list[Row]:
    """Every parameter, where there is no champion; else those that differ."""
    return _differing(_parameters(before) if before else {}, _parameters(now), everything=before is None)


def training_cost(before: Trained | None, now: Trained) -> list[Row]:
    """Time, tokens and energy of both trainings, as far as they are on record."""
    return [
        Row(said, before.tags.get(key, "") if before else "", now.tags[key])
        for key, said in _COST.items()
        if now.tags.get(key)
    ]


def _data(trained: Trained) -> dict[str, str]:
    manifest = trained.manifest
    found = {"dataset version": trained.tags.get("dataset_version", "")[:12]}
    for split in Split:
        found[f"{split.value}: samples"] = str(manifest.get("samples", {}).get(split.value, 0))
        found[f"{split.value}: documents"] = str(len(manifest.get("documents", {}).get(split.value, ())))
    found |= {f"samples of kind {kind}": str(count) for kind, count in manifest.get("kinds", {}).items()}
    return found | {f"dataset.{key}": str(value) for key, value in manifest.get("settings", {}).items()}


def _parameters(trained: Trained) -> dict[str, str]:
    said = {name: trained.tags.get(key, "") for key, name in _TAGS.items()}
    chosen = {key: "" if value is None else str(value) for key, value in trained.parameters.items()}
    return {key: value for key, value in (said | chosen).items() if value}


def _documents(trained: Trained) -> dict[str, str]:
    return {key: split for split, keys in trained.manifest["documents"].items() for key in keys}


def _differing(before: Mapping[str, str], now: Mapping[str, str], *, everything: bool) -> list[Row]:
    keys = [*now, *(key for key in before if key not in now)]
    return [
        Row(key, _short(before.get(key, "")), _short(now.get(key, "")))
        for key in keys
        if everything or before.get(key) != now.get(key)
    ]


def _short(value: str) -> str:
    return value if len(value) <= _LONGEST else f"{value[: _LONGEST - 1]}…"
