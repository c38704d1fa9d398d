"""What the service itself costs and stands: over an instant model, on 200,000 chunks, while releases are swapped.

The service runs as it does for people, in BentoML and processes of its own; requests come over HTTP.

    python -m llm_twin_assets_tests.benchmarks.serving [--minutes 30]
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import psutil
import pyarrow as pa

from llm_twin_assets.features.retriever import retriever_of
from llm_twin_assets_tests.benchmarks.latency import batches, vectors
from llm_twin_assets_tests.benchmarks.load import Response, at_rate, in_turn, percentiles
from llm_twin_assets_tests.benchmarks.measuring import Row
from llm_twin_assets_tests.bentos import servers
from llm_twin_assets_tests.inference import tiny_twin
from resources.embedder import Embedder
from resources.lance_store import LanceVectorStore
from resources.settings import Retrieval
from resources.vector_store import Filters

OVERHEAD = 3.0
SEARCH_P50, SEARCH_P99 = 15.0, 60.0
STALL = 1.0
GROWTH = 0.02
CHUNKS, BENCH = 200_000, "bench"
_SWAPS = 10
_WARM = 10  # seconds of load before the first swap
_PAUSE = 6  # seconds between swaps: a release begins with empty caches, and nobody releases by the second
_WORDS = 20_000
_SETTINGS = "authors: {maya: {name: Maya, sources: [{platform: files}]}}\nserving: {max_new_tokens: 16}\n"
_TEXTS = {each.document_id: each.text for each in tiny_twin.DOCUMENTS}


def rows(minutes: float = 0) -> list[Row]:
    """Rows for `make bench`; with `minutes` also those of mixed load for so long."""
    with tempfile.TemporaryDirectory(prefix="twin-serving-") as folder:
        home = Path(folder)
        embedder = _embedder(home)
        embedder.settle()  # as whoever embeds a corpus of that size has done long before
        _make(home, embedder)
        found = [*_swapping(home, embedder)]
        if minutes:
            found += _mixed(home, embedder, minutes)
        return [*found, *_instant(home, embedder)]


def _embedder(home: Path, *, for_questions: bool = False) -> Embedder:
    model, cache = "sentence-transformers/all-MiniLM-L6-v2", home / "embedding"
    return Embedder(model, backend="auto", precision="auto", cache=cache, for_questions=for_questions)


def _instant(home: Path, embedder: Embedder) -> list[Row]:
    _make_large(home, embedder)
    with _service("llm_twin_assets_tests.benchmarks.instant_service:Instant", home) as (url, _):
        in_turn(url, _answer, 30)
        alone, _ = percentiles(_retrievals(home))
        whole, late = percentiles(in_turn(url, lambda number: _answer(number + 1000), 300))
        again, _ = percentiles(_retrievals(home))
        retrieval = min(alone, again)
        in_turn(url, _search, 20)
        searched = at_rate(url, lambda number: _search(number + 1000), 20, lambda seconds: seconds > 30)
    p50, p99 = percentiles([each.late for each in searched])
    failed = sum(each.status != 200 for each in searched)
    return [
        Row(
            "/v1/answer of an instant model, without its retrieval, p50",
            f"{whole - retrieval:.1f} ms (of {whole:.1f}; p99 {late:.1f})",
            f"≤ {OVERHEAD:.0f} ms",
            whole - retrieval <= OVERHEAD,
        ),
        Row(
            f"/v1/search on {CHUNKS:,} chunks, 20 requests/s",
            f"p50 {p50:.1f} p99 {p99:.1f} ms, {failed} of {len(searched)} failed",
            f"p50 ≤ {SEARCH_P50:.0f}, p99 ≤ {SEARCH_P99:.0f} ms",
            p50 <= SEARCH_P50 and p99 <= SEARCH_P99 and not failed,
        ),
    ]


def _swapping(home: Path, embedder: Embedder) -> list[Row]:
    """Ten releases one after the other, under 50 requests a second: searches, and questions that were asked before."""
    with _service("bentos.service:Twin", home) as (url, process):
        for sequence in (2, 3):  # from then on two releases are open, as ever after
            _swap(home, embedder, sequence, url)
        in_turn(url, _mixed_quick, 20)  # the load begins on a service that has answered before
        done: list[int] = []
        sizes: list[float] = []

        def swapping() -> None:
            time.sleep(_WARM)  # threads and buffers of the load itself are no swap's
            sizes.append(_resident_mb(process))
            for sequence in range(4, 4 + _SWAPS):
                _swap(home, embedder, sequence, url)
                done.append(sequence)
                time.sleep(_PAUSE)

        swapper = Thread(target=swapping)
        swapper.start()
        responses = at_rate(url, _mixed_quick, 50, lambda _: not swapper.is_alive(), lines=48)
        swapper.join()
        time.sleep(2)
        before, after = sizes[0], _resident_mb(process)
    failed = [each for each in responses if each.status != 200]
    stall, growth = max(each.late for each in responses), after / before - 1
    return [
        Row(
            f"{len(done)} swaps under 50 requests/s, {_PAUSE} s apart",
            f"{len(failed)} of {len(responses)} failed, longest stall {stall:.2f} s",
            f"0 failed, ≤ {STALL:.0f} s",
            len(done) == _SWAPS and not failed and stall <= STALL,
        ),
        Row(
            f"memory after {len(done)} swaps",
            f"{growth:+.1%} ({before:.0f} to {after:.0f} MB)",
            f"≤ {GROWTH:.0%}",
            growth <= GROWTH,
        ),
    ]


def _mixed(home: Path, embedder: Embedder, minutes: float) -> list[Row]:
    """All that can be asked, five times a second, and a swap each minute; an answer is held against its release."""
    with _service("bentos.service:Twin", home) as (url, process):
        newest = sequence = len(list((home / "objects/releases/maya").glob("0*.json")))
        until, sizes, next_swap = time.monotonic() + 60 * minutes, list[tuple[float, float]](), 0.0
        asked: list[Response] = []
        load = Thread(
            target=lambda: asked.extend(at_rate(url, _mixed_all, 5, lambda _: time.monotonic() > until, lines=8))
        )
        load.start()
        while load.is_alive():
            if time.monotonic() >= next_swap and time.monotonic() < until:
                sequence += 1
                _swap(home, embedder, sequence, url)
                next_swap = time.monotonic() + 60
            sizes.append((time.monotonic(), _resident_mb(process)))
            time.sleep(1)
        load.join()
    failed = [each for each in asked if each.status != 200]
    wrong = [each for each in asked if each.status == 200 and not _is_right(each, home)]
    # Caches fill, and two releases are open only after the first swaps: the second fifth of the time is where it began.
    fifth = max(1, len(sizes) // 5)
    begin = float(np.median([size for _, size in sizes[fifth : 2 * fifth]]))
    growth = float(np.median([size for _, size in sizes[-fifth:]])) / begin - 1
    return [
        Row(
            f"{minutes:g} minutes of mixed load, {sequence - newest} swaps",
            f"{len(wrong)} wrong and {len(failed)} failed of {len(asked)}",
            "0 wrong, 0 failed",
            not wrong and not failed,
        ),
        Row("memory over that time", f"{growth:+.1%} (from {begin:.0f} MB)", f"≤ {GROWTH:.0%}", growth <= GROWTH),
    ]


def _answer(number: int) -> tuple[str, dict[str, Any]]:
    return "/v1/answer", {"author": "maya", "question": f"How should I split samples, in {number} words?"}


def _search(number: int) -> tuple[str, dict[str, Any]]:
    drawn = np.random.default_rng(number).integers(50, 5000, 4)
    return "/v1/search", {"author": BENCH, "query": " ".join(f"word{each}" for each in drawn), "k": 10}


def _mixed_quick(number: int) -> tuple[str, dict[str, Any]]:
    return _answer(number % 4) if number % 2 else ("/v1/search", {"author": "maya", "query": f"ferry {number}"})


def _mixed_all(number: int) -> tuple[str, dict[str, Any]]:
    question = f"How should I split samples, in {number % 200} words?"
    chat = {"model": "maya", "messages": [{"role": "user", "content": question}]}
    every: list[tuple[str, dict[str, Any]]] = [
        _answer(number % 200),
        ("/v1/answer", {"author": "maya", "question": question, "stream": True}),
        ("/v1/search", {"author": "maya", "query": question}),
        ("/v1/write", {"author": "maya", "topic": f"Chunks, part {number % 50}"}),
        ("/v1/chat/completions", chat),
        ("/v1/chat/completions", {**chat, "stream": True}),
        ("/v1/embeddings", {"model": "maya", "input": question}),
    ]
    return every[number % len(every)]


def _is_right(response: Response, home: Path) -> bool:
    """Whether an answer is of the release that it names, with its parts, and quotes what stands in the documents."""
    if response.path not in ("/v1/answer", "/v1/write"):
        return True
    given = _last_event(response.body) if response.body.startswith(b"event:") else response.json
    if "release" not in given:  # a stream that ended in an error
        return False
    record = json.loads((home / f"objects/releases/maya/{given['release'][-6:]}.json").read_text(encoding="utf-8"))
    quotes = all(
        _TEXTS[each["document_id"]][each["start"] : each["end"]] == each["quote"] for each in given["citations"]
    )
    return quotes and (given["model_version"], given["snapshot"]) == (record["model_version"], record["snapshot"])


def _last_event(body: bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(body.decode().rstrip().rsplit("\ndata: ", 1)[1])
    return found


def _retrievals(home: Path) -> list[float]:
    """Seconds of the same retrieval without a service around it, its question embedded as a service does."""
    embedder = _embedder(home, for_questions=True)
    index = LanceVectorStore(str(home / "embedded")).open("maya", tiny_twin.SNAPSHOT)
    retriever, seconds = retriever_of(index, embedder, Retrieval()), []
    for number in range(200):
        began = time.perf_counter()
        retriever.find(str(_answer(number + 5000)[1]["question"]), 6, Filters())
        seconds.append(time.perf_counter() - began)
    return seconds


def _make(home: Path, embedder: Embedder) -> None:
    tiny_twin.embed_documents(home, embedder)
    for seed, name in enumerate(("tiny", "other")):
        tiny_twin.write_model(home / "objects/models" / name, seed=seed)
    tiny_twin.point_to(home, tiny_twin.release(embedder))
    (home / "twin.yaml").write_text(_SETTINGS, encoding="utf-8")


def _make_large(home: Path, embedder: Embedder) -> None:
    """A snapshot of so many chunks, whose words are as unevenly common as words are."""
    store, random = LanceVectorStore(str(home / "embedded")), np.random.default_rng(3)
    common = 1 / np.arange(1, _WORDS + 1)
    words = np.array([f"word{number}" for number in range(_WORDS)])
    for rows in batches(vectors(CHUNKS)):
        drawn = words[random.choice(_WORDS, (len(rows), 96), p=common / common.sum())]
        texts = pa.array([" ".join(each) for each in drawn])  # of some 800 characters: as long as a chunk is
        for column in ("text", "indexed_text"):
            at = rows.schema.get_field_index(column)
            rows = rows.set_column(at, rows.schema.field(at), texts)
        store.write(BENCH, rows, ())
    store.publish(BENCH, tiny_twin.SNAPSHOT)
    tiny_twin.point_to(home, tiny_twin.release(embedder, author=BENCH))


def _swap(home: Path, embedder: Embedder, sequence: int, url: str) -> None:
    """Release the other model and wait until it answers."""
    path = f"models/{('other', 'tiny')[sequence % 2]}"
    record = tiny_twin.point_to(home, tiny_twin.release(embedder, sequence=sequence, model_path=path))
    servers.wait_until(lambda: _serving(url) == record.release_id)


def _serving(url: str) -> str:
    import httpx

    return str(httpx.get(f"{url}/v1/releases/current?author=maya", timeout=30).json()["release"])


@contextmanager
def _service(target: str, home: Path) -> Iterator[tuple[str, psutil.Process]]:
    """A BentoML service on a home, ready, and the process that it is with all its children."""
    port = servers.free_port()
    environment = {
        "TWIN_HOME": str(home), "TWIN_CONFIG": str(home / "twin.yaml"), "PHOENIX_URL": "",
        "BENTOML_DO_NOT_TRACK": "true",
        # As many threads as people's have, and as the choice of what embeds was measured with.
        "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", ""),
    }  # fmt: skip
    command = ["bentoml", "serve", target, "--host", "127.0.0.1", "--port", str(port)]
    with servers.running(command, environment, home / "service.log") as process:
        servers.wait_for(f"http://127.0.0.1:{port}/readyz")
        yield f"http://127.0.0.1:{port}", psutil.Process(process.pid)


def _resident_mb(process: psutil.Process) -> float:
    return sum(each.memory_info().rss for each in (process, *process.children(recursive=True))) / 2**20


def main() -> None:
    """Measure, for as long as is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=0, help="mixed load for so long, too")
    for row in rows(parser.parse_args().minutes):
        sys.stdout.write(f"{row.what}: {row.measured} (bound {row.bound}) {'ok' if row.holds else 'MISSED'}\n")


if __name__ == "__main__":
    main()
