"""What is on record of one author, read from wherever it lies; contents of documents are not among it."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from llm_twin_assets.datasets.version import stale
from llm_twin_assets.domain.document import Category
from llm_twin_assets.domain.release import Approval, Release, Verdict
from llm_twin_assets.release.records import approvals, current_release, releases, verdicts
from resources.object_store import ObjectStore
from resources.vector_store import VectorStore
from resources.warehouse import Warehouse

Row = Mapping[str, Any]

_STALE = "stale"
_COLUMNS = (
    "document_id", "platform", "category", "url", "title", "path", "repository", "published_at", "content_hash",
)  # fmt: skip
_RAW = (*_COLUMNS, "source", "listing", "revision", "collected_at", "removed_at")
_CLEANED = (*_COLUMNS, "raw_hash", "cleaner", "duplicate_of")


@dataclass(frozen=True, slots=True)
class AnswerRead:
    """An answer as its trace has it: the release that gave it, and the documents that it was given to draw on."""

    trace_id: str
    release: str
    documents: tuple[str, ...]
    details: Row


@dataclass(frozen=True, slots=True)
class Records:
    """Everything of one author: `models` are the registry's tags by version, `snapshots` the documents by name.

    A manifest of a version that was made of documents which were forgotten since names them under `stale`.
    """

    author: str
    releases: Sequence[Release] = ()
    serving: Release | None = None
    approvals: Sequence[Approval] = ()
    verdicts: Sequence[Verdict] = ()
    models: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    datasets: Sequence[Row] = ()
    preferences: Sequence[Row] = ()
    snapshots: Mapping[str, frozenset[str]] = field(default_factory=dict)
    raw: Sequence[Row] = ()
    cleaned: Sequence[Row] = ()
    answers: Sequence[AnswerRead] = ()

    def with_answers(self, answers: Sequence[AnswerRead]) -> "Records":
        """The same, with answers that were read afterwards."""
        return replace(self, answers=tuple(answers))


def read_records(
    author: str,
    objects: ObjectStore,
    warehouse: Warehouse,
    store: VectorStore,
    models: Mapping[str, Mapping[str, str]],
) -> Records:
    """Read them; raises `TamperedError` if approvals or releases are not what was written."""
    past = releases(objects, author)
    return Records(
        author=author,
        releases=past,
        serving=current_release(objects, author),
        approvals=approvals(objects, author),
        verdicts=verdicts(objects, author),
        models=models,
        datasets=list(_manifests(objects, f"datasets/{author}")),
        preferences=list(_manifests(objects, f"preferences/{author}")),
        snapshots={name: _documents(store, author, name) for name in store.snapshots(author)},
        raw=_rows(warehouse, "raw", author, _RAW),
        cleaned=_rows(warehouse, "cleaned", author, _CLEANED),
    )


def _manifests(objects: ObjectStore, prefix: str) -> Iterator[Row]:
    for path in objects.list(prefix):
        if path.endswith("/manifest.json"):
            forgotten = stale(objects, path.removesuffix("/manifest.json"))
            yield {**json.loads(objects.get(path)), **({_STALE: forgotten} if forgotten else {})}


def _documents(store: VectorStore, author: str, snapshot: str) -> frozenset[str]:
    return frozenset(store.open(author, snapshot).rows(["document_id"])["document_id"].to_pylist())


def _rows(warehouse: Warehouse, layer: str, author: str, columns: Sequence[str]) -> list[Row]:
    tables = (warehouse.read(f"{layer}/{category.plural}", author, columns) for category in Category)
    return [row for table in tables for row in table.to_pylist()]
