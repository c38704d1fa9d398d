"""What a search of the vector index costs, by how many chunks there are: latency, recall, and cost of growth.

Vectors are synthetic: clusters of unequal size in a 64-dimensional subspace of 384 dimensions, overlapping, so that
the ten nearest of a question lie in several clusters. Questions are drawn from the same
clusters and are not in the index.

    python -m llm_twin_assets_tests.benchmarks.latency [--sizes 10000 200000] [--full] [--json]
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from llm_twin_assets.features.index_rows import rows_schema
from llm_twin_assets_tests.benchmarks.measuring import Row
from resources.lance_index import LanceIndex
from resources.lance_store import LanceVectorStore
from resources.vector_store import Filters

DIMENSION = 384
QUESTIONS = 200
RECALL = 0.97
P50_AT_200K = 10.0
_STEP = 20_000
_CATEGORIES = ("article", "article", "post")
_FILTERS = {
    "everything": Filters(),
    "a third": Filters(categories=("post",)),
    "one in fifty": Filters(platforms=("p7",)),
}


@dataclass(frozen=True, slots=True)
class Latency:
    """A search at one size under one filter; milliseconds."""

    chunks: int
    filtered: str
    p50: float
    p95: float
    p99: float
    recall: float
    brute_force: float


@dataclass(frozen=True, slots=True)
class Growth:
    """What it took to come to a size; seconds."""

    chunks: int
    written: float
    published: float
    index: str


def measure() -> list[Row]:
    """Rows for `make bench`."""
    rows = []
    for chunks in (10_000, 200_000):
        growth, latencies = measured(chunks)
        for each in latencies:
            bound = P50_AT_200K if chunks == 200_000 and each.filtered == "everything" else None
            rows.append(
                Row(
                    f"{chunks:,} chunks, {each.filtered}",
                    f"p50 {each.p50:.1f} p95 {each.p95:.1f} p99 {each.p99:.1f} ms, recall@10 {each.recall:.3f}, "
                    f"{each.p50 / each.brute_force:.2f} of numpy",
                    f"recall {RECALL}" + (f", p50 {bound:.0f} ms" if bound else ""),
                    each.recall >= RECALL and (bound is None or each.p50 <= bound),
                )
            )
        took = f"written in {growth.written:.1f} s, published in {growth.published:.1f} s"
        rows.append(Row(f"{chunks:,} chunks", took))
    return rows


def measured(chunks: int) -> tuple[Growth, list[Latency]]:
    """Write so many chunks, publish, and ask."""
    every = vectors(chunks + QUESTIONS)
    stored, questions = every[:chunks], every[chunks:]
    with tempfile.TemporaryDirectory(prefix="twin-latency-") as folder:
        store = LanceVectorStore(folder)
        began = time.perf_counter()
        for rows in batches(stored):
            store.write("bench", rows, [])
        written = time.perf_counter() - began
        store.publish("bench", "snapshot-1")
        published = time.perf_counter() - began - written
        index = store.open("bench", "snapshot-1")
        made = index.configuration()
        growth = Growth(chunks, written, published, " ".join(f"{key}={value}" for key, value in made.items()))
        return growth, [_asked(index, stored, questions, name) for name in _FILTERS]


def vectors(count: int, seed: int = 7) -> NDArray[np.float32]:
    """Unit vectors in overlapping clusters, shape (count, 384)."""
    random = np.random.default_rng(seed)
    basis = random.standard_normal((64, DIMENSION), dtype=np.float32) / 8
    centres = random.standard_normal((max(count // 200, 20), 64), dtype=np.float32)
    sizes = random.zipf(1.5, len(centres)).clip(max=200).astype(float)
    cluster = random.choice(len(centres), count, p=sizes / sizes.sum())
    made = np.empty((count, DIMENSION), np.float32)
    for start in range(0, count, _STEP):
        some = cluster[start : start + _STEP]
        inner = centres[some] + 0.8 * random.standard_normal((len(some), 64), dtype=np.float32)
        outer = inner @ basis + 0.02 * random.standard_normal((len(some), DIMENSION), dtype=np.float32)
        made[start : start + _STEP] = outer / np.linalg.norm(outer, axis=1, keepdims=True)
    return made


def _asked(index: LanceIndex, stored: NDArray[np.float32], questions: NDArray[np.float32], name: str) -> Latency:
    filters = _FILTERS[name]
    passing = np.flatnonzero(_passes(len(stored), filters))
    truth, brute_force = _nearest(stored[passing] if len(passing) < len(stored) else stored, questions)
    for question in questions[:10]:
        index.dense(question.tolist(), 10, filters)
    taken, hits = [], 0
    for question, right in zip(questions, truth, strict=True):
        began = time.perf_counter()
        found = index.dense(question.tolist(), 10, filters)
        taken.append(1000 * (time.perf_counter() - began))
        hits += len({int(hit.row["chunk_id"]) for hit in found} & set(passing[right].tolist()))
    p50, p95, p99 = np.percentile(taken, [50, 95, 99])
    return Latency(len(stored), name, float(p50), float(p95), float(p99), hits / (10 * len(questions)), brute_force)


def _nearest(stored: NDArray[np.float32], questions: NDArray[np.float32]) -> tuple[list[NDArray[np.int64]], float]:
    """Offsets of the ten nearest of each question, and the median milliseconds of looking at all vectors."""
    taken, found = [], []
    for question in questions:
        began = time.perf_counter()
        found.append(np.argpartition(stored @ question, -10)[-10:])
        taken.append(1000 * (time.perf_counter() - began))
    return found, float(np.median(taken))


def batches(stored: NDArray[np.float32]) -> Iterator[pa.Table]:
    """Rows of the index for these vectors."""
    schema = rows_schema(DIMENSION)
    for start in range(0, len(stored), _STEP):
        some = stored[start : start + _STEP]
        numbers = range(start, start + len(some))
        columns = {
            "chunk_id": [str(each) for each in numbers],
            "document_id": [f"document-{each // 8}" for each in numbers],
            "ordinal": [each % 8 for each in numbers],
            "category": [_CATEGORIES[each % 3] for each in numbers],
            "platform": [f"p{each % 50}" for each in numbers],
            "text": [f"Sentence {each} says what is said. " * 20 for each in numbers],
            "published_at": [datetime(2025, 1, 1, tzinfo=UTC)] * len(some),
            "vector": pa.FixedSizeListArray.from_arrays(pa.array(some.reshape(-1)), DIMENSION),
        }
        yield pa.table([_column(field, columns, len(some)) for field in schema], schema=schema)


def _column(field: pa.Field, columns: dict[str, object], count: int) -> pa.Array:
    if field.name == "vector":
        return columns["vector"]
    # Words do not matter here: full text is measured elsewhere.
    empty = "words" if field.name == "indexed_text" else "" if pa.types.is_string(field.type) else None
    kinds: tuple[tuple[Callable[[pa.DataType], bool], object], ...] = ((pa.types.is_integer, 0), (pa.types.is_list, []))
    default = next((value for is_it, value in kinds if is_it(field.type)), empty)
    return pa.array(columns.get(field.name, [default] * count), field.type)


def _passes(count: int, filters: Filters) -> NDArray[np.bool_]:
    numbers = np.arange(count)
    passing: NDArray[np.bool_] = numbers >= 0
    if filters.categories:
        passing = numbers % 3 == 2
    elif filters.platforms:
        passing = numbers % 50 == 7
    return passing


def main() -> None:
    """Measure the sizes asked for and show the curve."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 200_000])
    parser.add_argument("--full", action="store_true", help="a million chunks too (4 GB of memory, some minutes)")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    for chunks in [*arguments.sizes, *([1_000_000] if arguments.full else [])]:
        growth, latencies = measured(chunks)
        results: list[Growth | Latency] = [growth, *latencies]
        for each in results:
            line = json.dumps(asdict(each)) if arguments.json else _line(asdict(each))
            sys.stdout.write(line + "\n")
            sys.stdout.flush()


def _line(values: dict[str, object]) -> str:
    shown = {key: f"{value:.3f}" if isinstance(value, float) else str(value) for key, value in values.items()}
    return "  ".join(f"{key} {value}" for key, value in shown.items())


if __name__ == "__main__":
    main()
