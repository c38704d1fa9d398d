"""Work on an author's index that dies where a test says."""

import resource
import signal
from pathlib import Path

import numpy as np
import pyarrow as pa
from lancedb.db import LanceDBConnection
from lancedb.merge import LanceMergeInsertBuilder
from lancedb.table import LanceTable, Tags

from llm_twin_assets_tests.faults.own_process import DyingWrites
from llm_twin_assets_tests.resources.chunks import rows, with_vectors
from resources import lance_upkeep, lance_vectors
from resources.errors import StorageError
from resources.lance_store import LanceVectorStore

AUTHOR = "ada"
DIMENSION = 8
DOCUMENTS = 30
CHUNKS = 10

# Everything by which a Lance table changes on disk.
WRITES: tuple[tuple[type, tuple[str, ...]], ...] = (
    (LanceDBConnection, ("create_table",)),
    (LanceMergeInsertBuilder, ("execute",)),
    (LanceTable, ("add_columns", "create_index", "delete", "drop_index", "optimize", "update_field_metadata")),
    (Tags, ("create", "delete", "update")),
)


def make_small() -> None:
    """Let a table of some hundred rows have every index, and be compacted at each publication."""
    lance_vectors.FLAT_BELOW = 100
    lance_upkeep._FILES = 1


def corpus(turn: int) -> pa.Table:
    """All chunks of a corpus in its n-th state: other texts, other hashes, and each document one chunk longer."""
    parts = [
        rows(
            [f"{document}-{number}" for number in range(CHUNKS + turn)],
            document=f"d{document}", document_hash=f"hash-{turn}", dimension=DIMENSION, text=f"the loom of turn{turn}",
        )
        for document in range(DOCUMENTS)
    ]  # fmt: skip
    whole = pa.concat_tables(parts)
    vectors = np.random.default_rng(turn).standard_normal((whole.num_rows, DIMENSION), dtype=np.float32)
    return with_vectors(whole, vectors.tolist())


def name(contents: pa.Table) -> str:
    """A snapshot's name: the states that its documents are in."""
    return "-".join(
        ["snapshot", *sorted({each.removeprefix("hash-") for each in contents["document_hash"].to_pylist()})]
    )


def run(root: str, turn: int) -> None:
    """One run from write to upkeep."""
    make_small()
    store = LanceVectorStore(root)
    hashes = store.document_hashes(AUTHOR, "article")
    if set(hashes.values()) != {f"hash-{turn}"}:
        store.write(AUTHOR, corpus(turn), sorted(hashes))
    store.publish_as(AUTHOR, name)
    store.retire(AUTHOR, [], days=0)


def run_and_die_after(root: str, turn: int, number: int) -> None:
    """A run that is killed right after its n-th write."""
    dying = DyingWrites(number)
    for kind, writes in WRITES:
        for each in writes:
            setattr(kind, each, dying.counted(getattr(kind, each)))
    run(root, turn)


def run_and_die_within(root: str, turn: int, size: int) -> None:
    """A run that is killed in the middle of the first file that becomes larger than so many bytes."""
    # Python ignores the signal, so that writing fails instead; at its default it ends the process.
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    run(root, turn)


def run_on_full_disk(root: str, turn: int, size: int, outcome: str) -> None:
    """A run that can make no file larger than so many bytes; the error it ends with, if any, goes into a file."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    try:
        run(root, turn)
    except StorageError as error:
        Path(outcome).write_text(str(error))


def run_category(root: str, category: str) -> None:
    """Several writes and publications of one category, as its asset makes them."""
    store = LanceVectorStore(root)
    for turn in range(3):
        names = [f"{category}-{turn}-{number}" for number in range(20)]
        store.write(AUTHOR, rows(names, category=category, document=category), [category])
        snapshot = store.publish_as(AUTHOR, lambda held: f"s-{hash(tuple(sorted(held['chunk_id'].to_pylist())))}")
        if store.open(AUTHOR, snapshot).count() % 20:
            raise AssertionError("a snapshot holds part of a document")
