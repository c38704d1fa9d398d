"""The searches of one version of a Lance table, each with one crossing to LanceDB's event loop.

The blocking interface crosses to that loop and back nine times a search. At 200,000 chunks, lancedb 0.40: by vector
7.4 ms of processor time with it and 4.5 without, by words 5.1 and 2.8.
"""

from collections.abc import Coroutine
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

if TYPE_CHECKING:
    from lancedb.query import AsyncFTSQuery, AsyncVectorQuery
    from lancedb.table import AsyncTable

T = TypeVar("T")


class LanceSearches:
    """Row ids and scores of what is near a vector, or holds words; `condition` is SQL, empty for all rows."""

    def __init__(self, root: str, table: str, version: int) -> None:
        self._table = _run(_opened(root, table, version))

    def near(
        self, vector: NDArray[np.float32], k: int, condition: str, *, probes: int = 0, refine: int = 0
    ) -> tuple[list[int], list[float]]:
        """The k nearest by cosine distance, nearest first, and their distances."""
        # Cosine has to be named: LanceDB's default is L2.
        query = self._table.query().nearest_to(vector).column("vector").distance_type("cosine")
        query = query.nprobes(probes) if probes else query
        query = query.refine_factor(refine) if refine else query
        return self._found(query, k, condition, "_distance")

    def holding(self, words: str, column: str, k: int, condition: str) -> tuple[list[int], list[float]]:
        """The k best by BM25 in a column, best first, and their scores."""
        from lancedb.query import MatchQuery

        # Not as a string: one in quotes would be taken for a phrase, and fail.
        return self._found(self._table.query().nearest_to_text(MatchQuery(words, column)), k, condition, "_score")

    def _found(
        self, query: "AsyncVectorQuery | AsyncFTSQuery", k: int, condition: str, score: str
    ) -> tuple[list[int], list[float]]:
        # A condition holds before the search, not after it, unless `postfilter` is called.
        asked = query.where(condition) if condition else query
        found: pa.Table = _run(asked.select([score]).with_row_id().limit(k).to_arrow())
        return found["_rowid"].to_pylist(), found[score].to_pylist()


async def _opened(root: str, name: str, version: int) -> "AsyncTable":
    from lancedb import connect_async

    # As in lance_store: no read_consistency_interval, so that the table stays at its version.
    table = await (await connect_async(root)).open_table(name)
    await table.checkout(version)
    return table


def _run(work: Coroutine[object, object, T]) -> T:
    # LanceDB's loop and not one of ours: it is there once, and made anew in a process that was forked.
    from lancedb.background_loop import LOOP

    given: T = LOOP.run(work)
    return given
