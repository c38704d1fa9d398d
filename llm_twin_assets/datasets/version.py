"""A dataset version: immutable Parquet files, a manifest and a card, stored under the digest of their content."""

import io
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from llm_twin_assets.datasets.card import card
from llm_twin_assets.domain.document import CleanedDocument
from llm_twin_assets.domain.identity import Json, digest
from llm_twin_assets.domain.sample import Sample, Split
from resources.errors import StorageError
from resources.object_store import ObjectStore
from resources.settings import Dataset

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
    author: str, samples: Sequence[Sample], documents: Sequence[tuple[CleanedDocument, Split]], settings: Dataset
) -> tuple[str, dict[str, bytes], dict[str, Json]]:
    """Digest, files by name, and manifest of a dataset version. Same input, same digest, on any machine."""
    sample_rows = [{**asdict(sample), "split": sample.split.value} for sample in samples]
    document_rows = [_document_row(document, split) for document, split in documents]
    content: dict[str, Json] = {
        "author": author,
        "settings": settings.model_dump(mode="json"),
        "samples": [row["sample_id"] for row in sample_rows],
        "documents": sorted([row["document_id"], row["split"], row["content_hash"]] for row in document_rows),
    }
    version = digest(content)
    manifest: dict[str, Json] = {
        "digest": version,
        "author": author,
        "settings": content["settings"],
        "samples": dict(Counter(row["split"] for row in sample_rows)),
        "kinds": dict(Counter(row["kind"] for row in sample_rows)),
        "documents": {split.value: _ids(document_rows, split) for split in Split},
    }
    files = {f"{split.value}.parquet": _parquet(sample_rows, split, SAMPLE_SCHEMA) for split in Split}
    files["test_documents.parquet"] = _parquet(document_rows, Split.TEST, DOCUMENT_SCHEMA)
    files["manifest.json"] = json.dumps(manifest, indent=2, ensure_ascii=False).encode()
    files["README.md"] = card(manifest).encode()
    return version, files, manifest


def store(objects: ObjectStore, author: str, version: str, files: dict[str, bytes]) -> str:
    """Write the files of a version that is not there yet and make it current; returns its prefix.

    The manifest is written last: a version without one is half-written, and writing it again completes it.
    """
    prefix = f"datasets/{author}/{version}"
    if objects.find(f"{prefix}/manifest.json") is None:
        for name in sorted(files, key=lambda name: name == "manifest.json"):
            objects.replace(f"{prefix}/{name}", files[name])
    pointer = json.dumps({"digest": version}).encode()
    if objects.find(f"datasets/{author}/current.json") != pointer:
        objects.replace(f"datasets/{author}/current.json", pointer)
    return prefix


def current(objects: ObjectStore, author: str) -> DatasetVersion:
    """The newest dataset version of an author; raises `StorageError` if there is none."""
    pointer = objects.find(f"datasets/{author}/current.json")
    if pointer is None:
        raise StorageError(f"author '{author}' has no dataset yet", mend=f"Run `twin run --author {author}`.")
    return open_version(objects, author, json.loads(pointer)["digest"])


def open_version(objects: ObjectStore, author: str, version: str) -> DatasetVersion:
    """A given dataset version; raises `StorageError` if it is missing or incomplete."""
    prefix = f"datasets/{author}/{version}"
    return DatasetVersion(version, prefix, json.loads(objects.get(f"{prefix}/manifest.json")))


def samples_of(objects: ObjectStore, version: DatasetVersion, split: Split) -> pa.Table:
    """The samples of one split."""
    return pq.read_table(io.BytesIO(objects.get(f"{version.prefix}/{split.value}.parquet")))


def test_documents(objects: ObjectStore, version: DatasetVersion) -> pa.Table:
    """The sealed documents, whole, as they were when the version was made."""
    return pq.read_table(io.BytesIO(objects.get(f"{version.prefix}/test_documents.parquet")))


def local_folder(objects: ObjectStore, version: DatasetVersion, scratch: Path) -> Path:
    """The version as a folder of this machine, for a training process."""
    return objects.local_folder(version.prefix, scratch)


def _document_row(document: CleanedDocument, split: Split) -> dict[str, str]:
    return {
        "document_id": document.document_id,
        "split": split.value,
        "category": document.category.value,
        "title": document.title,
        "text": document.text,
        "content_hash": document.content_hash,
    }


def _ids(rows: Iterable[dict[str, str]], split: Split) -> list[Json]:
    return [row["document_id"] for row in rows if row["split"] == split.value]


def _parquet(rows: Sequence[dict[str, str]], split: Split, schema: pa.Schema) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist([row for row in rows if row["split"] == split.value], schema=schema), buffer)
    return buffer.getvalue()
