"""The figures of answering: the engine's, beside bare `generate` in the same run, then the service's (serving.py).

Eight prompts of passages, 64 tokens each, greedily: eight in turn, eight at once through the engine, and one bare
padded `generate` of the same eight. Time to the first token of a lone stream, beside a bare `generate` of one token.

    python -m llm_twin_assets_tests.benchmarks answering
"""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from llm_twin_assets.inference.engine import Piece, Sampling
from llm_twin_assets.inference.prompts import Message, Passage, messages
from llm_twin_assets.inference.transformers_engine import TransformersEngine
from llm_twin_assets_tests.benchmarks import serving
from llm_twin_assets_tests.benchmarks.measuring import Row
from resources.bases import shipped_base

_REQUESTS = 8
_TOKENS = 64
_ROUNDS = 5
_TEXT = "Split by document before you make a single sample; half of every page was in training and nobody noticed it. "
SPEED_UP = 1.7
OF_BARE = 0.9
FIRST_TOKEN = 1.3


@dataclass(frozen=True, slots=True)
class Measured:
    """The best of the rounds, in seconds: what else the machine does only adds to it."""

    in_turn: float
    at_once: float
    bare: float
    first_token: float
    bare_first_token: float


def measure() -> list[Row]:
    """Rows for `make bench`."""
    return [*engine_rows(), *serving.rows()]


def engine_rows() -> list[Row]:
    """What batching and streaming gain and cost."""
    found = measured()
    speed_up, of_bare = found.in_turn / found.at_once, found.bare / found.at_once
    later = found.first_token / found.bare_first_token
    rate = _REQUESTS * _TOKENS / found.at_once
    return [
        Row(
            f"{_REQUESTS} answers at once, to {_REQUESTS} in turn",
            f"{speed_up:.2f}× ({rate:.0f} tokens/s)",
            f"≥ {SPEED_UP}×",
            speed_up >= SPEED_UP,
        ),
        Row("the same, to a bare padded generate", f"{of_bare:.2f}×", f"≥ {OF_BARE}×", of_bare >= OF_BARE),
        Row(
            "time to the first token, to the bare model's",
            f"{later:.2f}× ({found.first_token * 1000:.0f} ms)",
            f"≤ {FIRST_TOKEN}×",
            later <= FIRST_TOKEN,
        ),
    ]


def measured(rounds: int = _ROUNDS) -> Measured:
    """All five by turns, so that whatever else the machine does meets all of them alike."""
    folder = shipped_base("tiny-llama")
    if folder is None:
        raise RuntimeError("the tiny base is not shipped here")
    engine = TransformersEngine(folder)
    prompts = [_prompt(number) for number in range(_REQUESTS)]
    bare = _Bare(engine, prompts)
    cases: dict[str, Callable[[], object]] = {
        "in_turn": lambda: [engine.generate(each, Sampling(_TOKENS)) for each in prompts],
        "at_once": partial(_at_once, engine, prompts),
        "bare": partial(bare.generate, _REQUESTS, _TOKENS),
        "first_token": lambda: _first(engine, prompts[0]),
        "bare_first_token": partial(bare.generate, 1, 1),
    }
    seconds: dict[str, list[float]] = {name: [] for name in cases}
    for number in range(rounds + 1):
        for name, case in cases.items():
            began = time.perf_counter()
            case()
            if number:  # the first round warms up
                seconds[name].append(time.perf_counter() - began)
    return Measured(**{name: min(each) for name, each in seconds.items()})


def _prompt(number: int) -> list[Message]:
    passages = [Passage(f"On splitting, {at}", _TEXT * (4 + at)) for at in range(3)]
    return messages(f"Why should one split by document, in {number + 2} words?", passages, author_name="Maya")


def _at_once(engine: TransformersEngine, prompts: list[list[Message]]) -> None:
    with ThreadPoolExecutor(_REQUESTS) as pool:
        list(pool.map(lambda prompt: engine.generate(prompt, Sampling(_TOKENS)), prompts))


def _first(engine: TransformersEngine, prompt: list[Message]) -> None:
    stream: Iterator[object] = engine.stream(prompt, Sampling(_TOKENS))
    if not isinstance(next(stream), Piece):
        raise TypeError("a stream begins with a piece")


class _Bare:
    """The same model and prompts without anything of ours around them; tokens are counted out beforehand."""

    def __init__(self, engine: TransformersEngine, prompts: list[list[Message]]) -> None:
        self._model, self._tokenizer = engine._model, engine._tokenizer
        self._prompts = prompts

    def generate(self, requests: int, tokens: int) -> None:
        import torch

        rendered = [
            self._tokenizer.apply_chat_template(each, add_generation_prompt=True, tokenize=False)
            for each in self._prompts[:requests]
        ]
        inputs = self._tokenizer(
            rendered, return_tensors="pt", padding=True, padding_side="left", add_special_tokens=False
        )
        inputs.pop("token_type_ids", None)
        with torch.inference_mode():
            output = self._model.generate(**inputs, max_new_tokens=tokens, do_sample=False)
        self._tokenizer.batch_decode(output[:, inputs["input_ids"].shape[1] :], skip_special_tokens=True)


if __name__ == "__main__":
    for row in measure():
        print(f"{row.what}: {row.measured} (bound {row.bound}) {'ok' if row.holds else 'MISSED'}")  # noqa: T201
