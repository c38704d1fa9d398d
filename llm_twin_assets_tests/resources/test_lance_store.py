"""What only LanceDB does: versions, columns that are new, indices that grow with the table."""

from datetime import timedelta

import lancedb
import numpy as np
import pyarrow as pa
import pytest

from llm_twin_assets_tests.resources.chunks import rows, with_vectors
from resources import lance_forget, lance_rows, lance_upkeep, lance_vectors
from resources.errors import StorageError
from resources.lance_store import LanceVectorStore
from resources.lance_vectors import VectorIndex, outgrown, planned, probes_for
from resources.vector_store import Filters


@pytest.fixture
def store(tmp_path):
    return LanceVectorStore(str(tmp_path / "embedded"))


def found(index, query="loom"):
    return {hit.row["chunk_id"] for hit in index.text(query, 100, Filters())}


def many(count, dimension=8, first=0):
    """So many chunks with vectors in all directions, one document each."""
    vectors = np.random.default_rng(first).standard_normal((count, dimension), dtype=np.float32)
    made = rows([f"c{number}" for number in range(first, first + count)], dimension=dimension)
    documents = pa.array([f"d{number}" for number in range(first, first + count)])
    made = made.set_column(made.schema.get_field_index("document_id"), "document_id", documents)
    return with_vectors(made, vectors.tolist())


def test_publishing_what_is_published_writes_no_version(store):
    store.write("ada", rows(["a"]), [])
    name = store.publish_as("ada", lambda contents: f"snapshot-{contents.num_rows}")
    version = store.version("ada")
    assert store.publish_as("ada", lambda contents: f"snapshot-{contents.num_rows}") == name == "snapshot-1"
    assert store.version("ada") == version


@pytest.mark.parametrize("filters", [Filters(languages=("en",)), Filters(tags=("weaving",))])
def test_a_snapshot_that_was_made_before_a_column_says_so(store, filters):
    store.write("ada", rows(["a"]), [])
    store.publish("ada", "now")
    with pytest.raises(StorageError, match="does not record its chunks'"):
        store.open("ada").text("loom", 5, filters)


@pytest.mark.parametrize(
    ("count", "kind"),
    [(0, "flat"), (19_999, "flat"), (20_000, "ivf_flat"), (200_000, "ivf_flat"), (1_000_000, "ivf_rq")],
)
def test_the_kind_of_index_follows_the_number_of_chunks(count, kind):
    assert planned(count).kind == kind


def test_an_index_is_trained_anew_when_its_table_has_doubled():
    built = VectorIndex("ivf_flat", partitions=200, rows=40_000)
    assert not outgrown(built, 79_000)
    assert outgrown(built, 81_000)
    assert outgrown(built, 19_000)
    assert not outgrown(VectorIndex(), 100)


def test_the_narrower_the_filter_the_more_partitions_are_looked_into():
    index = VectorIndex("ivf_flat", partitions=400, probes=20)
    assert [probes_for(index, share) for share in (1.0, 0.25, 0.01, 0.0)] == [20, 40, 200, 400]


def test_a_big_table_is_searched_by_an_index_that_finds_what_brute_force_finds(store, monkeypatch):
    monkeypatch.setattr(lance_vectors, "FLAT_BELOW", 1_000)
    store.write("ada", many(1_500), [])
    store.publish("ada", "indexed")
    index = store.open("ada", "indexed")
    made = index.configuration()
    assert (made["kind"], made["rows"]) == ("ivf_flat", 1_500)
    assert made["recall"] >= lance_vectors.RECALL
    assert index.count() == 1_500
    assert [hit.row["chunk_id"] for hit in index.dense(many(1, first=7)["vector"][0].as_py(), 1, Filters())]
    [hit] = index.dense(store.vectors("ada", ["key-c42"])["key-c42"], 1, Filters())
    assert (hit.row["chunk_id"], hit.score) == ("c42", pytest.approx(1.0, abs=1e-5))


def test_the_index_is_made_by_cosine(store, monkeypatch, tmp_path):
    monkeypatch.setattr(lance_vectors, "FLAT_BELOW", 1_000)
    store.write("ada", many(1_500), [])
    store.publish("ada", "indexed")
    statistics = lancedb.connect(str(tmp_path / "embedded")).open_table("ada").index_stats("vector_idx")
    assert (statistics.index_type, statistics.distance_type) == ("IVF_FLAT", "cosine")


def test_what_is_new_is_found_before_the_index_covers_it(store, monkeypatch):
    monkeypatch.setattr(lance_vectors, "FLAT_BELOW", 1_000)
    store.write("ada", many(1_500), [])
    store.publish("ada", "indexed")
    store.write("ada", rows(["new"], document="new", dimension=8, text="a shuttle"), [])
    store.publish("ada", "with-new")
    index = store.open("ada", "with-new")
    assert found(index, "shuttle") == {"new"}
    assert index.dense([1.0] + [0.0] * 7, 1, Filters())[0].row["chunk_id"] == "new"


def test_many_small_writes_do_not_leave_many_files(store, tmp_path, monkeypatch):
    monkeypatch.setattr(lance_upkeep, "_FILES", 4)
    for number in range(12):
        store.write("ada", rows([f"c{number}"], document=f"d{number}"), [])
        store.publish("ada", f"s-{number}")
    statistics = lancedb.connect(str(tmp_path / "embedded")).open_table("ada").stats()
    assert statistics["fragment_stats"]["num_fragments"] <= 5
    assert found(store.open("ada")) == {f"c{number}" for number in range(12)}
    assert found(store.open("ada", "s-3")) == {f"c{number}" for number in range(4)}


def test_a_document_that_two_runs_inserted_at_once_has_to_be_written_anew(store):
    store.write("ada", rows(["a"], document="one", document_hash="mine"), [])
    store.write("ada", rows(["b"], document="one", document_hash="other"), [])
    assert store.document_hashes("ada", "article") == {"one": ""}
    store.write("ada", rows(["a"], document="one", document_hash="mine"), ["one"])
    assert store.document_hashes("ada", "article") == {"one": "mine"}


def test_a_table_of_an_earlier_version_takes_up_languages_tags_and_its_key(store, tmp_path):
    """Its rows stay readable as they are, and are written anew by the next run, with the vectors they have."""
    plain = rows(["old"], document="one")
    key = plain.schema.field("chunk_id").with_nullable(False)
    connection = lancedb.connect(str(tmp_path / "embedded"))
    connection.create_table("ada", plain.cast(plain.schema.set(0, key)))
    store.publish("ada", "before")
    store.write("ada", rows(["new"], document="two", language="en", tags=["loom"]), [])
    store.publish("ada", "after")
    assert store.vectors("ada", ["key-old"])["key-old"].tolist() == [1.0, 0.0]
    index = store.open("ada", "after")
    assert (found(index), index.count()) == ({"old", "new"}, 2)
    assert {hit.row["chunk_id"] for hit in index.text("loom", 5, Filters(languages=("en",), tags=("loom",)))} == {"new"}
    assert found(store.open("ada", "before")) == {"old"}
    field = connection.open_table("ada").schema.field("chunk_id")
    assert field.metadata[b"lance-schema:unenforced-primary-key:position"] == b"1"


def test_vectors_are_found_whether_their_keys_are_few_or_many(store):
    written = many(1_200)
    store.write("ada", written, [])
    expected = dict(zip(written["embedding_key"].to_pylist(), written["vector"].to_pylist(), strict=True))
    for keys in (list(expected)[:3], [*expected, "key-none"]):
        found_ = store.vectors("ada", keys)
        assert {key: vector.tolist() for key, vector in found_.items()} == {key: expected[key] for key in keys[:1200]}


def test_a_question_of_another_model_is_a_clear_error(store):
    store.write("ada", rows(["a"]), [])
    with pytest.raises(StorageError, match="of 3 numbers, the index of 2"):
        store.open("ada").dense([1.0, 0.0, 0.0], 1, Filters())


def test_what_is_read_of_a_table_that_is_too_big_for_memory_is_the_same(store, monkeypatch):
    store.write("ada", many(300), [])
    store.write("ada", rows(["one", "two", "three"], document="it's", dimension=8), [])
    store.publish("ada", "now")
    [question] = many(1, first=7)["vector"].to_pylist()

    def read():
        index = store.open("ada")
        nearest, best = index.dense(question, 10, Filters()), index.text("loom c17", 10, Filters())
        return nearest, best, index.neighbours("it's", 1, 2)

    kept = read()
    monkeypatch.setattr(lance_rows, "_IN_MEMORY", 10)
    assert kept == read()
    assert len(kept[0]) == len(kept[1]) == 10
    assert kept[1][0].row["chunk_id"] == "c17"
    assert [row["chunk_id"] for row in kept[2]] == ["two", "three"]


def test_files_are_given_back_beside_an_older_snapshot_that_stays(store, monkeypatch):
    monkeypatch.setattr(lance_upkeep, "_READ_FOR", timedelta(microseconds=1))
    monkeypatch.setattr(lance_upkeep, "_KEPT_FOR", timedelta(microseconds=1))
    for number in range(lance_upkeep._FILES + 2):
        store.write("ada", rows([f"c{number}"], document=f"d{number}"), [])
        if number in (1, 3):
            store.publish("ada", f"s{number}")
    store.publish("ada", "newest")
    assert store.retire("ada", ["s1"], days=0.0) == ("s3",)
    assert store.snapshots("ada") == ("s1", "newest")
    assert found(store.open("ada", "s1")) == {"c0", "c1"}


@pytest.mark.parametrize("killed_in", [2, 3])
def test_a_forgetting_that_is_killed_in_the_index_is_gone_on_with(store, monkeypatch, killed_in):
    store.write("ada", rows(["a"], document="one"), [])
    store.write("ada", rows(["s"], document="secret"), [])
    store.publish("ada", "first")
    store.write("ada", rows(["b"], document="two"), [])
    store.publish("ada", "second")
    names = {name: lambda contents, name=name: f"{name}-{contents.num_rows}" for name in ("first", "second")}
    calls, tend = [], lance_forget.tend

    def killed(table):
        calls.append(table)
        if len(calls) == killed_in:
            raise KeyboardInterrupt
        tend(table)

    with monkeypatch.context() as patched:
        patched.setattr(lance_forget, "tend", killed)
        with pytest.raises(KeyboardInterrupt):
            store.republish("ada", ["secret"], names, lambda _: "head")
    assert {"first", "second"} <= set(store.snapshots("ada")), "who serves goes on serving"
    assert store.republish("ada", ["secret"], names, lambda _: "head") == {"first": "first-1", "second": "second-2"}
    store.purge("ada", ["secret"])
    assert set(store.snapshots("ada")) == {"first-1", "second-2", "head"}
    assert found(store.open("ada", "first-1")) == {"a"}
    assert found(store.open("ada")) == found(store.open("ada", "head")) == {"a", "b"}
