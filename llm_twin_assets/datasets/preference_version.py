"""A version of preference pairs: immutable Parquet files, a manifest and a card, under the digest of their content.

`train.parquet` and `validation.parquet` hold `prompt`, `chosen`, `rejected` as plain text, which training puts into the
project's own prompt; `conversational/` the same in the form that TRL's DPOTrainer reads by itself. `thumbs.parquet`
holds `prompt`, `completion`, `label`, for KTO.
"""

import io
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from llm_twin_assets.datasets.preference import Pair, Preferences, Thumb
from llm_twin_assets.datasets.preference_card import card
from llm_twin_assets.datasets.version import DatasetVersion, refuse_stale
from llm_twin_assets.domain.identity import Json, digest
from llm_twin_assets.domain.sample import Split
from llm_twin_assets.inference.prompts import messages
from resources.llm_settings import Preference
from resources.object_store import ObjectStore

SPLITS = (Split.TRAIN, Split.VALIDATION)

_PLACE = [("document_id", pa.string()), ("start", pa.int64()), ("end", pa.int64())]
_ORIGIN = [("pair_id", pa.string()), ("source", pa.string()), ("rejected_by", pa.string()), *_PLACE]
_TURNS = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))
PAIR_SCHEMA = pa.schema(
    [("prompt", pa.string()), ("chosen", pa.string()), ("rejected", pa.string()), ("split", pa.string()), *_ORIGIN]
)
CONVERSATIONAL_SCHEMA = pa.schema([("prompt", _TURNS), ("chosen", _TURNS), ("rejected", _TURNS), *_ORIGIN])
THUMB_SCHEMA = pa.schema(
    [("prompt", pa.string()), ("completion", pa.string()), ("label", pa.bool_()), ("answer_id", pa.string())]
)


def build(
    author: str,
    author_name: str,
    dataset: str,
    preferences: Preferences,
    settings: Preference,
    why_empty: str | None = None,
) -> tuple[str, dict[str, bytes], dict[str, Json]]:
    """Digest, files by name and manifest. `dataset` is the version of the instruct dataset that the samples are of.

    `why_empty` is said of a version without pairs and thumbs.
    """
    pairs, thumbs = preferences.pairs, preferences.thumbs
    rows: list[Json] = [_row(pair) for pair in pairs]
    opinions: list[Json] = [asdict(thumb) for thumb in thumbs]
    why = None if pairs or thumbs else why_empty or "nothing was left"
    # What is empty is one version whatever dataset it comes of: nothing has to be trained anew for it.
    parent = "" if why else dataset
    content: dict[str, Json] = {"author": author, "author_name": author_name, "dataset": parent, "why_empty": why}
    version = digest({**content, "pairs": rows, "thumbs": opinions})
    manifest: dict[str, Json] = {
        "digest": version,
        "author": author,
        "dataset": parent,
        "settings": _settings(settings),
        "rejected_by": sorted({pair.rejected_by for pair in pairs}),
        "pairs": {split.value: sum(pair.split is split for pair in pairs) for split in SPLITS},
        "sources": dict(sorted(Counter(pair.source for pair in pairs).items())),
        "thumbs": {"up": sum(thumb.label for thumb in thumbs), "down": sum(not thumb.label for thumb in thumbs)},
        "dropped": dict(sorted(preferences.dropped.items())),
        "documents": {split.value: _documents(pairs, split) for split in SPLITS},
        "why_empty": why,
    }
    files = {
        name: content
        for split in SPLITS
        for name, content in _split_files([pair for pair in pairs if pair.split is split], split, author_name)
    }
    files["thumbs.parquet"] = _parquet(opinions, THUMB_SCHEMA)
    files["manifest.json"] = json.dumps(manifest, indent=2, ensure_ascii=False).encode()
    files["README.md"] = card(manifest).encode()
    return version, files, manifest


def store(objects: ObjectStore, author: str, version: str, files: Mapping[str, bytes]) -> str:
    """Write the files of a version that is not there yet, manifest last, and make it current; returns its prefix."""
    prefix = f"preferences/{author}/{version}"
    if objects.find(f"{prefix}/manifest.json") is None:
        for name in sorted(files, key=lambda name: name == "manifest.json"):
            objects.replace(f"{prefix}/{name}", files[name])
    pointer = json.dumps({"digest": version}).encode()
    if objects.find(f"preferences/{author}/current.json") != pointer:
        objects.replace(f"preferences/{author}/current.json", pointer)
    return prefix


def current(objects: ObjectStore, author: str) -> DatasetVersion | None:
    """The newest version of an author if there is something in it to train on, else None."""
    if objects.find(f"preferences/{author}/current.json") is None:
        return None
    found = newest(objects, author)
    refuse_stale(objects, found.prefix)
    return None if found.manifest["why_empty"] else found


def newest(objects: ObjectStore, author: str) -> DatasetVersion:
    """The newest version of an author, empty or not; raises `StorageError` if there is none."""
    return open_version(objects, author, json.loads(objects.get(f"preferences/{author}/current.json"))["digest"])


def open_version(objects: ObjectStore, author: str, version: str) -> DatasetVersion:
    """A given version, empty or not; raises `StorageError` if it is missing or incomplete."""
    prefix = f"preferences/{author}/{version}"
    return DatasetVersion(version, prefix, json.loads(objects.get(f"{prefix}/manifest.json")))


def pairs_of(objects: ObjectStore, version: DatasetVersion) -> list[Pair]:
    """The pairs of both splits."""
    tables = [_read(objects, f"{version.prefix}/{split.value}.parquet") for split in SPLITS]
    return [Pair(**{**row, "split": Split(row["split"])}) for table in tables for row in table.to_pylist()]


def thumbs_of(objects: ObjectStore, version: DatasetVersion) -> list[Thumb]:
    """The answers with a thumb."""
    rows = _read(objects, f"{version.prefix}/thumbs.parquet").to_pylist()
    return [Thumb(answer_id=row["answer_id"], prompt=row["prompt"], completion=row["completion"], label=row["label"])
            for row in rows]  # fmt: skip


def local_folder(objects: ObjectStore, version: DatasetVersion, scratch: Path) -> Path:
    """The version as a folder of this machine, for a training process."""
    return objects.local_folder(version.prefix, scratch)


def _settings(settings: Preference) -> Json:
    found: Json = settings.model_dump(mode="json", exclude={"endpoint"})
    return found


def _documents(pairs: Iterable[Pair], split: Split) -> Sequence[Json]:
    return sorted({pair.document_id for pair in pairs if pair.split is split and pair.document_id})


def _row(pair: Pair) -> dict[str, Json]:
    return {**asdict(pair), "split": pair.split.value}  # Arrow would load pandas to look at an enum


def _split_files(pairs: Sequence[Pair], split: Split, author_name: str) -> list[tuple[str, bytes]]:
    conversations = [_conversational(pair, author_name) for pair in pairs]
    return [
        (f"{split.value}.parquet", _parquet([_row(pair) for pair in pairs], PAIR_SCHEMA)),
        (f"conversational/{split.value}.parquet", _parquet(conversations, CONVERSATIONAL_SCHEMA)),
    ]


def _conversational(pair: Pair, author_name: str) -> Json:
    asked = messages(pair.prompt, author_name=author_name)
    turns: dict[str, Json] = {
        "prompt": [{"role": each["role"], "content": each["content"]} for each in asked],
        "chosen": [{"role": "assistant", "content": pair.chosen}],
        "rejected": [{"role": "assistant", "content": pair.rejected}],
    }
    return {**_row(pair), **turns}


def _parquet(rows: Sequence[Json], schema: pa.Schema) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), buffer)
    return buffer.getvalue()


def _read(objects: ObjectStore, path: str) -> pa.Table:
    return pq.read_table(io.BytesIO(objects.get(path)))
