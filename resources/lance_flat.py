"""Exact search over the vectors of one version of a small Lance table, kept in memory."""

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from resources.vector_store import matrix

if TYPE_CHECKING:
    from lancedb.table import Table

# Without an index Lance reads every vector from the disk for each question: 36 ms at 10,000 chunks on a busy machine
# where a product of matrices took 2. Kept in memory they weigh 60 MB at most, with 384 dimensions.
IN_MEMORY = 40_000
# Dates can be asked for in any number of ways.
_REMEMBERED = 64


class FlatVectors:
    """All vectors by row id. The version that the table is at must not change."""

    def __init__(self, table: "Table") -> None:
        self._table = table
        self._passing: dict[str, NDArray[np.intp]] = {}

    def nearest(self, vector: NDArray[np.float32], k: int, condition: str) -> tuple[list[int], list[float]]:
        """Row ids of the k nearest of those that pass the SQL condition, best first, and their cosines."""
        ids, unit = self._unit
        norm = float(np.linalg.norm(vector))
        cosines = unit @ (vector / norm if norm else vector)
        passing = self._passes(condition) if condition else np.arange(len(ids))
        among = cosines[passing]
        best = np.argpartition(-among, k)[:k] if k < len(among) else np.arange(len(among))
        # Ties in the order of the rows, so that the same question has the same answer.
        best = best[np.lexsort((best, -among[best]))]
        return ids[passing[best]].tolist(), among[best].tolist()

    @cached_property
    def _unit(self) -> tuple[NDArray[np.uint64], NDArray[np.float32]]:
        rows = self._table.search().select(["vector"]).with_row_id(True).to_arrow().sort_by("_rowid")
        vectors = matrix(rows["vector"].combine_chunks())
        unit: NDArray[np.float32] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return rows["_rowid"].to_numpy(), unit

    def _passes(self, condition: str) -> NDArray[np.intp]:
        if condition not in self._passing:
            if len(self._passing) >= _REMEMBERED:
                self._passing.clear()
            found = self._table.search().where(condition).select(["chunk_id"]).with_row_id(True).to_arrow()
            self._passing[condition] = np.searchsorted(self._unit[0], np.sort(found["_rowid"].to_numpy()))
        return self._passing[condition]
