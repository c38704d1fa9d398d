"""The embedded snapshot and serving index on LanceDB: one table per author, versions tagged.

A snapshot is a tagged version: readers that opened it keep seeing it while the head moves on, and Lance's clean-up
refuses tagged versions.
"""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

import pyarrow as pa

from resources.contention import insist
from resources.errors import StorageError
from resources.vector_store import Filters, Hit

if TYPE_CHECKING:
    from lancedb import DBConnection
    from lancedb.table import Table

# FTS is built over `indexed_text`; everything else is returned with a hit or filtered on.
_RETURNED = (
    "chunk_id", "document_id", "category", "platform", "url", "title", "context", "start", "end", "text",
)  # fmt: skip

# What a snapshot is named after.
_CONTENTS = ("chunk_id", "document_id", "document_hash", "embedding_key", "category")


class LanceVectorStore:
    """`VectorStore` on LanceDB: a folder, or `s3://bucket/prefix`."""

    def __init__(self, root: str) -> None:
        self._root = root

    @cached_property
    def _connection(self) -> "DBConnection":
        # Imported here: it is a third of what loading the code location would cost, in every process that loads it.
        import lancedb

        return lancedb.connect(self._root)

    def document_hashes(self, author: str, category: str) -> dict[str, str]:
        """What each indexed document was embedded from, by document id."""
        table = self._table(author)
        if table is None:
            return {}
        rows = table.search().where(_equals("category", category)).select(["document_id", "document_hash"]).to_arrow()
        return dict(zip(rows["document_id"].to_pylist(), rows["document_hash"].to_pylist(), strict=True))

    def vectors(self, author: str, keys: Collection[str]) -> dict[str, list[float]]:
        """Vectors that exist already, by embedding key."""
        table = self._table(author)
        if table is None or not keys:
            return {}
        rows = table.search().where(_is_in("embedding_key", keys)).select(["embedding_key", "vector"]).to_arrow()
        return dict(zip(rows["embedding_key"].to_pylist(), rows["vector"].to_pylist(), strict=True))

    def write(self, author: str, rows: pa.Table, replaced: Collection[str]) -> None:
        """One commit by MERGE; the table is created at the first write."""
        insist(lambda: self._write(author, rows, replaced))

    def publish(self, author: str, snapshot: str) -> None:
        """Index the text and tag the version; a tag that exists stays where it is."""
        self.publish_as(author, lambda _: snapshot)

    def publish_as(self, author: str, name: Callable[[pa.Table], str]) -> str:
        """Index the text, and tag the version with the name made of its contents."""
        table = insist(lambda: self._indexed(author))
        # The handle stays at its version: what is named is what is tagged, whatever others write meanwhile.
        snapshot = name(_contents(table))
        if snapshot not in table.tags.list():
            _tag(table, snapshot)
        return snapshot

    def contents(self, author: str) -> pa.Table:
        """The head's chunks, without text and vectors."""
        table = self._table(author)
        return (
            _contents(table) if table is not None else pa.table({name: pa.array([], pa.string()) for name in _CONTENTS})
        )

    def rows(self, author: str, category: str, columns: Sequence[str] | None = None) -> pa.Table:
        """The head's chunks of a category; all columns, or those named."""
        table = self._table(author)
        if table is None:
            return pa.table({name: [] for name in columns or ()})
        query = table.search().where(_equals("category", category))
        return (query.select(list(columns)) if columns else query).to_arrow()

    def version(self, author: str) -> int | None:
        """The head's version, None if there is no table."""
        table = self._table(author)
        return int(table.version) if table is not None else None

    def snapshots(self, author: str) -> tuple[str, ...]:
        """Names of the published snapshots, oldest version first."""
        table = self._table(author)
        tags = table.tags.list() if table is not None else {}
        return tuple(sorted(tags, key=lambda name: tags[name]["version"]))

    def open(self, author: str, snapshot: str | None = None) -> "LanceIndex":
        """A table of its own, checked out at the tag: later writes do not reach it."""
        table = self._table(author)
        if table is None:
            raise StorageError(
                "nothing has been embedded for this author",
                where=f"{self._root}/{author}",
                mend="Run `twin run` first.",
            )
        if snapshot is not None:
            if snapshot not in table.tags.list():
                raise StorageError(f"there is no snapshot '{snapshot}'", where=f"{self._root}/{author}")
            table.checkout(snapshot)
        return LanceIndex(table)

    def _write(self, author: str, rows: pa.Table, replaced: Collection[str]) -> None:
        table = self._table(author)
        if table is None:
            table = self._connection.create_table(author, schema=rows.schema, exist_ok=True)
        if rows.num_rows:
            self._check_vectors(author, table, rows)
            merge = table.merge_insert("chunk_id").when_matched_update_all().when_not_matched_insert_all()
            if replaced:
                merge = merge.when_not_matched_by_source_delete(_is_in("document_id", replaced))
            merge.execute(rows)
        elif replaced:
            table.delete(_is_in("document_id", replaced))

    def _check_vectors(self, author: str, table: "Table", rows: pa.Table) -> None:
        have, given = table.schema.field("vector").type, rows.schema.field("vector").type
        if have != given:
            raise StorageError(
                f"the index holds vectors of type {have}, the embedding model makes {given}",
                where=f"{self._root}/{author}",
                mend="Go back to the model it was made with, or give the new one a TWIN_HOME of its own.",
            )

    def _indexed(self, author: str) -> "Table":
        """The head, its full-text index covering every row."""
        from lancedb.index import FTS

        table = self._table(author)
        if table is None:
            raise StorageError("there is nothing to publish", where=f"{self._root}/{author}")
        index = next((each for each in table.list_indices() if "indexed_text" in each.columns), None)
        statistics = table.index_stats(index.name) if index else None
        if statistics is None or statistics.num_unindexed_rows:
            # stem and stop words are off: code and names must be found as they are written.
            table.create_index(
                "indexed_text", config=FTS(with_position=False, stem=False, remove_stop_words=False, ascii_folding=True)
            )
        return table

    def _table(self, author: str) -> "Table | None":
        if author not in self._connection.list_tables().tables:
            return None
        return self._connection.open_table(author)


class LanceIndex:
    """`Index` on one version of a Lance table."""

    def __init__(self, table: "Table") -> None:
        self._table = table

    def dense(self, vector: Collection[float], k: int, filters: Filters) -> list[Hit]:
        """The k nearest chunks by cosine similarity, exactly."""
        # No vector index is made yet, so this is exact; cosine, since LanceDB's default is L2.
        query = self._table.search(list(vector), vector_column_name="vector").distance_type("cosine").limit(k)
        if condition := _condition(filters):
            query = query.where(condition, prefilter=True)
        rows = query.select([*_RETURNED, "_distance"]).to_list()
        return [Hit(row, 1.0 - row.pop("_distance")) for row in rows]

    def text(self, query: str, k: int, filters: Filters) -> list[Hit]:
        """The k best chunks by BM25 over context and text."""
        if not query.strip():
            return []
        search = self._table.search(query, query_type="fts", fts_columns="indexed_text").limit(k)
        if condition := _condition(filters):
            search = search.where(condition, prefilter=True)
        rows = search.select([*_RETURNED, "_score"]).to_list()
        return [Hit(row, row.pop("_score")) for row in rows]

    def count(self) -> int:
        """How many chunks the version holds."""
        return int(self._table.count_rows())


def _contents(table: "Table") -> pa.Table:
    return table.search().select(list(_CONTENTS)).to_arrow()


def _tag(table: "Table", snapshot: str) -> None:
    try:
        table.tags.create(snapshot, table.version)
    except (RuntimeError, ValueError):
        if snapshot not in table.tags.list():  # else another process has given the same contents their name
            raise


def _condition(filters: Filters) -> str:
    parts = []
    if filters.categories is not None:
        parts.append(_is_in("category", filters.categories))
    if filters.platforms is not None:
        parts.append(_is_in("platform", filters.platforms))
    if filters.published_after is not None:
        parts.append(f"published_at >= timestamp '{_instant(filters.published_after)}'")
    if filters.published_before is not None:
        parts.append(f"published_at < timestamp '{_instant(filters.published_before)}'")
    return " AND ".join(parts)


def _instant(moment: datetime) -> str:
    return moment.isoformat(sep=" ", timespec="microseconds")


def _equals(column: str, value: str) -> str:
    return f"{column} = '{value.replace(chr(39), chr(39) * 2)}'"


def _is_in(column: str, values: Collection[str]) -> str:
    if not values:
        return "false"
    quoted = ", ".join("'" + value.replace("'", "''") + "'" for value in sorted(values))
    return f"{column} IN ({quoted})"
