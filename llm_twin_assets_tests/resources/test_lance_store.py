"""What only LanceDB does: versions, several processes, indices that grow with the table, a disk that is full."""

import multiprocessing
import signal
import time

import lancedb
import numpy as np
import pyarrow as pa
import pytest

from llm_twin_assets_tests.resources.chunks import rows, with_vectors
from resources import lance_upkeep, lance_vectors
from resources.errors import StorageError
from resources.lance_store import LanceVectorStore
from resources.lance_vectors import VectorIndex, outgrown, planned, probes_for
from resources.vector_store import Filters

SPAWN = multiprocessing.get_context("spawn")


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


def test_a_snapshot_without_languages_says_so(store):
    store.write("ada", rows(["a"]), [])
    store.publish("ada", "now")
    with pytest.raises(StorageError, match="which language"):
        store.open("ada").text("loom", 5, Filters(languages=("en",)))


def write_and_publish(root, category):
    store = LanceVectorStore(root)
    for round_ in range(5):
        names = [f"{category}-{round_}-{number}" for number in range(20)]
        store.write("ada", rows(names, category=category, document=category), [category])
        name = store.publish_as("ada", lambda contents: "s-" + "-".join(sorted(contents["chunk_id"].to_pylist())[-3:]))
        assert store.open("ada", name).count() % 20 == 0


def test_several_processes_write_one_authors_table_without_loss(store, tmp_path):
    writers = [
        SPAWN.Process(target=write_and_publish, args=(str(tmp_path / "embedded"), category))
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


def write_for_ever(root):
    store = LanceVectorStore(root)
    for turn in range(100_000):
        names = [f"{turn % 2}-{number}" for number in range(30)]
        store.write("ada", rows(names, document="one", document_hash=f"hash-{turn % 2}"), ["one"])
        store.publish("ada", f"s-{turn}")


def test_a_writer_that_is_killed_leaves_a_table_that_is_whole(store, tmp_path):
    writer = SPAWN.Process(target=write_for_ever, args=(str(tmp_path / "embedded"),))
    writer.start()
    deadline = time.monotonic() + 60
    while len(store.snapshots("ada")) < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    writer.kill()
    writer.join()
    assert writer.exitcode == -signal.SIGKILL
    contents = store.contents("ada")
    assert (contents.num_rows, len(set(contents["document_hash"].to_pylist()))) == (30, 1)
    for name in store.snapshots("ada"):
        assert len(found(store.open("ada", name))) == 30
    store.write("ada", rows(["new"], document="one"), ["one"])
    store.publish("ada", "after")
    assert found(store.open("ada", "after")) == {"new"}


def write_with_small_files(root, outcome):
    import resource

    # What a full disk does, without filling one: no file may become larger than 64 kB.
    resource.setrlimit(resource.RLIMIT_FSIZE, (65_536, 65_536))
    try:
        LanceVectorStore(root).write("ada", many(2_000, dimension=64), ["d"])
        outcome.put("written")
    except StorageError as error:
        outcome.put(str(error))


def test_a_full_disk_is_a_clear_error_and_leaves_the_table_as_it_was(store, tmp_path):
    store.write("ada", rows(["a"], dimension=64), [])
    store.publish("ada", "before")
    outcome = SPAWN.Queue()
    writer = SPAWN.Process(target=write_with_small_files, args=(str(tmp_path / "embedded"), outcome))
    writer.start()
    assert "the disk is full" in outcome.get(timeout=60)
    writer.join()
    assert store.contents("ada")["chunk_id"].to_pylist() == ["a"]
    store.write("ada", rows(["b"], dimension=64), ["d"])
    assert store.contents("ada")["chunk_id"].to_pylist() == ["b"]


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
