"""The vector index of a Lance table: which kind for how many rows, and how far to look, measured on the table itself.

`create_index()` left to itself makes IVF_PQ by L2: recall@10 was .43 on real MiniLM vectors. So kind and metric are
always named, and how many partitions are looked into is found by comparing with brute force.
"""

import json
import math
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from resources.vector_store import matrix

if TYPE_CHECKING:
    from lancedb.table import Table

# Below this brute force is as quick as an index and always right.
FLAT_BELOW = 20_000
# From here on an index with all vectors in full would not stay in a laptop's memory (1M x 384 x 4 bytes = 1.5 GB).
QUANTIZED_FROM = 1_000_000

# What an index has to reach on questions near the table's own chunks before it is taken.
RECALL = 0.98
_QUESTIONS = 48
_FIRST_PROBES = 8

_KEY = "twin:vector-index"


@dataclass(frozen=True, slots=True)
class VectorIndex:
    """An index as built: its kind, and how it is asked. `recall` is recall@10 against brute force when it was built."""

    kind: Literal["flat", "ivf_flat", "ivf_rq"] = "flat"
    partitions: int = 0
    probes: int = 0
    refine: int = 0
    recall: float = 1.0
    rows: int = 0
    seconds: float = 0.0

    def as_metadata(self) -> Mapping[str, str | int | float]:
        """For a report."""
        return asdict(self)


def planned(rows: int) -> VectorIndex:
    """The index for so many rows, not yet measured."""
    if rows < FLAT_BELOW:
        return VectorIndex(rows=rows)
    if rows < QUANTIZED_FROM:
        return VectorIndex("ivf_flat", partitions=round(math.sqrt(rows)), rows=rows)
    return VectorIndex("ivf_rq", partitions=round(math.sqrt(rows)), refine=10, rows=rows)


def recorded(table: "Table") -> VectorIndex:
    """The index that the opened version has."""
    metadata = table.schema.field("vector").metadata or {}
    written = metadata.get(_KEY.encode())
    return VectorIndex(**json.loads(written)) if written else VectorIndex()


def probes_for(index: VectorIndex, share: float) -> int:
    """How many partitions to look into when only a share of the chunks may be found: the ten nearest lie farther apart.

    Measured on 60,000 chunks: with a filter that one in fifty passes, recall@10 was .85 with the probes that reach .99
    without one, and .99 with eight times as many; with one that a third passes, .99 with the same.
    """
    return min(index.partitions, math.ceil(index.probes / math.sqrt(max(share, 1e-6))))


def outgrown(have: VectorIndex, rows: int) -> bool:
    """Whether partitions trained on what there was no longer suit: another kind is due, or the table has doubled."""
    return planned(rows).kind != have.kind or (have.kind != "flat" and not have.rows / 2 <= rows <= have.rows * 2)


def build(table: "Table") -> VectorIndex:
    """Train the index that suits the table, find how far to look, and record both in the column's metadata."""
    began = time.monotonic()
    plan = planned(table.count_rows())
    if plan.kind == "flat":
        _drop(table)
    else:
        table.create_index("vector", config=_trained(plan), name="vector_idx")
        plan = calibrated(table, plan)
    built = replace(plan, seconds=round(time.monotonic() - began, 2))
    table.update_field_metadata({"path": "vector", "metadata": {_KEY: json.dumps(asdict(built))}})
    return built


def calibrated(table: "Table", index: VectorIndex) -> VectorIndex:
    """The index asked with as few probes as reach `RECALL`: half as many more until they do, or all are seen."""
    questions = _questions(table, index.rows)
    truth = _truth(table, questions)
    probes = _FIRST_PROBES
    while True:
        tried = replace(index, probes=min(probes, index.partitions))
        found = [_found(table, each, tried) for each in questions]
        hits = sum(len(ours & theirs) for ours, theirs in zip(found, truth, strict=True))
        recall = hits / max(sum(map(len, truth)), 1)
        if recall >= RECALL or probes >= index.partitions:
            return replace(tried, recall=round(recall, 4))
        probes += probes // 2


def _trained(plan: VectorIndex) -> object:
    from lancedb.index import IvfFlat, IvfRq

    kind = IvfFlat if plan.kind == "ivf_flat" else IvfRq
    # LanceDB's own 256 samples a partition and 50 rounds of k-means take several times as long, for a recall that is
    # measured afterwards anyway.
    return kind(distance_type="cosine", num_partitions=plan.partitions, sample_rate=64, max_iterations=16)


def _drop(table: "Table") -> None:
    for index in table.list_indices():
        if index.columns == ["vector"]:
            table.drop_index(index.name)


def _questions(table: "Table", rows: int) -> NDArray[np.float32]:
    """Vectors between two chunks each: a question lies near chunks and is none, and its neighbours are not trivial."""
    generator = np.random.default_rng(rows)
    picked = generator.choice(rows, size=2 * _QUESTIONS, replace=False)
    taken = table.take_offsets(sorted(picked.tolist())).select(["vector"]).to_arrow()["vector"].combine_chunks()
    vectors = matrix(taken)
    near, far = vectors[::2], vectors[1::2]
    asked: NDArray[np.float32] = 0.75 * near + 0.25 * far
    return asked


def _truth(table: "Table", questions: NDArray[np.float32]) -> list[set[int]]:
    """Row ids of the ten nearest of each question, by brute force: all questions in one pass over the vectors."""
    asked = questions / np.linalg.norm(questions, axis=1, keepdims=True)
    ids, scores = np.empty((len(asked), 0), np.uint64), np.empty((len(asked), 0), np.float32)
    for batch in table.search().select(["vector"]).with_row_id(True).to_batches():
        vectors = matrix(batch["vector"])
        here = asked @ vectors.T / np.linalg.norm(vectors, axis=1)
        scores = np.hstack([scores, here])
        ids = np.hstack([ids, np.broadcast_to(batch["_rowid"].to_numpy(), here.shape)])
        best = np.argsort(-scores, axis=1)[:, :10]
        scores, ids = np.take_along_axis(scores, best, axis=1), np.take_along_axis(ids, best, axis=1)
    return [set(each.tolist()) for each in ids]


def _found(table: "Table", vector: NDArray[np.float32], index: VectorIndex) -> set[int]:
    query = table.search(vector.tolist(), vector_column_name="vector").distance_type("cosine").limit(10)
    query = query.nprobes(index.probes)
    query = query.refine_factor(index.refine) if index.refine else query
    return set(query.select(["_distance"]).with_row_id(True).to_arrow()["_rowid"].to_pylist())
