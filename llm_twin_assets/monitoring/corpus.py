"""Vectors of what an author wrote, a sample: enough to say how far questions lie from it."""

import numpy as np

from llm_twin_assets.monitoring.columns import Vectors
from llm_twin_assets.monitoring.history import CorpusSample
from resources.errors import StorageError
from resources.vector_store import VectorStore, matrix

# 500 questions against so many are a million products: some ten milliseconds, and 3 MB.
_CHUNKS = 2000


def corpus_sample(store: VectorStore, author: str) -> CorpusSample:
    """A sample of a snapshot's chunks, the same whenever it is asked for; none of a snapshot that is gone."""
    read: dict[str, Vectors] = {}

    def sample(snapshot: str) -> Vectors:
        if snapshot not in read:
            read[snapshot] = _vectors(store, author, snapshot)
        return read[snapshot]

    return sample


def _vectors(store: VectorStore, author: str, snapshot: str) -> Vectors:
    try:
        index = store.open(author, snapshot)
        # Ids are digests: the least of them are chunks of any kind.
        chosen = sorted(index.rows(["chunk_id"])["chunk_id"].to_pylist())[:_CHUNKS]
        rows = index.rows(["vector"], chosen)
    except StorageError:
        return np.empty((0, 0), np.float32)
    return matrix(rows["vector"].combine_chunks())
