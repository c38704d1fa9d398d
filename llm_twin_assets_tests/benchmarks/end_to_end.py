"""Raw documents to a searchable index, against a plain script of sentence-transformers and lancedb on the same chunks.

Ours cleans, chunks, embeds, writes, indexes, publishes; the plain script is given the chunks and encodes them (torch,
float32, as they come) into a table with a full-text index. Each is a process of its own, by turns, which times itself
from its first document on (importing and loading the model is left out of both) and says its own peak memory.
"""

import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import llm_twin_assets
from llm_twin_assets.domain.document import Category, RawDocument
from llm_twin_assets.domain.identity import content_hash, document_id
from llm_twin_assets_tests.benchmarks.measuring import Row

_ROUNDS = 2
_AUTHOR = "bench"


@dataclass(frozen=True, slots=True)
class _Run:
    """One process: seconds of processor time and by the clock, megabytes at its peak, documents and chunks."""

    cpu: float
    wall: float
    peak_mb: float
    documents: int
    chunks: int


def measure() -> list[Row]:
    """Medians over the rounds; ratios of processor time, which a busy machine does not change as much."""
    with tempfile.TemporaryDirectory() as home:
        # Once before: it chooses the backend and exports the model, which a machine does once, and leaves the chunks.
        _once("ours", Path(home), "first")
        runs: dict[str, list[_Run]] = {"ours": [], "plain": []}
        for number in range(_ROUNDS):
            for name, each in runs.items():
                each.append(_once(name, Path(home), f"{name}-{number}"))
    ours, plain = (_median(runs[name]) for name in ("ours", "plain"))
    speed, memory = plain.cpu / ours.cpu, ours.peak_mb / plain.peak_mb
    return [
        *(
            Row(name, f"{run.documents / run.wall:.2f} documents/s ({run.documents / run.cpu:.2f} a processor second), "
                f"{run.chunks} chunks, peak {run.peak_mb:.0f} MB")
            for name, run in (("ours, clean to index", ours), ("plain, chunks to index", plain))
        ),
        Row("plain / ours, processor time", f"{speed:.2f}", "at least 0.95", speed >= 0.95),
        Row("ours / plain, peak memory", f"{memory:.2f}", "at most 1.25", memory <= 1.25),
    ]  # fmt: skip


def _ours(home: Path, name: str) -> Callable[[], tuple[int, int]]:
    from llm_twin_assets.features.incremental import clean_changed, index_changed
    from resources.embedder import Embedder
    from resources.lance_store import LanceVectorStore
    from resources.settings import Chunking, Embedding

    embedder = Embedder(Embedding().model, backend="auto", precision="auto", cache=home / "embedding")
    if name == "first":
        embedder.settle()
    embedder.encode(["warm"])
    store, raw = LanceVectorStore(str(home / name)), _raw_documents()

    def run() -> tuple[int, int]:
        documents = clean_changed(raw, ()).documents
        done = index_changed(_AUTHOR, Category.ARTICLE, documents, store, embedder, Chunking().max_tokens)
        rows = store.rows(_AUTHOR, Category.ARTICLE, ["indexed_text"])
        (home / "chunks.json").write_text(json.dumps(rows["indexed_text"].to_pylist()), encoding="utf-8")
        return len(documents), done.embedded.chunks

    return run


def _plain(home: Path, name: str) -> Callable[[], tuple[int, int]]:
    import lancedb
    from sentence_transformers import SentenceTransformer

    from resources.embedding_model import model_folder
    from resources.settings import Embedding

    model = SentenceTransformer(str(model_folder(Embedding().model, None)))
    model.encode(["warm"])
    texts: list[str] = json.loads((home / "chunks.json").read_text(encoding="utf-8"))

    def run() -> tuple[int, int]:
        vectors = model.encode(texts)
        rows = [{"text": text, "vector": vector} for text, vector in zip(texts, vectors, strict=True)]
        table = lancedb.connect(str(home / name)).create_table("chunks", rows)
        table.create_fts_index("text")
        return len(_raw_documents()), len(texts)

    return run


_CONTENDERS: Mapping[str, Callable[[Path, str], Callable[[], tuple[int, int]]]] = {"ours": _ours, "plain": _plain}


def _raw_documents() -> list[RawDocument]:
    """The sample author's articles."""
    folder = Path(llm_twin_assets.__file__).parent / "sample" / "text" / "articles"
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    documents = []
    for file in sorted(folder.rglob("*.md")):
        text = file.read_text(encoding="utf-8")
        documents.append(
            RawDocument(
                document_id=document_id(_AUTHOR, file.name),
                author=_AUTHOR,
                platform="files",
                category=Category.ARTICLE,
                url=None,
                title=None,
                content=text,
                media_type="text/markdown",
                published_at=moment,
                code_language=None,
                repository=None,
                path=None,
                content_hash=content_hash(None, text),
                collected_at=moment,
            )
        )
    return documents


def _once(name: str, home: Path, folder: str) -> _Run:
    done = subprocess.run(
        [sys.executable, "-m", "llm_twin_assets_tests.benchmarks.end_to_end", name, str(home), folder],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"{name} ended with {done.returncode}: {done.stderr[-500:]}")
    return _Run(**json.loads(done.stdout.splitlines()[-1]))


def _median(runs: list[_Run]) -> _Run:
    def of(attribute: str) -> float:
        return float(statistics.median(getattr(run, attribute) for run in runs))

    return _Run(of("cpu"), of("wall"), of("peak_mb"), runs[0].documents, runs[0].chunks)


def _child(name: str, home: Path, folder: str) -> None:
    run = _CONTENDERS[name](home, folder)
    cpu, wall = time.process_time(), time.perf_counter()
    documents, chunks = run()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    # Kilobytes on Linux, bytes on macOS.
    unit = 1e6 if sys.platform == "darwin" else 1e3
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
    values = {"cpu": cpu, "wall": wall, "peak_mb": peak, "documents": documents, "chunks": chunks}
    print(json.dumps(values))  # noqa: T201


if __name__ == "__main__":
    _child(sys.argv[1], Path(sys.argv[2]), sys.argv[3])
