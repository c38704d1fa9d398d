"""The embedded snapshot and serving index on LanceDB: one table per author, versions tagged.

A snapshot is a tagged version: readers that opened it keep seeing it while the head moves on, and Lance's clean-up
refuses tagged versions.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from resources import lance_forget
from resources.contention import insist
from resources.errors import StorageError
from resources.lance_forget import Name
from resources.lance_index import LanceIndex, equals, is_in
from resources.lance_searches import LanceSearches
from resources.lance_upkeep import RESERVED, give_back, tend, untag
from resources.lance_vectors import recorded
from resources.lance_words import SEARCHED, searchable, take_up
from resources.vector_store import CONTENTS, matrix, sound_vectors

if TYPE_CHECKING:
    from lancedb import DBConnection
    from lancedb.table import Table

# Two MERGEs that insert the same new chunk at once are told apart only where it is the table's primary key: else both
# insert it (lance-format/lance#4585; seen with 2 processes on 0.40: 600 rows of 300 chunks).
_KEY, _PRIMARY = "chunk_id", b"lance-schema:unenforced-primary-key:position"
# More keys than that are not named in a query, whose text would be parsed for longer than the table is read.
_NAMED = 1_000
# ENOSPC, EDQUOT and EFBIG as Rust words them; Lance's Python errors have no class of their own.
_DISK_FULL = ("os error 28", "os error 122", "os error 27", "no space left", "file too large")


class LanceVectorStore:
    """`VectorStore` on LanceDB: a folder, or `s3://bucket/prefix`."""

    def __init__(self, root: str) -> None:
        self._root = root

    @cached_property
    def _connection(self) -> "DBConnection":
        # Imported here: it is a third of what loading the code location would cost, in every process that loads it.
        import lancedb

        # No read_consistency_interval, on purpose: an opened table stays at its version, so that what is named is what
        # is tagged. Whoever wants the newest state opens the table anew, as every method here does.
        return lancedb.connect(self._root)

    def document_hashes(self, author: str, category: str) -> dict[str, str]:
        """What each indexed document was embedded from, by document id; empty for one that two runs wrote at once."""
        table = self._table(author)
        if table is None:
            return {}
        rows = table.search().where(equals("category", category)).select(["document_id", "document_hash"]).to_arrow()
        hashes: dict[str, str] = {}
        for document, digest in zip(rows["document_id"].to_pylist(), rows["document_hash"].to_pylist(), strict=True):
            hashes[document] = digest if hashes.get(document, digest) == digest else ""
        return hashes

    def vectors(self, author: str, keys: Collection[str]) -> dict[str, NDArray[np.float32]]:
        """Vectors that exist already, by embedding key."""
        table = self._table(author)
        if table is None or not keys:
            return {}
        query = table.search().select(["embedding_key", "vector"])
        if len(keys) <= _NAMED:
            query = query.where(is_in("embedding_key", keys))
        wanted, found = pa.array(keys, pa.string()), dict[str, NDArray[np.float32]]()
        for batch in query.to_batches():
            some = batch.filter(pc.is_in(batch["embedding_key"], wanted))
            found.update(zip(some["embedding_key"].to_pylist(), matrix(some["vector"]), strict=True))
        return found

    def write(self, author: str, rows: pa.Table, replaced: Collection[str]) -> None:
        """One commit by MERGE; the table is created at the first write."""
        if rows.num_rows:
            sound_vectors(rows, self._place(author))
        with self._disk(author):
            insist(lambda: self._write(author, rows, replaced))

    def publish(self, author: str, snapshot: str) -> None:
        """Bring indices up to date and tag the version; a tag that exists stays where it is."""
        self.publish_as(author, lambda _: snapshot)

    def publish_as(self, author: str, name: Callable[[pa.Table], str]) -> str:
        """Bring indices up to date, and tag the version with the name made of its contents."""
        with self._disk(author):
            table = insist(lambda: self._tended(author))
            # The handle stays at its version: what is named is what is tagged, whatever others write meanwhile.
            snapshot = name(_contents(table))
            if snapshot not in table.tags.list():
                _tag(table, snapshot)
        return snapshot

    def contents(self, author: str) -> pa.Table:
        """The head's chunks, without text and vectors."""
        table = self._table(author)
        return (
            _contents(table) if table is not None else pa.table({name: pa.array([], pa.string()) for name in CONTENTS})
        )

    def rows(self, author: str, category: str, columns: Sequence[str] | None = None) -> pa.Table:
        """The head's chunks of a category; all columns, or those named."""
        table = self._table(author)
        if table is None:
            return pa.table({name: [] for name in columns or ()})
        query = table.search().where(equals("category", category))
        every = [name for name in table.schema.names if name != SEARCHED]
        return query.select(list(columns or every)).to_arrow()

    def version(self, author: str) -> int | None:
        """The head's version, None if there is no table."""
        table = self._table(author)
        return int(table.version) if table is not None else None

    def snapshots(self, author: str) -> tuple[str, ...]:
        """Names of the published snapshots, oldest version first."""
        table = self._table(author)
        tags = table.tags.list() if table is not None else {}
        return tuple(sorted(tags.keys() - RESERVED, key=lambda name: tags[name]["version"]))

    def retire(self, author: str, keep: Collection[str], days: float = 7.0) -> tuple[str, ...]:
        """Drop the tags that are not in `keep`, not the newest and older than so many days, and what only they held."""
        if self._table(author) is None:
            return ()
        with self._disk(author):
            gone = insist(lambda: untag(self._opened(author), keep, days))
            if gone:
                insist(lambda: give_back(self._opened(author)))
        return gone

    def holding(self, author: str, documents: Collection[str]) -> tuple[str, ...]:
        """Names of the published snapshots that hold one of the documents, oldest version first."""
        if self._table(author) is None:
            return ()
        return tuple(
            name for name in lance_forget.holding(lambda: self._opened(author), documents) if name not in RESERVED
        )

    def republish(
        self, author: str, documents: Collection[str], snapshots: Mapping[str, Name], head: Name
    ) -> dict[str, str]:
        """Write the snapshots and the head anew: all of them, for the old versions' files have to go as a whole."""
        if self._table(author) is None or not lance_forget.is_held(lambda: self._opened(author), documents):
            return {}
        with self._disk(author):
            return lance_forget.rewrite(lambda: self._opened(author), documents, snapshots, head)

    def purge(self, author: str, documents: Collection[str]) -> None:  # noqa: ARG002 - they are in what goes
        """Drop every version that `republish` has not written."""
        if self._table(author) is not None:
            lance_forget.purge(lambda: self._opened(author))

    def configuration(self, author: str) -> Mapping[str, str | int | float]:
        """How the head's vectors are indexed."""
        table = self._table(author)
        return recorded(table).as_metadata() if table is not None else {}

    def open(self, author: str, snapshot: str | None = None) -> LanceIndex:
        """A table of its own, checked out at the tag: later writes do not reach it."""
        table = self._opened(author)
        if snapshot is not None:
            if snapshot not in table.tags.list():
                raise StorageError(f"there is no snapshot '{snapshot}'", where=self._place(author))
            table.checkout(snapshot)
        return LanceIndex(table, LanceSearches(self._root, author, table.version))

    def _write(self, author: str, rows: pa.Table, replaced: Collection[str]) -> None:
        rows = searchable(rows.cast(_keyed(rows.schema)))
        table = self._table(author)
        if table is None:
            table = self._connection.create_table(author, schema=rows.schema, exist_ok=True)
        if rows.num_rows:
            self._fit(author, table, rows.schema)
            merge = table.merge_insert(_KEY).when_matched_update_all().when_not_matched_insert_all()
            if replaced:
                merge = merge.when_not_matched_by_source_delete(is_in("document_id", replaced))
            merge.execute(rows)
        elif replaced:
            table.delete(is_in("document_id", replaced))

    def _fit(self, author: str, table: "Table", schema: pa.Schema) -> None:
        """Refuse vectors of another length; take up columns that an earlier version did not have, empty."""
        have, given = table.schema.field("vector").type, schema.field("vector").type
        if have != given:
            raise StorageError(
                f"the index holds vectors of type {have}, the embedding model makes {given}",
                where=self._place(author),
                mend="Go back to the model it was made with, or give the new one a TWIN_HOME of its own.",
            )
        take_up(table)
        if new := [field.with_nullable(True) for field in schema if field.name not in table.schema.names]:
            table.add_columns(pa.schema(new))
        key = table.schema.field(_KEY)
        if _PRIMARY not in (key.metadata or {}) and not key.nullable:
            table.set_unenforced_primary_key(_KEY)

    def _tended(self, author: str) -> "Table":
        table = self._table(author)
        if table is None:
            raise StorageError("there is nothing to publish", where=self._place(author))
        tend(table)
        return table

    def _opened(self, author: str) -> "Table":
        table = self._table(author)
        if table is None:
            raise StorageError(
                "nothing has been embedded for this author", where=self._place(author), mend="Run `twin run` first."
            )
        return table

    def _table(self, author: str) -> "Table | None":
        if author not in self._connection.list_tables().tables:
            return None
        try:
            return self._connection.open_table(author)
        except ValueError as error:
            # Its folder is there before its first version is: another process is making it, or was killed doing so.
            if "not found" not in str(error).lower():
                raise
            return None

    def _place(self, author: str) -> str:
        return f"{self._root}/{author}"

    @contextmanager
    def _disk(self, author: str) -> Iterator[None]:
        """Say that the disk is full where Lance says that an object store failed."""
        try:
            yield
        except (OSError, RuntimeError) as error:
            if not any(sign in str(error).lower() for sign in _DISK_FULL):
                raise
            raise StorageError(
                "the disk is full, or a limit on the size of files is reached; the table is as it was",
                where=self._place(author),
                mend="Make room and run again.",
            ) from error


def _keyed(schema: pa.Schema) -> pa.Schema:
    key = schema.get_field_index(_KEY)
    return schema.set(key, schema.field(key).with_nullable(False).with_metadata({_PRIMARY: b"1"}))


def _contents(table: "Table") -> pa.Table:
    return table.search().select(list(CONTENTS)).to_arrow()


def _tag(table: "Table", snapshot: str) -> None:
    try:
        table.tags.create(snapshot, table.version)
    except (RuntimeError, ValueError):
        if snapshot not in table.tags.list():  # else another process has given the same contents their name
            raise
