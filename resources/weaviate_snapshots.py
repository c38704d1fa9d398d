"""Snapshots on a Weaviate server: a collection each, readable from the moment that it has its alias."""

import secrets
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from resources import weaviate_schema as schema
from resources.errors import StorageError
from resources.parity import parity
from resources.vector_store import CONTENTS
from resources.weaviate_index import WeaviateIndex

if TYPE_CHECKING:
    from weaviate import WeaviateClient
    from weaviate.collections import Collection as Tenant

# About 3 MB with 384 dimensions: far below the 100 MB that a gRPC message may have.
_BATCH = 400
_DAY = 24 * 3600 * 1_000_000


class Snapshots:
    """The snapshots of one author."""

    def __init__(self, client: "WeaviateClient", author: str, place: str) -> None:
        self._client = client
        self._author = author
        self._place = place

    def collection(self, snapshot: str | None) -> str | None:
        """The collection of a snapshot, or of the newest; None if it is not published."""
        alias = schema.newest_alias(self._author) if snapshot is None else schema.alias_of(self._author, snapshot)
        return self._aliases().get(alias)

    def names(self) -> tuple[str, ...]:
        """Names of the published snapshots, oldest first."""
        return tuple(name for _, name in sorted((schema.built_at(build), name) for name, build in self._named()))

    def create(self, collection: str, columns: pa.Schema) -> "Tenant[Any, Any]":
        """A collection for such rows, with a tenant for the author; either may be there already."""
        from weaviate.classes.config import Configure, StopwordsPreset, VectorDistances
        from weaviate.exceptions import UnexpectedStatusCodeError

        if not self._client.collections.exists(collection):
            try:
                self._client.collections.create(
                    collection,
                    properties=schema.properties(columns),
                    vector_config=Configure.Vectors.self_provided(
                        vector_index_config=Configure.VectorIndex.hnsw(distance_metric=VectorDistances.COSINE)
                    ),
                    multi_tenancy_config=Configure.multi_tenancy(enabled=True),
                    # Stop words are left in: the question drops its own, and code is full of them.
                    inverted_index_config=Configure.inverted_index(stopwords_preset=StopwordsPreset.NONE),
                )
            except UnexpectedStatusCodeError:
                if not self._client.collections.exists(collection):
                    raise
        made = self._client.collections.use(collection)
        if not made.tenants.exists(self._author):
            made.tenants.create(self._author)
        return made.with_tenant(self._author)

    def build(self, snapshot: str, head: WeaviateIndex, ids: Collection[str], contents: pa.Table) -> str | None:
        """Copy the head's objects of these ids, compare, and give the copy its alias; None if some are gone by now."""
        alias = schema.alias_of(self._author, snapshot)
        build = schema.build_of(self._author, snapshot, time.time_ns() // 1000, secrets.token_hex(3))
        columns = {name: kind for name, kind in head.columns.items() if name not in schema.BOOKKEEPING}
        target = self.create(build, pa.schema(list(columns.items())))
        try:
            copied = put(target, (row for key, row in head.objects([*head.columns], vectors=True) if key in ids))
            if copied == len(ids):
                self._compare(contents, WeaviateIndex(target, self._place))
                return self._publish(alias, build)
        finally:
            if build not in self._aliases().values():
                self._client.collections.delete(build)
        return None

    def switch(self, collection: str) -> None:
        """Point the alias of the newest snapshot to a collection."""
        newest = schema.newest_alias(self._author)
        if self._aliases().get(newest) == collection:
            return
        if not self._client.alias.update(alias_name=newest, new_target_collection=collection):
            self._client.alias.create(alias_name=newest, target_collection=collection)

    def retire(self, keep: Collection[str], days: float) -> tuple[str, ...]:
        """Drop what is neither kept, nor the newest, nor younger; and copies that were begun and left a day ago."""
        now = time.time_ns() // 1000
        newest = self.collection(None)
        gone = {
            name: build
            for name, build in self._named()
            if name not in keep and build != newest and schema.built_at(build) <= now - days * _DAY
        }
        self.unname(gone)
        held = set(self._aliases().values())
        for collection in self._client.collections.list_all():
            left = schema.is_build(self._author, collection) and collection not in held
            if left and (collection in gone.values() or schema.built_at(collection) <= now - _DAY):
                self._client.collections.delete(collection)
        return tuple(sorted(gone))

    def unname(self, snapshots: Collection[str]) -> None:
        """Take their aliases away, before what they name goes: a snapshot that can be named is whole."""
        for name in snapshots:
            self._client.alias.delete(alias_name=schema.alias_of(self._author, name))

    def holding(self, documents: Collection[str]) -> tuple[str, ...]:
        """Names of the snapshots that hold one of the documents, oldest first."""
        named = dict(self._named())
        return tuple(name for name in self.names() if self._holds(named[name], documents))

    def without(self, documents: Collection[str], snapshots: Mapping[str, Callable[[pa.Table], str]]) -> dict[str, str]:
        """Copy those of the snapshots that hold the documents; returns the copies' names by the old ones."""
        renamed: dict[str, str] = {}
        for name, build in self._named():
            if name not in snapshots or not self._holds(build, documents):
                continue
            index = self._index(build)
            left = {key: row for key, row in index.objects([*CONTENTS]) if row["document_id"] not in documents}
            contents = schema.contents_of(left)
            renamed[name] = snapshots[name](contents)
            if self.collection(renamed[name]) is None:
                self.build(renamed[name], index, left.keys(), contents)
        return renamed

    def drop(self, documents: Collection[str]) -> None:
        """Drop every collection of the author's that holds one of the documents, whether it is published or not."""
        named = {build: name for name, build in self._named()}
        for collection in self._client.collections.list_all():
            if schema.is_build(self._author, collection) and self._holds(collection, documents):
                self.unname([named[collection]] if collection in named else [])
                self._client.collections.delete(collection)

    def _holds(self, collection: str, documents: Collection[str]) -> bool:
        held = self._index(collection).objects(["document_id"])
        return any(row["document_id"] in documents for _, row in held)

    def _index(self, collection: str) -> WeaviateIndex:
        return WeaviateIndex(self._client.collections.use(collection).with_tenant(self._author), self._place)

    def _compare(self, contents: pa.Table, copy: WeaviateIndex) -> None:
        wrong = {what: len(which) for what, which in parity(contents, copy).items() if which}
        if wrong:
            raise StorageError(f"the copy differs from what was written: {wrong}", where=self._place)

    def _publish(self, alias: str, build: str) -> str:
        from weaviate.exceptions import UnexpectedStatusCodeError

        try:
            self._client.alias.create(alias_name=alias, target_collection=build)
        except UnexpectedStatusCodeError:
            others = self._aliases().get(alias)
            if others is None:
                raise
            return others  # another process has published the same contents meanwhile
        return build

    def _named(self) -> list[tuple[str, str]]:
        each = ((schema.snapshot_of(self._author, alias), build) for alias, build in self._aliases().items())
        return [(name, build) for name, build in each if name]

    def _aliases(self) -> dict[str, str]:
        return {alias: each.collection for alias, each in self._client.alias.list_all().items()}


def put(tenant: "Tenant[Any, Any]", rows: Iterable[Mapping[str, Any]]) -> int:
    """Write rows as objects whose ids follow from what they hold; returns how many."""
    from weaviate.classes.data import DataObject

    each, done = iter(rows), 0
    while some := list(islice(each, _BATCH)):
        reply = tenant.data.insert_many(
            [
                DataObject(
                    properties={name: value for name, value in row.items() if name != "vector" and value is not None},
                    uuid=schema.object_id(row["chunk_id"], row[schema.GENERATION]),
                    vector=row["vector"],
                )
                for row in some
            ]
        )
        if reply.has_errors:
            first = next(iter(reply.errors.values())).message
            raise StorageError(f"{len(reply.errors)} of {len(some)} chunks were not taken: {first}", where=tenant.name)
        done += len(some)
    return done
