"""What comes back with a hit, kept in memory for one version of a Lance table."""

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from resources.vector_store import RETURNED

if TYPE_CHECKING:
    from lancedb.table import Table

# Lance schedules a read for every column of every row: ten hits of eleven columns took 10 ms of processor time at
# 200,000 chunks, finding them 9 ms; of Arrow in memory they take a tenth of a millisecond. They weigh about 1 kB
# a chunk; from this number on they are read from the disk each time.
_IN_MEMORY = 250_000


class LanceRows:
    """Rows by row id. The version that the table is at must not change."""

    def __init__(self, table: "Table") -> None:
        self._table = table

    def take(self, ids: Sequence[int]) -> list[dict[str, Any]]:
        """The rows of these ids, in this order."""
        if not ids:
            return []
        if self._kept is None:
            read = self._table.take_row_ids(list(ids)).select(list(RETURNED)).with_row_id().to_list()
            by_id = {row.pop("_rowid"): row for row in read}
            return [by_id[each] for each in ids]
        known, rows = self._kept
        found: list[dict[str, Any]] = rows.take(np.searchsorted(known, np.asarray(ids, np.uint64))).to_pylist()
        return found

    def of_document(self, document: str, first: int, last: int) -> list[dict[str, Any]] | None:
        """A document's rows whose ordinals are from `first` to `last`; None where they are not kept in memory."""
        if self._kept is None:
            return None
        _, rows = self._kept
        within = pc.and_(pc.greater_equal(rows["ordinal"], first), pc.less_equal(rows["ordinal"], last))
        places = pc.indices_nonzero(pc.and_(pc.equal(rows["document_id"], document), within))
        found: list[dict[str, Any]] = rows.take(places).to_pylist()
        return found

    @cached_property
    def _kept(self) -> tuple[NDArray[np.uint64], pa.Table] | None:
        if self._table.count_rows() > _IN_MEMORY:
            return None
        rows = self._table.search().select(list(RETURNED)).with_row_id(True).to_arrow()
        rows = rows.sort_by("_rowid").combine_chunks()
        return rows["_rowid"].to_numpy(), rows.drop_columns(["_rowid"])
