"""How well search finds the right documents of a labelled set, by our own stack from chunker to fused list.

    python -m llm_twin_assets_tests.benchmarks.retrieval --dataset DIR --json [--rerank MODEL]

DIR is in BEIR layout: `corpus.jsonl` (`_id`, `title`, `text`), `queries.jsonl` (`_id`, `text`) and `qrels/test.tsv`
with a header. A document scores as its best chunk does. bm25, dense and hybrid are one `Retriever` with other
weights; hybrid+rerank is measured where a cross-encoder is named.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import llm_twin_assets
from llm_twin_assets.domain.document import CleanedDocument
from llm_twin_assets.features.embed import embed
from llm_twin_assets.features.retrieve import Retriever
from llm_twin_assets_tests.benchmarks.beir import AUTHOR, Dataset, read
from llm_twin_assets_tests.benchmarks.measuring import Row
from llm_twin_assets_tests.benchmarks.retrieval_datasets import headings, write
from resources.cross_encoder import SentenceTransformersCrossEncoder
from resources.embedder import Embedder
from resources.lance_index import LanceIndex
from resources.lance_store import LanceVectorStore
from resources.settings import Chunking, Embedding, Retrieval

_DEPTH = 10


@dataclass(frozen=True, slots=True)
class Measured:
    """One way of searching: its metrics, and what a query cost it, in milliseconds."""

    metrics: Mapping[str, float]
    p50_ms: float
    p95_ms: float


def index(documents: Sequence[CleanedDocument], embedder: Embedder, root: Path, max_tokens: int) -> LanceIndex:
    """The documents chunked, embedded and published as the assets do it."""
    store = LanceVectorStore(str(root))
    embedded = embed(documents, embedder, max_tokens, lambda _: {}, _progress)
    store.write(AUTHOR, embedded.rows, ())
    store.publish(AUTHOR, "benchmark")
    return store.open(AUTHOR, "benchmark")


def systems(how: Retrieval, rerank: bool = False) -> dict[str, Retrieval]:
    """What is compared: one function with other weights, one chunk a document."""
    how = how.model_copy(update={"per_document": 1, "section_characters": 0})
    compared = {
        "bm25": how.model_copy(update={"dense_weight": 0.0}),
        "dense": how.model_copy(update={"text_weight": 0.0}),
        "hybrid": how,
    }
    return {**compared, "hybrid+rerank": how} if rerank else compared


def measured(
    dataset: Dataset,
    opened: LanceIndex,
    embedder: Embedder,
    how: Retrieval,
    cross_encoder: SentenceTransformersCrossEncoder | None = None,
) -> Measured:
    """Every query asked once, the embedding of the query counted in its time."""
    import ir_measures
    from ir_measures import RR, R, nDCG

    retriever = Retriever(opened, embedder, how, cross_encoder)
    run: dict[str, dict[str, float]] = {}
    seconds: list[float] = []
    for query, text in dataset.queries.items():
        began = time.perf_counter()
        found = retriever.find(text, _DEPTH)
        seconds.append(time.perf_counter() - began)
        # By rank: ir_measures sorts by score, and scores may tie.
        run[query] = {each.document_id: 1.0 / rank for rank, each in enumerate(found.chunks, start=1)}
        if found.lacking:  # a measurement of something else than it says
            raise SystemExit("; ".join(found.lacking))
    asked = {query: dict(dataset.right[query]) for query in dataset.queries}
    names = {"ndcg@10": nDCG @ 10, "recall@3": R @ 3, "recall@5": R @ 5, "recall@10": R @ 10, "mrr": RR}
    values = ir_measures.calc_aggregate(list(names.values()), asked, run)
    metrics = {name: round(float(values[measure]), 4) for name, measure in names.items()}
    p95 = statistics.quantiles(seconds, n=20)[-1] if len(seconds) > 1 else seconds[0]
    return Measured(metrics, round(statistics.median(seconds) * 1000, 2), round(p95 * 1000, 2))


def compared(
    dataset: Dataset, embedder: Embedder, how: Retrieval, max_tokens: int, rerank: str | None = None
) -> dict[str, Measured]:
    """The systems over one index of the documents."""
    cross_encoder = SentenceTransformersCrossEncoder(rerank) if rerank else None
    with tempfile.TemporaryDirectory() as folder:
        opened = index(dataset.documents, embedder, Path(folder), max_tokens)
        Retriever(opened, embedder).find("a question to warm up", 1)
        return {
            name: measured(dataset, opened, embedder, way, cross_encoder if "rerank" in name else None)
            for name, way in systems(how, rerank is not None).items()
        }


def measure() -> list[Row]:
    """On the sample author's articles: what stands under a heading is asked for by the heading."""
    dataset = _of_sample()
    embedder = _embedder(Embedding().model)
    results = compared(dataset, embedder, Retrieval(), Chunking().max_tokens)
    best = max(results["bm25"].metrics["ndcg@10"], results["dense"].metrics["ndcg@10"])
    hybrid = results["hybrid"].metrics["ndcg@10"]
    shown = [
        Row(f"{name}, {len(dataset.queries)} headings", f"nDCG@10 {each.metrics['ndcg@10']:.3f}, "
            f"recall@5 {each.metrics['recall@5']:.3f}, {each.p50_ms:.0f} ms")
        for name, each in results.items()
    ]  # fmt: skip
    return [*shown, Row("hybrid / better part, nDCG@10", f"{hybrid / best:.3f}", "at least 1", hybrid >= best)]


def main() -> None:
    """Measure a folder in BEIR layout."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", type=Path, required=True)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rerank", help="a cross-encoder: hub id or folder")
    parser.add_argument("--category", choices=("auto", "article", "code"), default="auto")
    parser.add_argument("--half", type=int, choices=(0, 1), help="only every other query: choose on 0, report 1")
    parser.add_argument("--fusion", choices=("scores", "ranks"), default="scores")
    parser.add_argument("--model", default=Embedding().model, help="embedding model: hub id or folder")
    chosen = parser.parse_args()
    dataset = read(chosen.dataset, chosen.category)
    if chosen.half is not None:
        some = dict(list(dataset.queries.items())[chosen.half :: 2])
        dataset = Dataset(dataset.documents, some, dataset.right)
    how = Retrieval(fusion=chosen.fusion)
    results = compared(dataset, _embedder(chosen.model), how, Chunking().max_tokens, chosen.rerank)
    if chosen.json:
        report = {
            "dataset": chosen.dataset.name,
            "documents": len(dataset.documents),
            "queries": len(dataset.queries),
            "systems": {
                name: {**each.metrics, "p50_ms": each.p50_ms, "p95_ms": each.p95_ms} for name, each in results.items()
            },
        }
        print(json.dumps(report, indent=2))  # noqa: T201
        return
    for name, each in results.items():
        shown = "  ".join(f"{metric} {value:.3f}" for metric, value in each.metrics.items())
        print(f"{name:14} {shown}  p50 {each.p50_ms:.1f} ms")  # noqa: T201


def _of_sample() -> Dataset:
    texts = Path(llm_twin_assets.__file__).parent / "sample" / "text" / "articles"
    with tempfile.TemporaryDirectory() as folder:
        write(list(headings(texts)), Path(folder))
        return read(Path(folder), "article")


def _embedder(model: str) -> Embedder:
    """As the assets have it: on what was measured to be fastest here, once there is enough to embed."""
    return Embedder(model, backend=Embedding().backend, precision=Embedding().precision)


def _progress(done: int, total: int) -> None:
    print(f"embedded {done} of {total} chunks", file=sys.stderr)  # noqa: T201


if __name__ == "__main__":
    main()
