"""What only Weaviate needs: addresses, names, ids, generations of a document, and a server that fails half way."""

import contextlib
from datetime import UTC, datetime

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_twin_assets_tests.resources.chunks import rows
from resources import weaviate_schema as schema
from resources.errors import ConfigurationError, StorageError
from resources.vector_store import Filters
from resources.weaviate_schema import Address
from resources.weaviate_store import WeaviateVectorStore

names = st.from_regex(r"[a-z][a-z0-9-]{0,20}", fullmatch=True)


@pytest.fixture
def server():
    from llm_twin_assets_tests.resources.fake_weaviate import FakeWeaviate  # with weaviate's protobuf messages

    with FakeWeaviate() as running:
        yield running


@pytest.fixture
def store(server):
    store = WeaviateVectorStore.at(server.address)
    yield store
    store.close()


def ids(table):
    return sorted(table["chunk_id"].to_pylist())


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("weaviate://host:8080?grpc=50051", Address("host", 8080, "host", 50051, secure=False)),
        ("weaviate://host", Address("host", 8080, "host", 50051, secure=False)),
        ("weaviates://rest.example?grpc=g.example:443", Address("rest.example", 443, "g.example", 443, secure=True)),
        ("weaviates://[::1]:8443?grpc=8444", Address("::1", 8443, "::1", 8444, secure=True)),
    ],
)
def test_an_address_names_host_and_both_ports(address, expected):
    assert Address.parse(address) == expected


@pytest.mark.parametrize(
    "address",
    [
        "weaviate://", "http://host:8080", "weaviate://host:eighty", "weaviate://host?grpc=x", "weaviate://host/path",
        "weaviate://host?rest=1", "weaviate://user:secret@host", "weaviate://host:1?grpc=1",
    ],
)  # fmt: skip
def test_an_address_that_cannot_be_meant_is_refused(address):
    with pytest.raises(ConfigurationError, match="TWIN_VECTOR_STORE"):
        Address.parse(address)


def test_a_key_in_the_address_is_not_repeated():
    with pytest.raises(ConfigurationError) as refused:
        Address.parse("weaviate://user:secret@host")
    assert "secret" not in str(refused.value)


@given(names, names)
def test_a_snapshot_is_known_by_its_alias(author, snapshot):
    alias = schema.alias_of(author, snapshot)
    assert schema.snapshot_of(author, alias) == snapshot
    assert schema.snapshot_of(author, schema.newest_alias(author)) is None
    build = schema.build_of(author, snapshot, 12, "abc")
    assert schema.is_build(author, build)
    assert not schema.is_build(author, alias)
    assert schema.built_at(build) == 12


@given(names, names, names, names)
def test_no_two_snapshots_share_an_alias(author, snapshot, other, another):
    same = (author, snapshot) == (other, another)
    assert (schema.alias_of(author, snapshot) == schema.alias_of(other, another)) == same


@pytest.mark.parametrize("snapshot", ["", "Capital", "with_underscore", "a b", "-a"])
def test_a_snapshot_that_cannot_be_told_from_another_is_refused(snapshot):
    with pytest.raises(StorageError, match="cannot name a snapshot"):
        schema.alias_of("ada", snapshot)


def test_the_same_chunks_have_the_same_ids_whenever_they_are_written():
    one, other = (schema.generations(rows(["a", "b"]), written)["d"] for written in (1, 2))
    assert schema.object_id("a", one["generation"]) == schema.object_id("a", other["generation"])
    [changed] = schema.generations(rows(["a", "c"]), 1).values()
    assert schema.object_id("a", changed["generation"]) != schema.object_id("a", one["generation"])


def test_a_document_is_read_from_its_newest_generation_that_is_whole():
    def objects(document, generation, size, written, there):
        kept = {"generation": generation, "generation_size": size, "written": written, "document_id": document}
        return [kept] * there

    there = [
        *objects("kept", "old", 2, 1, there=2),
        *objects("kept", "half", 3, 2, there=2),
        *objects("replaced", "old", 1, 1, there=1),
        *objects("replaced", "new", 2, 2, there=2),
        *objects("torn", "half", 2, 1, there=1),
    ]
    assert schema.whole(there) == {"kept": "old", "replaced": "new", "torn": None}


def test_only_what_is_searched_is_cut_into_words():
    made = {each.name: each for each in schema.properties(rows(["a"]).schema)}
    assert [name for name, each in made.items() if each.indexSearchable] == ["indexed_text"]
    assert made["indexed_text"].tokenization.value == "word"
    assert made["document_id"].tokenization.value == "field"
    assert (made["published_at"].dataType.value, made["published_at"].indexRangeFilters) == ("date", True)
    assert "vector" not in made


def test_a_column_that_weaviate_cannot_keep_is_named():
    with pytest.raises(StorageError, match="parts"):
        schema.properties(pa.schema([("parts", pa.map_(pa.string(), pa.string()))]))


def test_filters_that_let_everything_through_are_none():
    assert schema.server_filter(Filters()) is None
    assert schema.server_filter(Filters(categories=("post",), published_after=datetime(2025, 1, 1, tzinfo=UTC)))


def test_a_write_that_fails_anywhere_leaves_each_document_old_or_new(server, store):
    store.write("ada", rows(["a1", "a2", "a3"], document="one"), [])
    store.write("ada", rows(["x1", "x2"], document="two"), [])
    new = pa.concat_tables([rows(["b1", "b2"], document="one"), rows(["y1", "y2"], document="two")])
    for writes in range(6):
        server.fail_after = writes
        with contextlib.suppress(StorageError):
            store.write("ada", new, ["one", "two"])
        server.fail_after = None
        now = ids(store.contents("ada"))
        assert [each for each in now if each[0] in "ab"] in (["a1", "a2", "a3"], ["b1", "b2"])
        assert [each for each in now if each[0] in "xy"] in (["x1", "x2"], ["y1", "y2"])
    assert ids(store.contents("ada")) == ["b1", "b2", "y1", "y2"]


def test_a_document_whose_first_write_broke_off_is_written_anew(server, store):
    server.fail_after = 1
    with pytest.raises(StorageError, match="not taken"):
        store.write("ada", rows(["a1", "a2"], document="one"), [])
    server.fail_after = None
    assert ids(store.contents("ada")) == []
    assert store.document_hashes("ada", "article") == {"one": ""}
    store.write("ada", rows(["a1", "a2"], document="one"), ["one"])
    assert store.document_hashes("ada", "article") == {"one": "hash"}


def test_a_copy_that_fails_half_way_is_no_snapshot(server, store):
    store.write("ada", rows(["a", "b", "c"]), [])
    store.publish("ada", "first")
    store.write("ada", rows(["d", "e", "f"]), ["d"])
    server.fail_after = 2
    with pytest.raises(StorageError, match="not taken"):
        store.publish("ada", "second")
    server.fail_after = None
    assert store.snapshots("ada") == ("first",)
    assert ids(store.open("ada").rows(["chunk_id"])) == ["a", "b", "c"]
    assert sum("_Build_" in name for name in server.schemas) == 1
    store.publish("ada", "second")
    assert ids(store.open("ada").rows(["chunk_id"])) == ["d", "e", "f"]


def test_a_server_that_is_not_there_is_a_clear_error():
    store = WeaviateVectorStore(Address.parse("weaviate://127.0.0.1:9?grpc=10"))
    with pytest.raises(StorageError, match="TWIN_VECTOR_STORE"):
        store.contents("ada")
