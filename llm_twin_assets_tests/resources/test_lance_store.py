"""One author's chunks in Lance: writes, snapshots that stay, filters, several writers."""

import multiprocessing
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest

from resources.errors import StorageError
from resources.lance_store import LanceVectorStore
from resources.vector_store import Filters


def rows(names, category="article", document="d", dimension=2, text="the jacquard loom"):
    count = len(names)
    vectors = np.zeros((count, dimension), dtype=np.float32)
    vectors[:, 0] = 1.0
    same = {
        "document_id": document, "document_hash": "hash", "category": category, "platform": "files", "url": None,
        "title": "It's", "context": "", "start": 0, "end": 1, "ordinal": 0,
        "published_at": datetime(2025, 3, 4, tzinfo=UTC),
    }  # fmt: skip
    schema = pa.schema(
        [
            *(
                (name, pa.string())
                for name in ("chunk_id", "document_id", "document_hash", "embedding_key", "category")
            ),
            *((name, pa.string()) for name in ("platform", "url", "title", "context", "text", "indexed_text")),
            *((name, pa.int64()) for name in ("start", "end", "ordinal")),
            ("published_at", pa.timestamp("us", tz="UTC")),
            ("vector", pa.list_(pa.float32(), dimension)),
        ]
    )
    each = [
        {
            **same,
            "chunk_id": name,
            "embedding_key": f"key-{name}",
            "text": f"{text} {name}",
            "indexed_text": f"{text} {name}",
        }
        | {"vector": vector.tolist()}
        for name, vector in zip(names, vectors, strict=True)
    ]
    return pa.Table.from_pylist(each, schema=schema)


@pytest.fixture
def store(tmp_path):
    return LanceVectorStore(str(tmp_path / "embedded"))


def found(index, query="loom", **filters):
    return {hit.row["chunk_id"] for hit in index.text(query, 100, Filters(**filters))}


def test_a_write_replaces_the_chunks_of_its_documents_and_no_others(store):
    store.write("ada", rows(["a", "b"], document="one"), [])
    store.write("ada", rows(["c"], document="it's two"), [])
    store.write("ada", rows(["b", "d"], document="one"), ["one"])
    assert set(store.contents("ada")["chunk_id"].to_pylist()) == {"b", "c", "d"}
    store.write("ada", rows([]), ["it's two"])
    assert set(store.contents("ada")["chunk_id"].to_pylist()) == {"b", "d"}
    assert store.document_hashes("ada", "article") == {"one": "hash"}
    assert store.vectors("ada", ["key-b", "key-none"]) == {"key-b": [1.0, 0.0]}


def test_a_published_snapshot_stays_as_it_was_for_text_and_vectors(store):
    store.write("ada", rows(["a", "b"], document="one"), [])
    store.publish("ada", "first")
    store.write("ada", rows(["c"], document="one"), ["one"])
    store.publish("ada", "second")
    old, new = store.open("ada", "first"), store.open("ada", "second")
    assert (found(old), found(new)) == ({"a", "b"}, {"c"})
    assert {hit.row["chunk_id"] for hit in old.dense([1.0, 0.0], 10, Filters())} == {"a", "b"}
    assert store.snapshots("ada") == ("first", "second")


def test_publishing_what_is_published_writes_no_version(store):
    store.write("ada", rows(["a"]), [])
    name = store.publish_as("ada", lambda contents: f"snapshot-{contents.num_rows}")
    version = store.version("ada")
    assert store.publish_as("ada", lambda contents: f"snapshot-{contents.num_rows}") == name == "snapshot-1"
    assert store.version("ada") == version


def test_filters_narrow_both_searches(store):
    store.write("ada", rows(["a"], category="article"), [])
    store.write("ada", rows(["p"], category="post", document="e"), [])
    store.publish("ada", "now")
    index = store.open("ada", "now")
    after = datetime(2025, 3, 4, tzinfo=UTC)
    assert found(index, categories=("post",)) == {"p"}
    assert found(index, categories=()) == set()
    assert found(index, published_after=after) == {"a", "p"}
    assert found(index, published_before=after) == set()
    [hit] = index.dense([1.0, 0.0], 5, Filters(categories=("article",)))
    assert (hit.row["chunk_id"], hit.score) == ("a", pytest.approx(1.0))


@pytest.mark.parametrize("query", ["", "?!", '"loom', "loom AND (", "a:b", "it's", "日本"])
def test_any_question_is_a_query(store, query):
    store.write("ada", rows(["a"]), [])
    store.publish("ada", "now")
    assert len(store.open("ada").text(query, 5, Filters())) <= 1


def test_what_is_not_there_is_a_clear_error(store):
    with pytest.raises(StorageError, match="nothing has been embedded"):
        store.open("ada")
    with pytest.raises(StorageError, match="nothing to publish"):
        store.publish("ada", "now")
    store.write("ada", rows(["a"]), [])
    with pytest.raises(StorageError, match="no snapshot 'other'"):
        store.open("ada", "other")
    assert store.contents("eve").num_rows == 0
    assert store.version("eve") is None


def test_vectors_of_another_length_are_refused_before_anything_is_written(store):
    store.write("ada", rows(["a"]), [])
    with pytest.raises(StorageError, match="the embedding model makes"):
        store.write("ada", rows(["b"], dimension=3), [])
    assert store.contents("ada").num_rows == 1


def write_and_publish(root, category):
    store = LanceVectorStore(root)
    for round_ in range(5):
        names = [f"{category}-{round_}-{number}" for number in range(20)]
        store.write("ada", rows(names, category=category, document=category), [category])
        name = store.publish_as("ada", lambda contents: "s-" + "-".join(sorted(contents["chunk_id"].to_pylist())[-3:]))
        assert store.open("ada", name).count() % 20 == 0


def test_several_processes_write_one_authors_table_without_loss(store, tmp_path):
    spawn = multiprocessing.get_context("spawn")
    writers = [
        spawn.Process(target=write_and_publish, args=(str(tmp_path / "embedded"), category))
        for category in ("article", "post", "code")
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(timeout=120)
    assert [writer.exitcode for writer in writers] == [0, 0, 0]
    expected = {f"{category}-4-{number}" for category in ("article", "post", "code") for number in range(20)}
    assert set(store.contents("ada")["chunk_id"].to_pylist()) == expected
    store.publish("ada", "end")
    assert found(store.open("ada", "end")) == expected
