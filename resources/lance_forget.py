"""Documents out of every version of a Lance table, and their bytes off the disk.

A row that Lance deletes stays in its file, and so do its words in the index; and what a tag holds, Lance keeps. So each
snapshot that is to stay, and the head last, is written anew without the documents, as versions of their own; only then
do the old tags go, and with them every version and file that is older than the first new one.
"""

import time
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pyarrow as pa

from resources.lance_index import is_in
from resources.lance_upkeep import BEFORE, SINCE, tend
from resources.vector_store import CONTENTS

if TYPE_CHECKING:
    from lancedb.table import Table

Name = Callable[[pa.Table], str]

# Lance tells versions apart by their age, counted from when it begins to clean up: there has to be time in between.
_APART = timedelta(seconds=0.5)
_ATTEMPTS = 8


def holding(opened: Callable[[], "Table"], documents: Collection[str]) -> tuple[str, ...]:
    """The tags of the versions that hold one of the documents, oldest first."""
    tags = _versions(opened())
    return tuple(name for name in sorted(tags, key=tags.__getitem__) if _holds(opened(), tags[name], documents))


def is_held(opened: Callable[[], "Table"], documents: Collection[str]) -> bool:
    """Whether any version, tagged or not, holds one of the documents."""
    return any(_holds(opened(), int(each["version"]), documents) for each in opened().list_versions())


def rewrite(
    opened: Callable[[], "Table"], documents: Collection[str], snapshots: Mapping[str, Name], head: Name
) -> dict[str, str]:
    """Write these snapshots and the head without the documents; returns the new name of each of the former.

    `BEFORE` is tagged what the head was, `SINCE` later the first version written after it. Nothing is taken away: who
    reads an old version goes on reading it. Done again after a kill it goes on.
    """
    begun = _versions(opened())
    if BEFORE not in begun:
        table = opened()
        time.sleep(max(0.0, (_APART - _age(table, table.version)).total_seconds()))
        table.tags.create(BEFORE, table.version)
        begun[BEFORE] = int(table.version)
    former = [each for each in snapshots if begun[each] <= begun[BEFORE]]
    names = {each: _written(opened, documents, each, snapshots[each], begun[BEFORE]) for each in former}
    _written(opened, documents, BEFORE, head, begun[BEFORE])
    return names


def purge(opened: Callable[[], "Table"]) -> None:
    """Drop everything older than what `rewrite` wrote; does nothing where it wrote nothing.

    Only where nobody is writing: files of a commit under way would go, too.
    """
    tags = _versions(opened())
    if BEFORE in tags:
        if SINCE not in tags:
            opened().tags.create(SINCE, tags[BEFORE] + 1)
        former = [name for name, version in tags.items() if version <= tags[BEFORE] and name != BEFORE]
        for name in (*former, BEFORE):
            opened().tags.delete(name)
    elif SINCE not in tags:
        return
    _clean_up(opened, _versions(opened())[SINCE])
    opened().tags.delete(SINCE)


def _written(opened: Callable[[], "Table"], documents: Collection[str], tag: str, name: Name, before: int) -> str:
    """The name under which the version at the tag now is, without the documents."""
    source = opened()
    source.checkout(tag)
    left = f"NOT ({is_in('document_id', documents)})"
    snapshot = name(source.search().where(left).select(list(CONTENTS)).to_arrow())
    table = opened()
    tags = _versions(table)
    # What is the head has to be the newest version, whatever else says the same.
    if tags.get(snapshot, 0) > before and (tag != BEFORE or tags[snapshot] == table.version):
        return snapshot
    opened().add(_batches(source, left), mode="overwrite")
    tend(opened())
    table = opened()
    (table.tags.update if snapshot in tags else table.tags.create)(snapshot, table.version)
    return snapshot


def _batches(source: "Table", where: str) -> pa.RecordBatchReader:
    """The rows, a batch at a time. The vectors come without the record of an index, which they have no more."""
    found = source.search().where(where).to_batches()
    at = found.schema.get_field_index("vector")
    schema = found.schema.set(at, found.schema.field(at).remove_metadata())

    def batches() -> Iterator[pa.RecordBatch]:
        for batch in found:
            yield pa.RecordBatch.from_arrays(batch.columns, schema=schema)

    return pa.RecordBatchReader.from_batches(schema, batches())


def _clean_up(opened: Callable[[], "Table"], since: int) -> None:
    """Delete what is older than a version. Lance refuses if a tagged one is: then it began later than it was told."""
    for attempt in range(_ATTEMPTS):
        table = opened()
        versions = [int(each["version"]) for each in table.list_versions()]
        older = max((version for version in versions if version < since), default=None)
        if older is None:
            return
        apart = _age(table, older) - _age(table, since)
        try:
            table.optimize(cleanup_older_than=_age(table, since) + apart / 2, delete_unverified=True)
        except RuntimeError as error:
            if "tagged version" not in str(error) or attempt == _ATTEMPTS - 1:
                raise


def _holds(table: "Table", version: int, documents: Collection[str]) -> bool:
    table.checkout(version)
    return bool(table.count_rows(is_in("document_id", documents)))


def _versions(table: "Table") -> dict[str, int]:
    return {name: int(tag["version"]) for name, tag in table.tags.list().items()}


def _age(table: "Table", version: int) -> timedelta:
    written: datetime = next(each["timestamp"] for each in table.list_versions() if each["version"] == version)
    return datetime.now(written.tzinfo) - written
