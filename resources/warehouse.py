"""The warehouse: Delta Lake tables, one row per document, partitioned by author."""

import random
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeAlias, TypeVar

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable
from deltalake import Schema as DeltaSchema
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError

from resources.errors import StorageError

T = TypeVar("T")
Values: TypeAlias = tuple[object, ...]

# Each retry needs another process to have committed: with as many writers as platforms, this is plenty.
_ATTEMPTS = 20
# How long Delta keeps its log and the files that were replaced, where a table does not say otherwise.
_KEPT = {"delta.logRetentionDuration": "interval 30 days", "delta.deletedFileRetentionDuration": "interval 1 week"}
_NOT_KEPT = "interval 0 seconds"


@dataclass(frozen=True, slots=True)
class MergeCounts:
    """What a merge did, in rows."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0


class Warehouse:
    """Delta tables below one root URI (a folder, or `s3://bucket/prefix`)."""

    def __init__(self, root: str, storage_options: dict[str, str] | None = None) -> None:
        self._root = root.rstrip("/")
        self._storage_options = storage_options

    def uri(self, table: str) -> str:
        """Where a table is, for any other reader of Delta Lake."""
        return f"{self._root}/{table}"

    def merge(
        self,
        table: str,
        rows: pa.Table,
        author: str,
        *,
        scope: dict[str, str] | None = None,
        complete: bool = False,
        compared: Sequence[str] = ("content_hash",),
    ) -> MergeCounts:
        """Insert new documents and update those of which a `compared` column differs, in one commit.

        `rows` hold `author` and `document_id`. With `complete`, the author's rows (within `scope`, equality on further
        columns) that are not in `rows` are removed. Nothing is committed if nothing differs. Where another process
        commits to the same author's rows meanwhile (two platforms of one run), the merge starts again.
        """
        return self._insist(table, lambda: self._merge_once(table, rows, author, scope, complete, compared))

    def upsert(self, table: str, rows: pa.Table, author: str, *, identity: str = "document_id") -> None:
        """Insert rows and replace those of the same identity, in one commit; the caller knows that they differ."""
        if rows.num_rows:
            self._insist(table, lambda: self._upsert_once(table, rows, author, identity))

    def update(self, table: str, author: str, documents: Sequence[str], values: Mapping[str, str]) -> None:
        """Set columns (SQL literals by name) of an author's documents; nothing if the table is not there yet."""
        if not documents or self.version(table) is None:
            return
        listed = ", ".join(_literal(document) for document in documents)
        predicate = f"author = {_literal(author)} AND document_id IN ({listed})"
        self._insist(table, lambda: self._open(table).update(updates=dict(values), predicate=predicate))

    def delete(self, table: str, author: str, column: str, values: Collection[str]) -> int:
        """Delete an author's rows that hold one of the values; returns how many. Their bytes stay: see `purge`."""
        if not values or self.version(table) is None:
            return 0
        listed = ", ".join(_literal(value) for value in sorted(values))
        predicate = f"author = {_literal(author)} AND {column} IN ({listed})"
        return self._insist(table, lambda: int(self._open(table).delete(predicate)["num_deleted_rows"]))

    def tidy(self, table: str, column: str, since: datetime) -> None:
        """Drop rows of which `column`, an instant, is before `since`, and join the small files of many commits."""
        if self.version(table) is not None:
            self._insist(table, lambda: _tidy(self._open(table), column, since))

    def purge(self, table: str) -> None:
        """Leave nothing of a table but its newest version: what was deleted is on no disk and in no log after it.

        Only where nobody is writing: the files of a commit under way would go, too.
        """
        if self.version(table) is not None:
            self._insist(table, lambda: _purge(self._open(table)))

    def _insist(self, table: str, act: Callable[[], T]) -> T:
        """Do it again where another process committed to the same rows meanwhile."""
        for attempt in range(_ATTEMPTS):
            try:
                return act()
            except CommitFailedError:
                # Waits of uneven length, or the same two would meet again.
                time.sleep(random.uniform(0.02, 0.1) * (attempt + 1))  # noqa: S311 - no secret
            except DeltaError as error:  # a full disk, a bucket that is gone: nothing was committed
                raise StorageError(f"cannot be written: {error}", where=self.uri(table)) from error
        raise StorageError(
            f"was changed by others {_ATTEMPTS} times during one commit", where=self.uri(table), mend="Run it again."
        )

    def _upsert_once(self, table: str, rows: pa.Table, author: str, identity: str) -> None:
        (
            self._create(table, rows.schema)
            .merge(
                source=rows,
                predicate=f"t.author = {_literal(author)} AND t.{identity} = s.{identity}",
                source_alias="s",
                target_alias="t",
                commit_properties=CommitProperties(custom_metadata={"author": author}),
            )
            .when_matched_update_all()
            .when_not_matched_insert_all()
            .execute()
        )

    def _merge_once(
        self,
        table: str,
        rows: pa.Table,
        author: str,
        scope: dict[str, str] | None,
        complete: bool,
        compared: Sequence[str],
    ) -> MergeCounts:
        before = self._compared(table, author, scope, compared)
        after = {
            row["document_id"]: _values(row, compared) for row in rows.select(["document_id", *compared]).to_pylist()
        }
        counts = _counts(before, after, complete)
        if not (counts.new or counts.changed or counts.removed):
            return counts
        # The author stands in the predicate as a literal: two processes that merge different authors do not conflict.
        mine = " AND ".join(
            f"t.{column} = {_literal(value)}" for column, value in {"author": author, **(scope or {})}.items()
        )
        merger = (
            self._create(table, rows.schema)
            .merge(
                source=rows,
                predicate=f"t.author = {_literal(author)} AND t.document_id = s.document_id",
                source_alias="s",
                target_alias="t",
                commit_properties=CommitProperties(custom_metadata={"author": author}),
            )
            .when_matched_update_all(predicate=_differ(compared))
            .when_not_matched_insert_all()
        )
        if complete:
            merger = merger.when_not_matched_by_source_delete(predicate=mine)
        merger.execute()
        return counts

    def read(
        self, table: str, author: str, columns: Sequence[str] | None = None, *, version: int | None = None
    ) -> pa.Table:
        """All rows of an author, at the newest or a given version; an empty table if there is none yet."""
        try:
            delta = DeltaTable(self.uri(table), version=version, storage_options=self._storage_options)
        except DeltaError as error:
            if version is None and isinstance(error, TableNotFoundError):
                return pa.table({})
            raise StorageError(f"cannot be read: {error}", where=self.uri(table)) from error
        # A column that the table lacks (it was made by an earlier version) is left out, not an error.
        known = {field.name for field in delta.schema().fields}
        wanted = [column for column in columns if column in known] if columns else None
        return delta.to_pyarrow_table(partitions=[("author", "=", author)], columns=wanted)

    def version(self, table: str) -> int | None:
        """The newest version of a table, or None if it does not exist."""
        try:
            return DeltaTable(self.uri(table), storage_options=self._storage_options).version()
        except TableNotFoundError:
            return None

    def _compared(
        self, table: str, author: str, scope: dict[str, str] | None, compared: Sequence[str]
    ) -> dict[str, Values]:
        rows = self.read(table, author, ["document_id", *compared, *(scope or {})])
        return {
            row["document_id"]: _values(row, compared)
            for row in rows.to_pylist()
            if all(row[column] == value for column, value in (scope or {}).items())
        }

    def _create(self, table: str, schema: pa.Schema) -> DeltaTable:
        """The table, made if it is not there, and with the columns added that its schema lacks."""
        delta = DeltaTable.create(
            self.uri(table),
            schema=schema,
            mode="ignore",
            partition_by=["author"],
            storage_options=self._storage_options,
        )
        known = {field.name for field in delta.schema().fields}
        added = [field for field in DeltaSchema.from_arrow(schema).fields if field.name not in known]
        if added:
            delta.alter.add_columns(added)
        return delta

    def _open(self, table: str) -> DeltaTable:
        return DeltaTable(self.uri(table), storage_options=self._storage_options)


def _tidy(delta: DeltaTable, column: str, since: datetime) -> None:
    delta.delete(f"{column} < {_literal(since.astimezone(UTC).isoformat())}")
    delta.optimize.compact()
    delta.vacuum(dry_run=False)
    delta.create_checkpoint()
    delta.cleanup_metadata()


def _purge(delta: DeltaTable) -> None:
    # In full: with the files, too, of a writer that was killed before it committed them.
    delta.vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False, full=True)
    # The log says of every file the first letters of the least and the greatest value of each column, titles and texts
    # among them (Delta's protocol, "Per-file Statistics"): it goes, too, but for a checkpoint of what stands. How long
    # it is kept else is the table's own property; without a pause in between nothing is removed.
    kept = {name: delta.metadata().configuration.get(name, standard) for name, standard in _KEPT.items()}
    delta.alter.set_table_properties(dict.fromkeys(_KEPT, _NOT_KEPT))
    delta.update_incremental()
    delta.create_checkpoint()
    delta.cleanup_metadata()
    restored = {name: _KEPT[name] if value == _NOT_KEPT else value for name, value in kept.items()}
    delta.alter.set_table_properties(restored)


def _values(row: Mapping[str, object], columns: Sequence[str]) -> Values:
    # Nothing where a table of an earlier version lacks the column.
    return tuple(row.get(column) for column in columns)


def _differ(columns: Sequence[str]) -> str:
    # Parentheses: without them this DISTINCT takes the OR for part of its right side.
    return " OR ".join(f"(t.{column} IS DISTINCT FROM s.{column})" for column in columns)


def _counts(before: dict[str, Values], after: dict[str, Values], complete: bool) -> MergeCounts:
    shared = before.keys() & after.keys()
    changed = sum(before[key] != after[key] for key in shared)
    return MergeCounts(
        new=len(after.keys() - before.keys()),
        changed=changed,
        unchanged=len(shared) - changed,
        removed=len(before.keys() - after.keys()) if complete else 0,
    )


def _literal(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
