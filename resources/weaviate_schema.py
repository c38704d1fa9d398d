"""Our rows in Weaviate's terms: the server's address, names of collections, properties, ids, filters. No connection."""

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pyarrow as pa

from resources.errors import ConfigurationError, StorageError
from resources.vector_store import CONTENTS, Filters

if TYPE_CHECKING:
    from weaviate.collections.classes.config import Property
    from weaviate.collections.classes.filters import _Filters

# One collection holds what is being written, a tenant per author; each snapshot has a collection of its own.
HEAD = "TwinHead"
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,100}")

# Kept beside our columns: which chunks were written together, how many they are, and when (microseconds, UTC).
GENERATION, SIZE, WRITTEN = BOOKKEEPING = ("generation", "generation_size", "written")
_SEARCHED = "indexed_text"
_FILTERED = ("chunk_id", "document_id", "embedding_key", "category", "platform", "language", "tags")


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server listens for REST and for gRPC; the two are never one port of one host."""

    host: str
    port: int
    grpc_host: str
    grpc_port: int
    secure: bool

    @classmethod
    def parse(cls, address: str) -> "Address":
        """Read `weaviate://host:8080?grpc=50051`; raises `ConfigurationError`.

        `weaviates://` is for TLS, `?grpc=host:port` for a host of its own, as in Weaviate's cloud.
        """
        parts = urlsplit(address)
        secure = parts.scheme == "weaviates"
        if parts.scheme not in ("weaviate", "weaviates") or not parts.hostname:
            raise _refused("it names no server")
        if parts.username or parts.password:
            raise _refused("it holds a user or a key")
        options = parse_qs(parts.query)
        grpc = urlsplit(f"//{_with_port(options.pop('grpc', ['50051'])[0])}")
        if options or parts.path not in ("", "/"):
            raise _refused("there is more in it than hosts and ports")
        try:
            port, grpc_port = parts.port or (443 if secure else 8080), grpc.port or 50051
        except ValueError:
            raise _refused("a port is no number") from None
        read = cls(parts.hostname, port, grpc.hostname or parts.hostname, grpc_port, secure)
        if (read.host, read.port) == (read.grpc_host, read.grpc_port):
            raise _refused("REST and gRPC cannot share a port of one host")
        return read

    def __str__(self) -> str:
        return f"weaviate{'s' if self.secure else ''}://{self.host}:{self.port}?grpc={self.grpc_host}:{self.grpc_port}"


def _with_port(grpc: str) -> str:
    return grpc if ":" in grpc else f":{grpc}"


def _refused(why: str) -> ConfigurationError:
    return ConfigurationError(
        f"the address of the vector store is not understood: {why}",
        where="TWIN_VECTOR_STORE",
        mend="Write weaviate://host:8080?grpc=50051, or weaviates:// for TLS; the key goes into WEAVIATE_API_KEY.",
    )


def alias_of(author: str, snapshot: str) -> str:
    """The alias that makes a snapshot readable: it is given once its collection is whole."""
    if not _NAME.fullmatch(snapshot):
        raise StorageError(f"'{snapshot}' cannot name a snapshot: lower-case letters, digits and hyphens only")
    return f"{_prefix(author)}{snapshot.replace('-', '_')}"


def newest_alias(author: str) -> str:
    """The alias that is switched to each new snapshot."""
    return f"Twin_{author.replace('-', '_')}_Newest"


def build_of(author: str, snapshot: str, written: int, token: str) -> str:
    """Name of a collection being filled; capital words part it, as authors and snapshots have none."""
    return f"{alias_of(author, snapshot)}_Build_{written:016d}_{token}"


def snapshot_of(author: str, alias: str) -> str | None:
    """The snapshot that an alias of this author names, None for every other alias."""
    prefix = _prefix(author)
    is_one = alias.startswith(prefix) and "_Build_" not in alias
    return alias.removeprefix(prefix).replace("_", "-") if is_one else None


def is_build(author: str, collection: str) -> bool:
    """Whether a collection holds a snapshot of this author, whole or not."""
    return collection.startswith(_prefix(author)) and "_Build_" in collection


def built_at(collection: str) -> int:
    """When a collection was begun, in microseconds since 1970."""
    return int(collection.rsplit("_Build_", 1)[1].split("_")[0])


def object_id(chunk: str, generation: str) -> str:
    """Id of a chunk's object: the same content has the same id, so that a write may be repeated."""
    from weaviate.util import generate_uuid5

    return generate_uuid5(chunk, generation)


def generations(rows: pa.Table, written: int) -> dict[str, dict[str, object]]:
    """What is kept with every chunk of a document, by document: the digest of its chunks, their number, the time."""
    chunks: dict[str, list[str]] = defaultdict(list)
    columns = (rows[name].to_pylist() for name in ("document_id", "chunk_id", "document_hash"))
    for document, chunk, digest in zip(*columns, strict=True):
        chunks[document].append(f"{chunk} {digest}")
    return {
        document: {
            GENERATION: hashlib.sha256("\n".join(sorted(its)).encode()).hexdigest()[:24],
            SIZE: len(its),
            WRITTEN: written,
        }
        for document, its in chunks.items()
    }


def whole(objects: Iterable[Mapping[str, Any]]) -> dict[str, str | None]:
    """For each document its newest generation that is there to the last chunk, None if none is.

    Weaviate has no transactions: so a document counts as written when its last chunk has arrived, and until then the
    one before is read.
    """
    found: Counter[tuple[str, str]] = Counter()
    about: dict[tuple[str, str], tuple[int, int]] = {}
    for each in objects:
        key = (each["document_id"], each[GENERATION])
        found[key] += 1
        about[key] = (int(each[WRITTEN]), int(each[SIZE]))
    newest: dict[str, str | None] = dict.fromkeys(document for document, _ in found)
    for (document, generation), (_, size) in sorted(about.items(), key=lambda item: item[1][0]):
        if found[document, generation] == size:
            newest[document] = generation
    return newest


def is_read(each: Mapping[str, Any], newest: Mapping[str, str | None]) -> bool:
    """Whether an object belongs to what `whole` found."""
    return newest[each["document_id"]] == str(each[GENERATION])


def properties(schema: pa.Schema) -> "list[Property]":
    """The collection's properties for the columns of our rows."""
    from weaviate.classes.config import DataType, Property

    ours = [_property(field) for field in schema if field.name != "vector"]
    return [
        *ours,
        _property(pa.field(GENERATION, pa.string())),
        *(Property(name=name, data_type=DataType.INT) for name in (SIZE, WRITTEN)),
    ]


def server_filter(filters: Filters) -> "_Filters | None":
    """The filters as Weaviate's; None if they let everything through. An empty tuple must be caught before."""
    from weaviate.classes.query import Filter

    within = (
        ("category", filters.categories), ("platform", filters.platforms), ("language", filters.languages),
        ("tags", filters.tags and [tag.lower() for tag in filters.tags]),
    )  # fmt: skip
    parts = [Filter.by_property(name).contains_any(list(values)) for name, values in within if values is not None]
    if filters.published_after is not None:
        parts.append(Filter.by_property("published_at").greater_or_equal(filters.published_after))
    if filters.published_before is not None:
        parts.append(Filter.by_property("published_at").less_than(filters.published_before))
    return Filter.all_of(parts) if parts else None


def nothing_passes(filters: Filters) -> bool:
    """Whether a filter names no value at all: Weaviate refuses an empty list instead of finding nothing."""
    return () in (filters.categories, filters.platforms, filters.languages, filters.tags)


def table_of(rows: Sequence[Mapping[str, Any]], columns: Mapping[str, pa.DataType]) -> pa.Table:
    """Objects' properties as a table; what an object does not have is null."""
    return pa.table({name: pa.array([row.get(name) for row in rows], kind) for name, kind in columns.items()})


def contents_of(objects: Mapping[str, Mapping[str, Any]]) -> pa.Table:
    """What a snapshot is named after, of objects by id."""
    return table_of(list(objects.values()), dict.fromkeys(CONTENTS, pa.string()))


def arrow_type(data_type: str) -> pa.DataType:
    """Our column type for a property's data type."""
    known = {
        "int": pa.int64(), "date": pa.timestamp("us", tz="UTC"), "boolean": pa.bool_(), "number": pa.float64(),
        "text[]": pa.list_(pa.string()),
    }  # fmt: skip
    return known.get(data_type, pa.string())


def _property(field: pa.Field) -> "Property":
    from weaviate.classes.config import DataType, Property, Tokenization

    if pa.types.is_string(field.type) or pa.types.is_large_string(field.type):
        searched = field.name == _SEARCHED
        return Property(
            name=field.name,
            data_type=DataType.TEXT,
            index_searchable=searched,
            index_filterable=field.name in (*_FILTERED, GENERATION),
            # Ids are compared whole; what BM25 looks in is cut into words, without stemming: code is found as written.
            tokenization=Tokenization.WORD if searched else Tokenization.FIELD,
        )
    if field.type == pa.list_(pa.string()):
        return Property(
            name=field.name,
            data_type=DataType.TEXT_ARRAY,
            index_searchable=False,
            index_filterable=field.name in _FILTERED,
            tokenization=Tokenization.FIELD,
        )
    kinds = ((pa.types.is_integer, DataType.INT), (pa.types.is_timestamp, DataType.DATE),
             (pa.types.is_boolean, DataType.BOOL), (pa.types.is_floating, DataType.NUMBER))  # fmt: skip
    kind = next((kind for is_it, kind in kinds if is_it(field.type)), None)
    if kind is None:
        raise StorageError(f"a column of type {field.type} cannot be kept in Weaviate", where=field.name)
    ranged = kind in (DataType.INT, DataType.DATE)
    return Property(name=field.name, data_type=kind, index_filterable=True, index_range_filters=ranged or None)


def _prefix(author: str) -> str:
    return f"Twin_{author.replace('-', '_')}_Snapshot_"
