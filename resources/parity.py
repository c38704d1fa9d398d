"""Whether a published snapshot is what was written: ids, counts, and a sample of the vectors."""

import random
from collections import Counter
from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from resources.vector_store import Index

_SAMPLE = 64
# Servers keep float32; cosine of a vector with itself is 1 but for the last bits.
_TOLERANCE = 1e-4


def parity(expected: pa.Table, published: Index) -> Mapping[str, list[str]]:
    """Chunks by what is wrong with them in the snapshot; every list is empty if nothing is.

    `expected` has `chunk_id`, `document_hash` and, unless vectors shall not be looked at, `vector`.
    """
    there = published.rows(["chunk_id", "document_hash"])
    hashes = dict(zip(_strings(there, "chunk_id"), _strings(there, "document_hash"), strict=True))
    wanted = dict(zip(_strings(expected, "chunk_id"), _strings(expected, "document_hash"), strict=True))
    times = Counter(_strings(there, "chunk_id"))
    double = sorted(chunk for chunk, number in times.items() if number > 1)
    wrong = {
        "missing": sorted(wanted.keys() - hashes.keys()),
        "superfluous": sorted(hashes.keys() - wanted.keys()),
        "double": double,
        "of another version": sorted(each for each in wanted.keys() & hashes.keys() if wanted[each] != hashes[each]),
        "other vector": _other_vectors(expected, published) if "vector" in expected.column_names else [],
    }
    if published.count() != there.num_rows:
        wrong["counted"] = [f"{published.count()} instead of {there.num_rows}"]
    return wrong


def _other_vectors(expected: pa.Table, published: Index) -> list[str]:
    if not expected.num_rows:
        return []
    # The same rows each time: what fails once shall fail again.
    picked = sorted(random.Random(0).sample(range(expected.num_rows), min(_SAMPLE, expected.num_rows)))  # noqa: S311
    sample = expected.select(["chunk_id", "vector"]).take(picked)
    ours = dict(zip(_strings(sample, "chunk_id"), sample["vector"].to_pylist(), strict=True))
    found = published.rows(["chunk_id", "vector"], list(ours))
    theirs = dict(zip(_strings(found, "chunk_id"), found["vector"].to_pylist(), strict=True))
    return sorted(chunk for chunk in ours.keys() & theirs.keys() if not _same(ours[chunk], theirs[chunk]))


def _same(ours: list[float], theirs: list[float]) -> bool:
    one, other = np.asarray(ours), np.asarray(theirs)
    if one.shape != other.shape:
        return False
    cosine = one @ other / (np.linalg.norm(one) * np.linalg.norm(other))
    return bool(abs(cosine - 1.0) <= _TOLERANCE)  # False for NaN


def _strings(rows: pa.Table, column: str) -> list[str]:
    return list(rows[column].to_pylist())
