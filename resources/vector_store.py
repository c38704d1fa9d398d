"""What search needs of a vector store, whatever stands behind it: chunks of an author, published as snapshots."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from resources.errors import StorageError

# What a snapshot is named after.
CONTENTS = ("chunk_id", "document_id", "document_hash", "embedding_key", "category")

# What comes back with a hit; the rest is searched in or filtered on.
RETURNED = (
    "chunk_id", "document_id", "category", "platform", "url", "title", "context", "start", "end", "ordinal", "text",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Filters:
    """Which chunks may be found; None means any. `published_after` is inclusive, `published_before` is not.

    `languages` are natural ones of prose and programming languages of code; a chunk passes `tags` that has one of them.
    """

    categories: tuple[str, ...] | None = None
    platforms: tuple[str, ...] | None = None
    published_after: datetime | None = None
    published_before: datetime | None = None
    languages: tuple[str, ...] | None = None
    tags: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Hit:
    """One row found, with its score: higher is better, comparable within one result only."""

    row: dict[str, Any]
    score: float


class Index(Protocol):
    """A snapshot opened for reading."""

    def dense(self, vector: Collection[float], k: int, filters: Filters) -> list[Hit]:
        """The k nearest chunks by cosine similarity."""
        ...

    def text(self, query: str, k: int, filters: Filters) -> list[Hit]:
        """The k best chunks by BM25."""
        ...

    def neighbours(self, document: str, first: int, last: int) -> list[dict[str, Any]]:
        """A document's chunks whose ordinals are from `first` to `last`, both included, in order."""
        ...

    def rows(self, columns: Sequence[str], chunks: Collection[str] | None = None) -> pa.Table:
        """Columns of all chunks, or of those whose ids are given."""
        ...

    def count(self) -> int:
        """How many chunks the snapshot holds."""
        ...

    def configuration(self) -> Mapping[str, str | int | float]:
        """How vectors are indexed, as it was recorded with the snapshot."""
        ...


class VectorStore(Protocol):
    """Chunks with vectors of many authors, each author's apart."""

    def document_hashes(self, author: str, category: str) -> dict[str, str]:
        """What each indexed document was embedded from, by document id; not its hash if it has to be written anew."""
        ...

    def vectors(self, author: str, keys: Collection[str]) -> dict[str, NDArray[np.float32]]:
        """Vectors that exist already, by embedding key."""
        ...

    def write(self, author: str, rows: pa.Table, replaced: Collection[str]) -> None:
        """Put the rows, which hold their documents whole, and drop every other chunk of the documents `replaced`.

        No reader sees part of a document; raises `StorageError` before anything is written if a vector is no vector.
        """
        ...

    def publish(self, author: str, snapshot: str) -> None:
        """Make the head readable under a name, for good."""
        ...

    def publish_as(self, author: str, name: Callable[[pa.Table], str]) -> str:
        """Make the head readable under the name that `contents` give it, which it returns."""
        ...

    def contents(self, author: str) -> pa.Table:
        """The head's chunks: `chunk_id`, `document_id`, `document_hash`, `embedding_key`, `category`."""
        ...

    def rows(self, author: str, category: str, columns: Sequence[str] | None = None) -> pa.Table:
        """The head's chunks of a category; all columns, or those named."""
        ...

    def version(self, author: str) -> int | None:
        """A number that grows with every write, None if there is nothing or the store counts none."""
        ...

    def snapshots(self, author: str) -> tuple[str, ...]:
        """Names of the published snapshots, oldest first."""
        ...

    def retire(self, author: str, keep: Collection[str], days: float = 7.0) -> tuple[str, ...]:
        """Drop the snapshots that are not in `keep`, not the newest and older than so many days; returns their names.

        `keep` has to name every snapshot that a release refers to: one may be rolled back to.
        """
        ...

    def holding(self, author: str, documents: Collection[str]) -> tuple[str, ...]:
        """Names of the published snapshots that hold one of the documents, oldest first."""
        ...

    def republish(
        self,
        author: str,
        documents: Collection[str],
        snapshots: Mapping[str, Callable[[pa.Table], str]],
        head: Callable[[pa.Table], str],
    ) -> dict[str, str]:
        """Publish snapshots, and the head, without the documents, each under a name made of what is left of it.

        Returns the new names by the old ones, of those alone that go with `purge`. What is named newly must not be
        called as it was before. Only where nobody is writing; a process that was killed is gone on from.
        """
        ...

    def purge(self, author: str, documents: Collection[str]) -> None:
        """Drop what holds the documents after `republish`: for good, whoever may still be reading it."""
        ...

    def open(self, author: str, snapshot: str | None = None) -> Index:
        """A snapshot for reading; raises `StorageError` if it is not there.

        Without a name: the newest state that is whole, which a store without versions has only when it is published.
        """
        ...


def matrix(column: pa.FixedSizeListArray) -> NDArray[np.float32]:
    """A column of vectors as an array, shape (rows, dimension); rows that are null are left out."""
    numbers: NDArray[np.float32] = column.flatten().to_numpy(zero_copy_only=False)
    return numbers.reshape(-1, column.type.list_size)


def sound_vectors(rows: pa.Table, where: str) -> NDArray[np.float32]:
    """The rows' vectors as a matrix; raises `StorageError` naming chunks whose vector has no direction.

    One NaN would make the distances to a whole partition of an index NaN.
    """
    column = rows["vector"].combine_chunks()
    vectors = matrix(column)
    if column.null_count or len(vectors) != rows.num_rows:
        raise StorageError("a chunk has no vector", where=where)
    norms = np.linalg.norm(vectors, axis=1)
    wrong = [rows["chunk_id"][int(at)].as_py() for at in np.flatnonzero(~(np.isfinite(norms) & (norms > 0)))]
    if wrong:
        raise StorageError(
            f"{len(wrong)} of {rows.num_rows} vectors are zero or hold NaN or infinity, the first of chunk {wrong[0]}",
            where=where,
            mend="Nothing was written. The embedding model is broken, or its precision does not hold for these texts.",
        )
    return vectors
