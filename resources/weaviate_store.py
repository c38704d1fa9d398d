"""The index on a Weaviate server: a tenant per author, a collection per snapshot behind an alias.

What is written goes to one collection, of which only documents that are there to the last chunk are read, since
Weaviate has no transactions. A snapshot is a copy of them in a collection of its own; it can be read from the moment
that it has its alias, which it is given when it has been compared with what it was copied from.
"""

import os
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from resources import weaviate_schema as schema
from resources.errors import StorageError
from resources.vector_store import CONTENTS, sound_vectors
from resources.weaviate_index import MOST, WeaviateIndex, parts, speaking
from resources.weaviate_schema import BOOKKEEPING, GENERATION, HEAD, Address
from resources.weaviate_snapshots import Snapshots, put

if TYPE_CHECKING:
    from weaviate import WeaviateClient
    from weaviate.collections import Collection as Tenant

_ATTEMPTS = 5
# Several chunks may have one embedding key; what a query returns has a limit.
_KEYS = 200


class WeaviateVectorStore:
    """`VectorStore` on a Weaviate server (1.32 or newer, for its aliases)."""

    def __init__(self, address: Address, key: str | None = None) -> None:
        self._address = address
        self._key = key

    @classmethod
    def at(cls, address: str) -> "WeaviateVectorStore":
        """The store at `weaviate://host:8080?grpc=50051`, with the key that WEAVIATE_API_KEY holds."""
        return cls(Address.parse(address), os.environ.get("WEAVIATE_API_KEY"))

    def close(self) -> None:
        """Close the connection, if there is one."""
        if client := self.__dict__.pop("_client", None):
            client.close()

    def document_hashes(self, author: str, category: str) -> dict[str, str]:
        """What each document was embedded from; empty for one that is not there whole: it has to be written anew."""
        rows = [row for row in self._objects(author).values() if row["category"] == category]
        newest = schema.whole(rows)
        hashes = dict.fromkeys(newest, "")
        hashes.update({row["document_id"]: row["document_hash"] for row in rows if schema.is_read(row, newest)})
        return hashes

    def vectors(self, author: str, keys: Collection[str]) -> dict[str, NDArray[np.float32]]:
        """Vectors that exist already, by embedding key."""
        from weaviate.classes.query import Filter

        found: dict[str, NDArray[np.float32]] = {}
        with speaking(self._place(author)):
            tenant = self._head(author)
            if tenant is None:
                return {}
            for some in parts(sorted(keys), _KEYS):
                reply = tenant.query.fetch_objects(
                    filters=Filter.by_property("embedding_key").contains_any(some),
                    limit=MOST,
                    include_vector=True,
                    return_properties=["embedding_key"],
                )
                for each in reply.objects:
                    found[str(each.properties["embedding_key"])] = np.asarray(each.vector["default"], np.float32)
        return found

    def write(self, author: str, rows: pa.Table, replaced: Collection[str]) -> None:
        """Put the documents beside what there is of them, then delete the latter: neither is ever missing."""
        kept: Mapping[str, Mapping[str, object]] = {}
        with speaking(self._place(author)):
            if rows.num_rows:
                vectors = sound_vectors(rows, self._place(author))
                tenant = self._room(author, rows.schema)
                kept = schema.generations(rows, time.time_ns() // 1000)
                plain = rows.drop_columns(["vector"]).to_pylist()
                put(
                    tenant,
                    (
                        {**row, **kept[row["document_id"]], "vector": vector.tolist()}
                        for row, vector in zip(plain, vectors, strict=True)
                    ),
                )
            self._delete(author, replaced, kept)

    def publish(self, author: str, snapshot: str) -> None:
        """Copy the head to a collection of that name; one that exists stays as it is."""
        self.publish_as(author, lambda _: snapshot)

    def publish_as(self, author: str, name: Callable[[pa.Table], str]) -> str:
        """Copy the head to a collection with the name made of its contents."""
        snapshots = self._snapshots(author)
        for _ in range(_ATTEMPTS):
            objects = self._read(author)
            head = self._index(author)
            if head is None or not objects:
                raise StorageError("there is nothing to publish", where=self._place(author))
            contents = schema.contents_of(objects)
            snapshot = name(contents)
            with speaking(self._place(author)):
                build = snapshots.collection(snapshot) or snapshots.build(snapshot, head, objects.keys(), contents)
                if build is not None:
                    snapshots.switch(build)
                    return snapshot
        raise StorageError("others keep writing while it is being copied", where=self._place(author))

    def contents(self, author: str) -> pa.Table:
        """The head's chunks, without text and vectors."""
        return schema.contents_of(self._read(author))

    def rows(self, author: str, category: str, columns: Sequence[str] | None = None) -> pa.Table:
        """The head's chunks of a category; all columns, or those named."""
        head = self._index(author)
        if head is None:
            return pa.table({name: [] for name in columns or ()})
        named = columns or [*(name for name in head.columns if name not in BOOKKEEPING), "vector"]
        keep = {key for key, row in self._read(author).items() if row["category"] == category}
        properties = [name for name in named if name != "vector"]
        return head.table(named, (row for key, row in head.objects(properties, "vector" in named) if key in keep))

    def version(self, author: str) -> int | None:  # noqa: ARG002 - a part of the interface
        """None: Weaviate counts no versions."""
        return None

    def snapshots(self, author: str) -> tuple[str, ...]:
        """Names of the published snapshots, oldest first."""
        with speaking(self._place(author)):
            return self._snapshots(author).names()

    def retire(self, author: str, keep: Collection[str], days: float = 7.0) -> tuple[str, ...]:
        """Drop snapshots that are not in `keep`, not the newest and older than so many days."""
        with speaking(self._place(author)):
            return self._snapshots(author).retire(keep, days)

    def holding(self, author: str, documents: Collection[str]) -> tuple[str, ...]:
        """Names of the published snapshots that hold one of the documents, oldest first."""
        with speaking(self._place(author)):
            return self._snapshots(author).holding(documents)

    def republish(
        self,
        author: str,
        documents: Collection[str],
        snapshots: Mapping[str, Callable[[pa.Table], str]],
        head: Callable[[pa.Table], str],
    ) -> dict[str, str]:
        """Copy the snapshots that hold the documents without them; delete them from the head, and publish that."""
        with speaking(self._place(author)):
            renamed = self._snapshots(author).without(documents, snapshots)
            self._delete(author, documents, {})
        if self.contents(author).num_rows:
            self.publish_as(author, head)
        return renamed

    def purge(self, author: str, documents: Collection[str]) -> None:
        """Drop the snapshots that hold the documents, and copies that were begun."""
        with speaking(self._place(author)):
            self._snapshots(author).drop(documents)

    def configuration(self, author: str) -> Mapping[str, str | int | float]:
        """How the head's vectors are indexed."""
        head = self._index(author)
        return head.configuration() if head is not None else {}

    def open(self, author: str, snapshot: str | None = None) -> WeaviateIndex:
        """A snapshot; the newest without a name, since the head may be in the middle of a write."""
        with speaking(self._place(author)):
            build = self._snapshots(author).collection(snapshot)
            if build is not None:
                # The collection, not the alias: an open index stays what it is when the alias is switched.
                return WeaviateIndex(self._client.collections.use(build).with_tenant(author), self._place(author))
            if snapshot is not None and self._head(author):
                raise StorageError(f"there is no snapshot '{snapshot}'", where=self._place(author))
        raise StorageError(
            "nothing has been embedded for this author", where=self._place(author), mend="Run `twin run` first."
        )

    @cached_property
    def _client(self) -> "WeaviateClient":
        import weaviate
        from weaviate.classes.init import Auth

        there = self._address
        with speaking(str(there)):
            return weaviate.connect_to_custom(
                http_host=there.host,
                http_port=there.port,
                http_secure=there.secure,
                grpc_host=there.grpc_host,
                grpc_port=there.grpc_port,
                grpc_secure=there.secure,
                auth_credentials=Auth.api_key(self._key) if self._key else None,
                # They ask the package index which client is newest: nothing leaves the machine that was not asked for.
                skip_init_checks=True,
            )

    def _snapshots(self, author: str) -> Snapshots:
        return Snapshots(self._client, author, self._place(author))

    def _head(self, author: str) -> "Tenant[Any, Any] | None":
        """The author's tenant of what is being written, None if nothing was."""
        head = self._client.collections.use(HEAD)
        is_there = self._client.collections.exists(HEAD) and head.tenants.exists(author)
        return head.with_tenant(author) if is_there else None

    def _index(self, author: str) -> WeaviateIndex | None:
        with speaking(self._place(author)):
            tenant = self._head(author)
        return WeaviateIndex(tenant, self._place(author)) if tenant else None

    def _room(self, author: str, columns: pa.Schema) -> "Tenant[Any, Any]":
        """The author's tenant, with a property for every column; refuses vectors of another length."""
        tenant = self._snapshots(author).create(HEAD, columns)
        known = {each.name for each in tenant.config.get(simple=True).properties}
        for each in schema.properties(columns):
            if each.name not in known:
                tenant.config.add_property(each)
        some = tenant.query.fetch_objects(limit=1, include_vector=True).objects
        given = columns.field("vector").type.list_size
        have = len(some[0].vector["default"]) if some else given
        if have != given:
            raise StorageError(
                f"the index holds vectors of {have} numbers, the embedding model makes {given}",
                where=self._place(author),
                mend="Go back to the model it was made with, or use another server for the new one.",
            )
        return tenant

    def _delete(self, author: str, replaced: Collection[str], kept: Mapping[str, Mapping[str, object]]) -> None:
        """Drop every chunk of these documents but those that were just put."""
        from weaviate.classes.query import Filter

        tenant = self._head(author) if replaced else None
        if tenant is None:
            return
        for some in parts(sorted(replaced), _KEYS):
            where = Filter.by_property("document_id").contains_any(some)
            if generations := [str(kept[each][GENERATION]) for each in some if each in kept]:
                where = Filter.all_of([where, *(Filter.by_property(GENERATION).not_equal(it) for it in generations)])
            # A server deletes no more at once than it would return.
            while tenant.data.delete_many(where).matches >= MOST:
                pass

    def _objects(self, author: str) -> dict[str, dict[str, Any]]:
        head = self._index(author)
        return dict(head.objects([*CONTENTS, *BOOKKEEPING])) if head is not None else {}

    def _read(self, author: str) -> dict[str, dict[str, Any]]:
        """Objects by id, of each document its newest generation that is whole; without text and vectors."""
        objects = self._objects(author)
        newest = schema.whole(objects.values())
        return {key: row for key, row in objects.items() if schema.is_read(row, newest)}

    def _place(self, author: str) -> str:
        return f"{self._address}, author {author}"
