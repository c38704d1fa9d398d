"""A dataset version: immutable Parquet files, a manifest and a card, stored under the digest of their content."""

import io
import json
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from llm_twin_assets.datasets.card import card
from llm_twin_assets.datasets.instruct import Generated
from llm_twin_assets.datasets.split import Assignment
from llm_twin_assets.domain.document import CleanedDocument
from llm_twin_assets.domain.identity import Json, digest
from llm_twin_assets.domain.sample import Sample, Split, Tier
from resources.errors import StorageError
from resources.object_store import ObjectStore
from resources.settings import Dataset

_ROW_GROUP = 2000
# Beside the files of a version, which themselves never change.
_STALE = "stale.json"
SAMPLE_SCHEMA = pa.schema(
    [
        ("sample_id", pa.string()),
        ("split", pa.string()),
        ("kind", pa.string()),
        ("instruction", pa.string()),
        ("answer", pa.string()),
        ("document_id", pa.string()),
        ("start", pa.int64()),
        ("end", pa.int64()),
        ("language", pa.string()),
        ("flags", pa.list_(pa.string())),
        ("tier", pa.string()),
    ]
)
DOCUMENT_SCHEMA = pa.schema(
    [
        ("document_id", pa.string()),
        ("split", pa.string()),
        ("category", pa.string()),
        ("title", pa.string()),
        ("text", pa.string()),
        ("content_hash", pa.string()),
    ]
)


@dataclass(frozen=True, slots=True)
class DatasetVersion:
    """A stored dataset version: its digest, where it is, and its manifest."""

    digest: str
    prefix: str
    manifest: dict[str, Json]


def build(
    author: str, generated: Generated, assignment: Assignment, settings: Dataset
) -> tuple[str, dict[str, bytes], dict[str, Json]]:
    """Digest, files by name, and manifest of a dataset version. Same input, same digest, on any machine.

    The digest covers what is learnt from, not the bytes that Parquet makes of it nor the counts of what was left out.
    """
    samples = generated.samples
    version = digest(
        {
            "author": author,
            "settings": settings.model_dump(mode="json"),
            "samples": [digest(_row(sample)) for sample in samples],
            "documents": sorted(
                [each.document_id, split.value, each.content_hash] for each, split in generated.documents
            ),
        }
    )
    placed = {document.document_id: split for document, split in generated.documents}
    manifest: dict[str, Json] = {
        "digest": version,
        "author": author,
        "settings": settings.model_dump(mode="json"),
        "samples": dict(Counter(sample.split.value for sample in samples)),
        "kinds": dict(sorted(Counter(sample.kind for sample in samples).items())),
        "languages": generated.languages,
        "tiers": generated.made,
        "dropped": generated.dropped,
        "decontamination": generated.decontamination,
        "documents": {split.value: [key for key, own in placed.items() if own is split] for split in Split},
        "clusters": [{"split": assignment.splits[each[0]].value, "documents": each} for each in assignment.clusters],
    }
    files = {f"{split.value}.parquet": _samples_file(samples, split) for split in Split}
    files["test_documents.parquet"] = _documents_file(generated.documents)
    files["manifest.json"] = json.dumps(manifest, indent=2, ensure_ascii=False).encode()
    files["README.md"] = card(manifest).encode()
    return version, files, manifest


def store(
    objects: ObjectStore,
    author: str,
    version: str,
    files: dict[str, bytes],
    assignment: Assignment,
    settings: Dataset,
    recipe: str = "",
) -> str:
    """Write the files of a version that is not there yet and make it current; returns its prefix.

    `recipe` is the digest of what it was made from: `made_by` finds it again. The manifest is
    written last: a version without one is half-written, and writing it again completes it.
    """
    prefix = f"datasets/{author}/{version}"
    if objects.find(f"{prefix}/manifest.json") is None:
        for name in sorted(files, key=lambda name: name == "manifest.json"):
            objects.replace(f"{prefix}/{name}", files[name])
    seal: dict[str, Json] = {"documents": sorted(assignment.sealed), "drawn": _drawn(settings)}
    pointer = json.dumps({"digest": version, "sealed": seal, "recipe": recipe}).encode()
    if objects.find(f"datasets/{author}/current.json") != pointer:
        objects.replace(f"datasets/{author}/current.json", pointer)
    return prefix


def sealed_before(objects: ObjectStore, author: str, settings: Dataset) -> frozenset[str]:
    """Documents that earlier versions sealed for their neighbours' sake; none where another split is asked for."""
    pointer = objects.find(f"datasets/{author}/current.json")
    seal = json.loads(pointer).get("sealed") if pointer else None
    return frozenset(seal["documents"]) if seal and seal["drawn"] == _drawn(settings) else frozenset()


def made_by(objects: ObjectStore, author: str, recipe: str) -> DatasetVersion | None:
    """The current version if it was made from exactly this, and is whole."""
    pointer = objects.find(f"datasets/{author}/current.json")
    stated = json.loads(pointer) if pointer else {}
    if stated.get("recipe") != recipe or objects.find(f"datasets/{author}/{stated['digest']}/manifest.json") is None:
        return None
    return open_version(objects, author, stated["digest"])


def current(objects: ObjectStore, author: str) -> DatasetVersion:
    """The newest dataset version of an author; raises `StorageError` if there is none, or it must not be used."""
    pointer = objects.find(f"datasets/{author}/current.json")
    if pointer is None:
        raise StorageError(f"author '{author}' has no dataset yet", mend=f"Run `twin run --author {author}`.")
    found = json.loads(pointer)["digest"]
    refuse_stale(objects, f"datasets/{author}/{found}")
    return open_version(objects, author, found)


def mark_stale(objects: ObjectStore, prefix: str, documents: Collection[str]) -> None:
    """Note that documents were forgotten of which the version at this prefix was made."""
    objects.replace(
        f"{prefix}/{_STALE}", json.dumps({"forgotten": sorted({*documents, *stale(objects, prefix)})}).encode()
    )


def delete_version(objects: ObjectStore, prefix: str) -> None:
    """Delete the files of a version, the manifest first; the mark that it is stale stays, for who was made from it."""
    paths = [path for path in objects.list(prefix) if path != f"{prefix}/{_STALE}"]
    objects.delete(sorted(paths, key=lambda path: not path.endswith("/manifest.json")))


def stale(objects: ObjectStore, prefix: str) -> tuple[str, ...]:
    """Ids of documents that were forgotten since the version at this prefix was made of them."""
    content = objects.find(f"{prefix}/{_STALE}")
    return tuple(json.loads(content)["forgotten"]) if content else ()


def refuse_stale(objects: ObjectStore, prefix: str) -> None:
    """Raise `StorageError` if the version at this prefix must not be learnt from any more."""
    if stale(objects, prefix):
        raise StorageError(
            "was made of a document that is to be forgotten",
            where=f"{objects.root}/{prefix}",
            mend="`twin run` makes another.",
        )


def open_version(objects: ObjectStore, author: str, version: str) -> DatasetVersion:
    """A given dataset version; raises `StorageError` if it is missing or incomplete."""
    prefix = f"datasets/{author}/{version}"
    return DatasetVersion(version, prefix, json.loads(objects.get(f"{prefix}/manifest.json")))


def samples_of(objects: ObjectStore, version: DatasetVersion, split: Split) -> pa.Table:
    """The samples of one split."""
    return pq.read_table(io.BytesIO(objects.get(f"{version.prefix}/{split.value}.parquet")))


def all_samples(objects: ObjectStore, version: DatasetVersion) -> list[Sample]:
    """The samples of all splits."""
    rows = [row for split in Split for row in samples_of(objects, version, split).to_pylist()]
    return [
        Sample(**{**row, "split": Split(row["split"]), "flags": tuple(row["flags"]), "tier": Tier(row["tier"])})
        for row in rows
    ]


def test_documents(objects: ObjectStore, version: DatasetVersion) -> pa.Table:
    """The sealed documents, whole, as they were when the version was made."""
    return pq.read_table(io.BytesIO(objects.get(f"{version.prefix}/test_documents.parquet")))


def local_folder(objects: ObjectStore, version: DatasetVersion, scratch: Path) -> Path:
    """The version as a folder of this machine, for a training process."""
    return objects.local_folder(version.prefix, scratch)


def _drawn(settings: Dataset) -> dict[str, Json]:
    return {"seed": settings.seed, "test_share": settings.test_share}


def _row(sample: Sample) -> dict[str, Json]:
    return {**{name: getattr(sample, name) for name in SAMPLE_SCHEMA.names}, **_plain(sample)}


def _plain(sample: Sample) -> dict[str, Json]:
    return {"split": sample.split.value, "tier": sample.tier.value}  # Arrow would load pandas to look at an enum


def _samples_file(samples: Iterable[Sample], split: Split) -> bytes:
    return _parquet([_row(sample) for sample in samples if sample.split is split], SAMPLE_SCHEMA)


def _documents_file(documents: Iterable[tuple[CleanedDocument, Split]]) -> bytes:
    sealed = [document for document, split in documents if split is Split.TEST]
    columns = [name for name in DOCUMENT_SCHEMA.names if name != "split"]
    plain = {"split": Split.TEST.value}
    rows = [
        {**{name: getattr(each, name) for name in columns}, **plain, "category": each.category.value} for each in sealed
    ]
    return _parquet(rows, DOCUMENT_SCHEMA)


def _parquet(rows: Sequence[dict[str, Json]], schema: pa.Schema) -> bytes:
    buffer = io.BytesIO()
    with pq.ParquetWriter(buffer, schema) as writer:
        for start in range(0, len(rows), _ROW_GROUP):
            writer.write_table(pa.Table.from_pylist(rows[start : start + _ROW_GROUP], schema=schema))
    return buffer.getvalue()
