"""What a source's next visit has to know, in a table of the warehouse: cursors, validators, sightings.

It is written after the documents that it speaks of. A crash in between costs a repeated request, never a document.
"""

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

import pyarrow as pa

from llm_twin_assets.collection.engine.sightings import Sighting
from llm_twin_assets.domain.identity import Json, document_id
from resources.warehouse import Warehouse

TABLE = "collection/state"
SCHEMA = pa.schema(
    [
        pa.field("entry_id", pa.string(), nullable=False),
        pa.field("author", pa.string(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("kind", pa.string(), nullable=False),
        pa.field("key", pa.string(), nullable=False),
        pa.field("value", pa.string(), nullable=False),
    ]
)

# `memory` is the connector's own, `sighting` one document's, `engine` what the engine keeps about the source.
Kind = Literal["memory", "sighting", "engine"]


@dataclass(frozen=True, slots=True)
class SourceState:
    """The state of one source as the last visit left it."""

    memory: Mapping[str, Json]
    sightings: Mapping[str, Sighting]
    engine: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing to be kept; the value None forgets it."""

    kind: Kind
    key: str
    value: Json


def load(warehouse: Warehouse, author: str, source: str) -> SourceState:
    """The state of a source; empty for one that was never visited."""
    kept: dict[str, dict[str, Json]] = {"memory": {}, "sighting": {}, "engine": {}}
    rows = warehouse.read(TABLE, author, ["source", "kind", "key", "value"])
    if rows.num_rows:
        rows = rows.filter(pa.compute.equal(rows["source"], source))
    for row in rows.to_pylist():
        value = json.loads(row["value"])
        if value is not None and row["kind"] in kept:
            kept[row["kind"]][row["key"]] = value
    sightings = {key: Sighting.from_json(value) for key, value in kept["sighting"].items()}
    return SourceState(kept["memory"], sightings, kept["engine"])


def save(warehouse: Warehouse, author: str, source: str, entries: Iterable[Entry]) -> None:
    """Keep entries, all in one commit; of several with one key the last counts."""
    rows = {(entry.kind, entry.key): entry for entry in entries}
    warehouse.upsert(
        TABLE,
        pa.Table.from_pylist([_row(author, source, entry) for entry in rows.values()], schema=SCHEMA),
        author,
        identity="entry_id",
    )


def _row(author: str, source: str, entry: Entry) -> dict[str, str]:
    return {
        "entry_id": document_id(author, f"{source}\n{entry.kind}\n{entry.key}"),
        "author": author,
        "source": source,
        "kind": entry.kind,
        "key": entry.key,
        "value": json.dumps(entry.value, sort_keys=True, separators=(",", ":")),
    }


def entries_of(warehouse: Warehouse, author: str, documents: Collection[str]) -> list[str]:
    """Ids of the entries that speak of one of the documents, in whatever source's state."""
    rows = warehouse.read(TABLE, author, ["entry_id", "kind", "key", "value"]).to_pylist()
    return [row["entry_id"] for row in rows if _speaks_of(row, author, documents)]


def _speaks_of(row: Mapping[str, str], author: str, documents: Collection[str]) -> bool:
    if row["kind"] == "sighting":
        return row["key"] in documents
    value = json.loads(row["value"])
    stable_id = value.get("stable_id") if isinstance(value, Mapping) else None
    return isinstance(stable_id, str) and document_id(author, stable_id) in documents
