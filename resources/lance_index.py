"""One version of a Lance table, opened for reading: vectors, full text, filters."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from resources.errors import StorageError
from resources.lance_flat import IN_MEMORY, FlatVectors
from resources.lance_rows import LanceRows
from resources.lance_searches import LanceSearches
from resources.lance_vectors import VectorIndex, probes_for, recorded
from resources.lance_words import searched_column
from resources.vector_store import RETURNED, Filters, Hit

if TYPE_CHECKING:
    from lancedb.table import Table


# Dates can be asked for in any number of ways.
_REMEMBERED = 256


class LanceIndex:
    """`Index` on one version of a Lance table."""

    def __init__(self, table: "Table", searches: LanceSearches) -> None:
        self._table = table
        self._searches = searches
        self._rows = LanceRows(table)
        self._shares: dict[str, float] = {}

    def dense(self, vector: Collection[float], k: int, filters: Filters) -> list[Hit]:
        """The k nearest chunks by cosine similarity; exactly, unless the snapshot has a vector index."""
        if len(vector) != self._dimension:
            raise StorageError(
                f"the question has a vector of {len(vector)} numbers, the index of {self._dimension}",
                mend="It was embedded by another model: go back to it, or give the new one a TWIN_HOME of its own.",
            )
        if self._flat is not None:
            ids, cosines = self._flat.nearest(np.asarray(vector, np.float32), k, self._condition(filters))
            return [Hit(row, cosine) for row, cosine in zip(self._rows.take(ids), cosines, strict=True)]
        condition = self._condition(filters)
        probes = probes_for(self._vectors, self._share(condition)) if self._vectors.probes else 0
        ids, distances = self._searches.near(
            np.asarray(vector, np.float32), k, condition, probes=probes, refine=self._vectors.refine
        )
        return [Hit(row, 1.0 - distance) for row, distance in zip(self._rows.take(ids), distances, strict=True)]

    def text(self, query: str, k: int, filters: Filters) -> list[Hit]:
        """The k best chunks by BM25 over context and text."""
        if not query.strip():
            return []
        # Half a surrogate pair, which JSON can spell, is no text to Lance.
        words = query.encode(errors="replace").decode()
        ids, scores = self._searches.holding(words, self._searched, k, self._condition(filters))
        return [Hit(row, score) for row, score in zip(self._rows.take(ids), scores, strict=True)]

    def neighbours(self, document: str, first: int, last: int) -> list[dict[str, Any]]:
        """A document's chunks whose ordinals are from `first` to `last`, both included, in order."""
        rows = self._rows.of_document(document, first, last)
        if rows is None:
            where = f"{equals('document_id', document)} AND ordinal >= {first:d} AND ordinal <= {last:d}"
            rows = self._table.search().where(where).select(list(RETURNED)).to_list()
        return sorted(rows, key=lambda row: int(row["ordinal"]))

    def rows(self, columns: Sequence[str], chunks: Collection[str] | None = None) -> pa.Table:
        """Columns of all chunks, or of those whose ids are given."""
        query = self._table.search()
        return (query if chunks is None else query.where(is_in("chunk_id", chunks))).select(list(columns)).to_arrow()

    def count(self) -> int:
        """How many chunks the version holds."""
        return int(self._table.count_rows())

    def configuration(self) -> Mapping[str, str | int | float]:
        """How vectors are indexed, as it was recorded with the version."""
        return self._vectors.as_metadata()

    @cached_property
    def _flat(self) -> FlatVectors | None:
        """For a table without vector index that fits into memory."""
        return FlatVectors(self._table) if not self._vectors.probes and self.count() <= IN_MEMORY else None

    @cached_property
    def _searched(self) -> str:
        return searched_column(self._table.schema)

    @cached_property
    def _dimension(self) -> int:
        return int(self._table.schema.field("vector").type.list_size)

    @cached_property
    def _vectors(self) -> VectorIndex:
        return recorded(self._table)

    def _share(self, condition: str) -> float:
        """Which share of the chunks passes. Counted once: the version does not change."""
        if not condition:
            return 1.0
        if condition not in self._shares:
            if len(self._shares) >= _REMEMBERED:
                self._shares.clear()
            self._shares[condition] = self._table.count_rows(condition) / max(self.count(), 1)
        return self._shares[condition]

    def _condition(self, filters: Filters) -> str:
        asked = {"language": filters.languages, "tags": filters.tags}
        for column in (name for name, values in asked.items() if values is not None):
            if column not in self._table.schema.names:
                raise StorageError(
                    f"the snapshot does not record its chunks' {column}",
                    mend="It was embedded by an earlier version: run `twin run` and release again.",
                )
        return condition(filters)


def condition(filters: Filters) -> str:
    """The filters as an SQL condition, empty if they let everything through."""
    parts = []
    if filters.categories is not None:
        parts.append(is_in("category", filters.categories))
    if filters.platforms is not None:
        parts.append(is_in("platform", filters.platforms))
    if filters.languages is not None:
        parts.append(is_in("language", filters.languages))
    if filters.tags is not None:
        parts.append(has_any("tags", filters.tags))
    if filters.published_after is not None:
        parts.append(f"published_at >= timestamp '{_instant(filters.published_after)}'")
    if filters.published_before is not None:
        parts.append(f"published_at < timestamp '{_instant(filters.published_before)}'")
    return " AND ".join(parts)


def equals(column: str, value: str) -> str:
    """An SQL condition; quotes in the value are doubled."""
    return f"{column} = '{value.replace(chr(39), chr(39) * 2)}'"


def is_in(column: str, values: Collection[str]) -> str:
    """An SQL condition; no values, nothing found."""
    return f"{column} IN ({_quoted(values)})" if values else "false"


def has_any(column: str, values: Collection[str]) -> str:
    """An SQL condition on a column of lists of lower-case words; no values, nothing found."""
    return f"array_has_any({column}, [{_quoted({value.lower() for value in values})}])" if values else "false"


def _quoted(values: Collection[str]) -> str:
    return ", ".join("'" + value.replace("'", "''") + "'" for value in sorted(values))


def _instant(moment: datetime) -> str:
    return moment.isoformat(sep=" ", timespec="microseconds")
