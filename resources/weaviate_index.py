"""Reading one tenant of one Weaviate collection."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from resources.errors import StorageError
from resources.vector_store import RETURNED, Filters, Hit
from resources.weaviate_schema import arrow_type, nothing_passes, server_filter, table_of

if TYPE_CHECKING:
    from weaviate.collections import Collection as Tenant

# What a server returns to one query is limited to QUERY_MAXIMUM_RESULTS: 10,000 unless it is told otherwise.
MOST = 10_000
# Objects asked for at once when all are read: with vectors of 384 numbers some 4 MB.
_PAGE = 1_000


class WeaviateIndex:
    """`Index` on an author's tenant of a collection."""

    def __init__(self, tenant: "Tenant[Any, Any]", place: str) -> None:
        self._tenant = tenant
        self._place = place

    def dense(self, vector: Collection[float], k: int, filters: Filters) -> list[Hit]:
        """The k nearest chunks by cosine similarity, as HNSW finds them."""
        from weaviate.classes.query import MetadataQuery

        if nothing_passes(filters):
            return []
        with speaking(self._place):
            reply = self._tenant.query.near_vector(
                list(vector),
                limit=k,
                filters=server_filter(filters),
                return_metadata=MetadataQuery(distance=True),
                return_properties=list(RETURNED),
            )
        return [Hit(_row(each.properties), 1.0 - float(each.metadata.distance or 0.0)) for each in reply.objects]

    def text(self, query: str, k: int, filters: Filters) -> list[Hit]:
        """The k best chunks by BM25 over context and text."""
        from weaviate.classes.query import MetadataQuery

        if not any(letter.isalnum() for letter in query) or nothing_passes(filters):
            return []
        with speaking(self._place):
            reply = self._tenant.query.bm25(
                query,
                query_properties=["indexed_text"],
                limit=k,
                filters=server_filter(filters),
                return_metadata=MetadataQuery(score=True),
                return_properties=list(RETURNED),
            )
        return [Hit(_row(each.properties), float(each.metadata.score or 0.0)) for each in reply.objects]

    def neighbours(self, document: str, first: int, last: int) -> list[dict[str, Any]]:
        """A document's chunks whose ordinals are from `first` to `last`, both included, in order."""
        from weaviate.classes.query import Filter

        within = Filter.all_of(
            [
                Filter.by_property("document_id").equal(document),
                Filter.by_property("ordinal").greater_or_equal(first),
                Filter.by_property("ordinal").less_or_equal(last),
            ]
        )
        with speaking(self._place):
            reply = self._tenant.query.fetch_objects(filters=within, limit=MOST, return_properties=list(RETURNED))
        return sorted((_row(each.properties) for each in reply.objects), key=lambda row: int(row["ordinal"]))

    def rows(self, columns: Sequence[str], chunks: Collection[str] | None = None) -> pa.Table:
        """Columns of all chunks, or of those whose ids are given."""
        from weaviate.classes.query import Filter

        properties = [name for name in columns if name != "vector"]
        if chunks is None:
            return self.table(columns, (row for _, row in self.objects(properties, "vector" in columns)))
        found: list[dict[str, Any]] = []
        with speaking(self._place):
            for some in parts(sorted(chunks), 1_000):
                reply = self._tenant.query.fetch_objects(
                    filters=Filter.by_property("chunk_id").contains_any(some),
                    limit=MOST,
                    include_vector="vector" in columns,
                    return_properties=properties,
                )
                found += [_with_vector(each) for each in reply.objects]
        return self.table(columns, found)

    def table(self, columns: Sequence[str], rows: Iterator[dict[str, Any]] | list[dict[str, Any]]) -> pa.Table:
        """Rows as a table of these columns, of the types that our rows have."""
        rows = list(rows)
        kinds = {name: self.columns.get(name, pa.string()) for name in columns}
        if "vector" in kinds:
            kinds["vector"] = pa.list_(pa.float32(), len(rows[0]["vector"]) if rows else 0)
        return table_of(rows, kinds)

    def objects(self, properties: Sequence[str], vectors: bool = False) -> Iterator[tuple[str, dict[str, Any]]]:
        """All objects by id, read with a cursor, page by page; filters cannot be combined with one."""
        with speaking(self._place):
            for each in self._tenant.iterator(
                include_vector=vectors, return_properties=list(properties), cache_size=_PAGE
            ):
                yield str(each.uuid), _with_vector(each)

    @cached_property
    def columns(self) -> Mapping[str, pa.DataType]:
        """What an object may have beside its vector."""
        with speaking(self._place):
            config = self._tenant.config.get(simple=True)
        return {each.name: arrow_type(str(each.data_type.value)) for each in config.properties}

    def count(self) -> int:
        """How many chunks the snapshot holds."""
        with speaking(self._place):
            return int(self._tenant.aggregate.over_all(total_count=True).total_count or 0)

    def configuration(self) -> Mapping[str, str | int | float]:
        """How vectors are indexed."""
        return {"kind": "hnsw", "distance": "cosine", "rows": self.count()}


@contextmanager
def speaking(place: str) -> Iterator[None]:
    """Turn what the client raises into a `StorageError` that says where."""
    from weaviate.exceptions import WeaviateBaseError

    try:
        yield
    except WeaviateBaseError as error:
        raise StorageError(
            f"Weaviate does not do what was asked: {error.message}",
            where=place,
            mend="Look whether the server at TWIN_VECTOR_STORE runs, is 1.32 or newer, and takes WEAVIATE_API_KEY.",
        ) from error


def parts(values: Sequence[str], size: int) -> Iterator[list[str]]:
    """The values, so many at a time."""
    each = iter(values)
    while some := list(islice(each, size)):
        yield some


def _row(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {name: properties.get(name) for name in RETURNED}


def _with_vector(each: Any) -> dict[str, Any]:  # noqa: ANN401 - the client's object, generic in its properties
    return {**each.properties, **({"vector": each.vector["default"]} if each.vector else {})}
