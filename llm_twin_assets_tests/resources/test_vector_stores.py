"""What every vector store has to do: one suite for LanceDB and for Weaviate.

Weaviate is met twice: as a server that speaks its protocol in this process, which shows that the client is used rightly
but not what a server makes of it; and as the real server that TWIN_VECTOR_STORE names, if it names one.
"""

import os
import threading
import uuid

import pytest

from llm_twin_assets_tests.resources.chunks import PUBLISHED, rows, with_vectors
from resources.errors import ConfigurationError, StorageError
from resources.lance_store import LanceVectorStore
from resources.parity import parity
from resources.vector_store import Filters
from resources.vector_stores import vector_store
from resources.weaviate_store import WeaviateVectorStore

# Read before the suite takes it away from every test.
SERVER = os.environ.get("TWIN_VECTOR_STORE", "")
BACKENDS = ["lancedb", "weaviate-protocol", *(["weaviate-server"] if SERVER.startswith("weaviate") else [])]


@pytest.fixture(params=BACKENDS)
def opened(request, tmp_path):
    """Opens the store anew, as another process would."""
    stores = []
    if request.param == "weaviate-protocol":
        # With weaviate's protobuf messages: seconds that every process which only collects the tests would spend.
        from llm_twin_assets_tests.resources.fake_weaviate import FakeWeaviate

        with FakeWeaviate() as server:
            yield lambda: stores.append(WeaviateVectorStore.at(server.address)) or stores[-1]
            for each in stores:
                each.close()
        return
    make = LanceVectorStore if request.param == "lancedb" else lambda _: WeaviateVectorStore.at(SERVER)
    yield lambda: stores.append(make(str(tmp_path / "embedded"))) or stores[-1]
    for each in stores:
        getattr(each, "close", lambda: None)()


@pytest.fixture
def store(opened):
    return opened()


@pytest.fixture
def author():
    return f"ada-{uuid.uuid4().hex[:8]}"


def ids(table_or_hits):
    if isinstance(table_or_hits, list):
        return [hit.row["chunk_id"] for hit in table_or_hits]
    return sorted(table_or_hits["chunk_id"].to_pylist())


def found(index, query="loom", **filters):
    return sorted(ids(index.text(query, 100, Filters(**filters))))


def test_a_write_replaces_the_chunks_of_its_documents_and_no_others(store, author):
    store.write(author, rows(["a", "b"], document="one"), [])
    store.write(author, rows(["c"], document="it's two"), [])
    store.write(author, rows(["b", "d"], document="one"), ["one"])
    assert ids(store.contents(author)) == ["b", "c", "d"]
    store.write(author, rows([]), ["it's two"])
    assert ids(store.contents(author)) == ["b", "d"]
    assert store.document_hashes(author, "article") == {"one": "hash"}
    assert store.document_hashes(author, "post") == {}
    known = store.vectors(author, ["key-b", "key-none"])
    assert {key: vector.tolist() for key, vector in known.items()} == {"key-b": [1.0, 0.0]}
    assert ids(store.rows(author, "article")) == ["b", "d"]


def test_writing_the_same_again_changes_nothing(store, author):
    for _ in range(2):
        store.write(author, rows(["a", "b"], document="one"), ["one"])
    assert ids(store.contents(author)) == ["a", "b"]


def test_authors_do_not_see_each_other(store, author):
    store.write(author, rows(["a"]), [])
    store.write(f"{author}-x", rows(["b"]), [])
    store.publish(author, "now")
    store.publish(f"{author}-x", "now")
    assert (found(store.open(author)), found(store.open(f"{author}-x"))) == (["a"], ["b"])
    assert store.snapshots(author) == ("now",)


def test_a_published_snapshot_stays_as_it_was_for_text_and_vectors(store, author):
    store.write(author, rows(["a", "b"], document="one"), [])
    store.publish(author, "first")
    opened = store.open(author)
    store.write(author, rows(["c"], document="one"), ["one"])
    store.publish(author, "second")
    old, new = store.open(author, "first"), store.open(author, "second")
    assert (found(old), found(new), found(opened)) == (["a", "b"], ["c"], ["a", "b"])
    assert sorted(ids(old.dense([1.0, 0.0], 10, Filters()))) == ["a", "b"]
    assert (old.count(), new.count()) == (2, 1)
    assert store.snapshots(author) == ("first", "second")


def test_another_process_sees_what_was_published(opened, author):
    reader, writer = opened(), opened()
    for names in (["a"], ["b"]):
        writer.write(author, rows(names), ["d"])
        writer.publish(author, f"with-{names[0]}")
        assert found(reader.open(author)) == names


def test_publishing_what_is_published_makes_no_second_snapshot(store, author):
    store.write(author, rows(["a"]), [])
    for _ in range(2):
        assert store.publish_as(author, lambda contents: f"snapshot-{contents.num_rows}") == "snapshot-1"
    assert store.snapshots(author) == ("snapshot-1",)


def test_the_nearest_come_first(store, author):
    near = [[0.0, 1.0], [1.0, 0.1], [1.0, 1.0]]
    store.write(author, with_vectors(rows(["far", "near", "between"]), near), [])
    store.publish(author, "now")
    hits = store.open(author).dense([1.0, 0.0], 2, Filters())
    assert ids(hits) == ["near", "between"]
    assert hits[0].score == pytest.approx(1 / 1.01**0.5, abs=1e-4)


def test_filters_narrow_both_searches(store, author):
    store.write(author, rows(["a"], category="article", platform="o'reilly"), [])
    store.write(author, rows(["p"], category="post", document="e", published_at=None), [])
    store.publish(author, "now")
    index = store.open(author)
    assert found(index, categories=("post",)) == ["p"]
    assert found(index, categories=("post", "article")) == ["a", "p"]
    assert found(index, categories=()) == []
    assert found(index, platforms=("o'reilly",)) == ["a"]
    assert found(index, published_after=PUBLISHED) == ["a"]
    assert found(index, published_before=PUBLISHED) == []
    assert ids(index.dense([1.0, 0.0], 5, Filters(categories=("article",)))) == ["a"]
    assert index.dense([1.0, 0.0], 5, Filters(platforms=())) == []


def test_a_column_that_is_new_can_be_filtered_on(store, author):
    store.write(author, rows(["old"], document="one"), [])
    store.write(author, rows(["en"], document="two", language="en"), [])
    store.write(author, rows(["de"], document="three", language="de"), [])
    store.publish(author, "now")
    assert found(store.open(author), languages=("en",)) == ["en"]
    assert found(store.open(author)) == ["de", "en", "old"]


def test_a_chunk_is_found_by_any_of_its_documents_tags(store, author):
    store.write(author, rows(["untagged"], document="one"), [])
    store.write(author, rows(["both"], document="two", tags=["weaving", "o'clock"]), [])
    store.write(author, rows(["none"], document="three", tags=[]), [])
    store.write(author, rows(["one"], document="four", tags=["weaving", "überblick"]), [])
    store.publish(author, "now")
    index = store.open(author)
    assert found(index, tags=("Weaving",)) == ["both", "one"]
    assert found(index, tags=("o'clock", "ÜBERBLICK")) == ["both", "one"]
    assert found(index, tags=("weav",)) == []
    assert found(index, tags=()) == []
    assert sorted(ids(index.dense([1.0, 0.0], 5, Filters(tags=("weaving",))))) == ["both", "one"]
    assert found(index) == ["both", "none", "one", "untagged"]
    assert {row["chunk_id"]: row["tags"] for row in index.rows(["chunk_id", "tags"]).to_pylist()}["both"] == [
        "weaving", "o'clock"
    ]  # fmt: skip


@pytest.mark.parametrize("query", ["", "?!", '"loom', "loom AND (", "a:b", "it's", "日本"])
def test_any_question_is_a_query(store, author, query):
    store.write(author, rows(["a"]), [])
    store.publish(author, "now")
    assert len(store.open(author).text(query, 5, Filters())) <= 1


def test_the_chunks_around_one_are_found_in_order(store, author):
    store.write(author, rows(["a", "b", "c", "d"], document="it's"), [])
    store.write(author, rows(["x", "y"], document="other"), [])
    store.publish(author, "now")
    around = store.open(author).neighbours("it's", 1, 2)
    assert [row["chunk_id"] for row in around] == ["b", "c"]


def test_what_is_not_there_is_a_clear_error(store, author):
    with pytest.raises(StorageError, match="nothing has been embedded"):
        store.open(author)
    with pytest.raises(StorageError, match="nothing to publish"):
        store.publish(author, "now")
    store.write(author, rows(["a"]), [])
    with pytest.raises(StorageError, match="no snapshot 'other'"):
        store.open(author, "other")
    assert store.contents("eve").num_rows == 0
    assert store.version("eve") is None
    assert (store.vectors("eve", ["key"]), store.snapshots("eve"), store.retire("eve", [])) == ({}, (), ())


def test_vectors_of_another_length_are_refused_before_anything_is_written(store, author):
    store.write(author, rows(["a"]), [])
    with pytest.raises(StorageError, match="the embedding model makes"):
        store.write(author, rows(["b"], dimension=3), [])
    assert ids(store.contents(author)) == ["a"]


@pytest.mark.parametrize("number", [float("nan"), float("inf"), 0.0])
def test_a_vector_without_direction_is_refused_before_anything_is_written(store, author, number):
    store.write(author, rows(["a"], document="one"), [])
    with pytest.raises(StorageError, match="chunk broken"):
        store.write(author, with_vectors(rows(["b", "broken"]), [[1.0, 0.0], [0.0, number]]), ["one"])
    assert ids(store.contents(author)) == ["a"]


def test_a_published_snapshot_is_what_was_written(store, author):
    written = rows([f"c{number}" for number in range(50)])
    store.write(author, written, [])
    store.publish(author, "now")
    assert not any(parity(written, store.open(author)).values())


def test_parity_names_what_differs(store, author):
    store.write(author, rows(["a", "b", "x"]), [])
    store.publish(author, "now")
    expected = with_vectors(rows(["a", "b", "c"]), [[0.0, 1.0], [1.0, 0.0], [1.0, 0.0]])
    wrong = {what: which for what, which in parity(expected, store.open(author)).items() if which}
    assert wrong == {"missing": ["c"], "superfluous": ["x"], "other vector": ["a"]}


def test_snapshots_that_nothing_refers_to_are_dropped(store, author):
    for name in ("first", "second", "third"):
        store.write(author, rows([name]), ["d"])
        store.publish(author, name)
    assert store.retire(author, ["first"], days=7) == ()
    assert store.retire(author, ["first"], days=0) == ("second",)
    assert store.snapshots(author) == ("first", "third")
    assert found(store.open(author, "first")) == ["first"]
    assert found(store.open(author)) == ["third"]


def test_several_at_once_lose_nothing(opened, author):
    failed = []

    def work(category):
        store = opened()
        try:
            for turn in range(3):
                names = [f"{category}-{turn}-{number}" for number in range(5)]
                store.write(author, rows(names, category=category, document=category), [category])
                name = store.publish_as(author, lambda contents: f"s-{abs(hash(tuple(ids(contents))))}")
                assert store.open(author, name).count() % 5 == 0
        except BaseException as error:
            failed.append(error)
            raise

    threads = [threading.Thread(target=work, args=(category,)) for category in ("article", "post", "code")]
    for each in threads:
        each.start()
    for each in threads:
        each.join(timeout=60)
    assert not failed
    expected = sorted(f"{category}-2-{number}" for category in ("article", "post", "code") for number in range(5))
    store = opened()
    assert ids(store.contents(author)) == expected
    store.publish(author, "end")
    assert found(store.open(author, "end")) == expected


@pytest.mark.skipif("weaviate-server" in BACKENDS, reason="it is in the suite")
def test_the_suite_ran_against_a_weaviate_server():
    pytest.skip("no Weaviate server was asked: TWIN_VECTOR_STORE=weaviate://host:8080?grpc=50051 names one")


def test_the_environment_names_the_store(tmp_path, monkeypatch):
    assert isinstance(vector_store(str(tmp_path)), LanceVectorStore)
    monkeypatch.setenv("TWIN_VECTOR_STORE", "weaviate://somewhere:1?grpc=2")
    assert isinstance(vector_store(str(tmp_path)), WeaviateVectorStore)
    monkeypatch.setenv("TWIN_VECTOR_STORE", "qdrant://somewhere")
    with pytest.raises(ConfigurationError, match="names no vector store"):
        vector_store(str(tmp_path))


def named(contents):
    return "of-" + "".join(ids(contents))


def test_a_forgotten_document_is_in_no_snapshot_and_the_others_are_as_they_were(opened, author):
    store = opened()
    store.write(author, rows(["a"], document="one"), [])
    store.publish(author, "first")
    store.write(author, rows(["s", "t"], document="secret", text="the canary"), [])
    store.publish(author, "second")
    store.publish(author, "dropped")
    store.write(author, rows(["b"], document="one"), ["one"])
    store.publish(author, "head")
    everything = {"first": lambda _: "first-again", "second": named, "head": named}
    assert set(store.holding(author, ["secret"])) == {"second", "dropped", "head"}
    before = opened().open(author, "second")

    renamed = store.republish(author, ["secret"], everything, named)
    assert (renamed["second"], renamed["head"]) == ("of-a", "of-b")
    assert found(before, "canary") == ["s", "t"], "who reads goes on reading"
    assert store.republish(author, ["secret"], everything, named).items() >= {"second": "of-a", "head": "of-b"}.items()

    opened().purge(author, ["secret"])
    store = opened()
    assert store.holding(author, ["secret"]) == ()
    assert not {"second", "dropped", "head"} & set(store.snapshots(author))
    assert ids(store.contents(author)) == ["b"]
    kept = renamed.get("first", "first")
    for snapshot, chunks in ((kept, ["a"]), ("of-a", ["a"]), ("of-b", ["b"])):
        index = store.open(author, snapshot)
        assert found(index) == chunks
        assert found(index, "canary") == []
        assert [hit.row["chunk_id"] for hit in index.dense([1.0, 0.0], 9, Filters())] == chunks
    store.purge(author, ["secret"])
    store.write(author, rows(["c"], document="three"), [])
    store.publish(author, "after")
    assert found(store.open(author, "after")) == ["b", "c"]


def test_there_is_nothing_to_forget_where_nothing_was_written(store, author):
    assert store.holding(author, ["secret"]) == ()
    assert store.republish(author, ["secret"], {}, named) == {}
    store.purge(author, ["secret"])
