"""What search needs of a vector store, whatever stands behind it: chunks of an author, published as snapshots."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Filters:
    """Which chunks may be found; None means any."""

    categories: tuple[str, ...] | None = None
    platforms: tuple[str, ...] | None = None
    published_after: datetime | None = None
    published_before: datetime | None = None


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

    def count(self) -> int:
        """How many chunks the snapshot holds."""
        ...


class VectorStore(Protocol):
    """Chunks with vectors of many authors, each author's apart."""

    def document_hashes(self, author: str, category: str) -> dict[str, str]:
        """What each indexed document was embedded from, by document id."""
        ...

    def vectors(self, author: str, keys: Collection[str]) -> dict[str, list[float]]:
        """Vectors that exist already, by embedding key."""
        ...

    def write(self, author: str, rows: pa.Table, replaced: Collection[str]) -> None:
        """In one commit: put the rows, and drop every other chunk of the documents `replaced`."""
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

    def open(self, author: str, snapshot: str | None = None) -> Index:
        """A snapshot for reading (the head without a name); raises `StorageError` if it is not there."""
        ...
