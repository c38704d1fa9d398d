"""Padded and continuous batches beside each other, on the device at hand: throughput, and what a latecomer waits.

Greedily, through the engine, by turns; medians of five rounds. The small base that is shipped, or a model's folder:

    python -m llm_twin_assets_tests.benchmarks.batching [folder]
"""

import statistics
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from llm_twin_assets.inference.batching import Batching
from llm_twin_assets.inference.engine import Sampling
from llm_twin_assets.inference.prompts import Message, messages
from llm_twin_assets.inference.transformers_engine import TransformersEngine
from resources.bases import shipped_base

_ROUNDS = 5
# How many words the prompts have, and how many tokens are written to each.
_ALIKE = [(120, 64)] * 8
_LONG_AND_SHORT = [(40 * at, 64) for at in range(1, 9)]
_ONE_WRITES_LONG = [(120, 16)] * 7 + [(120, 160)]


def main() -> None:
    """Print a line for each way and case."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else shipped_base("tiny-llama")
    if folder is None:
        raise RuntimeError("the tiny base is not shipped here")
    engines = {
        "padded": TransformersEngine(folder, batching=Batching(kind="padded")),
        "continuous": TransformersEngine(folder, batching=Batching(kind="continuous")),
    }
    cases: dict[str, Callable[[TransformersEngine], float]] = {
        "eight alike": partial(_at_once, requests=_ALIKE),
        "eight prompts of 40 to 320 words": partial(_at_once, requests=_LONG_AND_SHORT),
        "seven short answers and a long one": partial(_at_once, requests=_ONE_WRITES_LONG),
        "first token, alone": _first_token,
        "first token, while another answer is written": _latecomer,
    }
    seconds: dict[tuple[str, str], list[float]] = {}
    for number in range(_ROUNDS + 1):
        for case, measured in cases.items():
            for kind, engine in engines.items():
                taken = measured(engine)
                if number:  # the first round warms up
                    seconds.setdefault((case, kind), []).append(taken)
    for (case, kind), taken in seconds.items():
        print(f"{case}, {kind}: {statistics.median(taken):.3f} s")  # noqa: T201


def _prompt(words: int, number: int) -> list[Message]:
    return messages(f"{number}: " + "split by document before " * (words // 4), author_name="Maya")


def _at_once(engine: TransformersEngine, requests: Sequence[tuple[int, int]]) -> float:
    prompts = [_prompt(words, number) for number, (words, _) in enumerate(requests)]
    began = time.perf_counter()
    with ThreadPoolExecutor(len(requests)) as pool:
        list(pool.map(engine.generate, prompts, [Sampling(tokens) for _, tokens in requests]))
    return time.perf_counter() - began


def _first_token(engine: TransformersEngine) -> float:
    began = time.perf_counter()
    stream = engine.stream(_prompt(120, 0), Sampling(16))
    next(stream)
    taken = time.perf_counter() - began
    list(stream)
    return taken


def _latecomer(engine: TransformersEngine) -> float:
    writing = threading.Event()

    def write() -> None:
        for _ in engine.stream(_prompt(120, 1), Sampling(160)):
            writing.set()

    other = threading.Thread(target=write)
    other.start()
    writing.wait()
    taken = _first_token(engine)
    other.join()
    return taken


if __name__ == "__main__":
    main()
