"""Transformers' own manager runs here, on the CPU; test_engines.py has what holds of both ways."""

import logging
import threading
import time
import weakref
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal

import pytest

from llm_twin_assets.inference.batching import Batching, Ticket
from llm_twin_assets.inference.engine import EngineError, Failure, Sampling
from llm_twin_assets.inference.padded_batches import PaddedBatches
from llm_twin_assets.inference.prompts import messages
from llm_twin_assets.inference.transformers_engine import TransformersEngine
from llm_twin_assets_tests.inference import tiny_twin

CONTINUOUS = Batching(kind="continuous")
PROMPT = messages("Why chunk by headings?", author_name="Maya")


@pytest.fixture(scope="module")
def engine(tiny_model: Path) -> TransformersEngine:
    return TransformersEngine(tiny_model, batching=CONTINUOUS)


@pytest.fixture
def cramped(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> TransformersEngine:
    """An engine with room for one request of the model's whole context, or for several short ones."""
    monkeypatch.setattr("llm_twin_assets.inference.continuous_batches._TOKENS_EACH", 1)
    return TransformersEngine(tiny_model, batching=CONTINUOUS)


def ask(engine: TransformersEngine, tokens: int, **how: object) -> Ticket:
    ticket = Ticket([7, 8, 9], Sampling(tokens), **{"deadline": 20.0, **how})
    engine._batches.submit(ticket)
    return ticket


def until_written(ticket: Ticket, tokens: int = 1) -> None:
    progress = ticket.progress()
    while len(ticket.tokens) < tokens:
        next(progress)


def ended(ticket: Ticket) -> list[int]:
    for _ in ticket.progress():
        pass
    return ticket.tokens


def test_they_write_what_padded_batches_write_greedily_and_by_seeds(engine: TransformersEngine, tiny_model: Path):
    padded = TransformersEngine(tiny_model, batching=Batching(kind="padded"))
    prompts = [messages("why " * (1 + 12 * at), author_name="Maya") for at in range(12)]
    samplings = [Sampling(4 + at, temperature=at % 3 / 2, top_p=1 - at / 40, seed=at) for at in range(12)]
    with ThreadPoolExecutor(12) as pool:
        one, other = (list(pool.map(each.generate, prompts, samplings)) for each in (engine, padded))
    assert one == other


def test_who_comes_later_joins_what_runs(engine: TransformersEngine):
    long = ask(engine, 400, hears_each=True)
    until_written(long)
    assert len(ended(ask(engine, 5))) == 5
    assert len(long.tokens) < 400
    long.abandon()


def test_who_does_not_fit_waits_and_nobody_is_put_off(cramped: TransformersEngine):
    first, second = (ask(cramped, tokens, hears_each=True) for tokens in (700, 500))
    until_written(first, 20)
    assert not second.tokens
    first.abandon()
    until_written(second)
    second.abandon()


def test_room_is_free_again_when_all_that_run_are_cancelled(cramped: TransformersEngine):
    # On transformers 5.23 nothing runs any more where requests are cancelled after the cache was full.
    running = [ask(cramped, 300, hears_each=True) for _ in range(6)]
    until_written(running[0])
    for each in running:
        each.abandon()
    whole = ask(cramped, 1000, hears_each=True)
    until_written(whole)
    whole.abandon()


def test_the_queue_is_bounded_and_says_when_to_come_again(tiny_model: Path):
    engine = TransformersEngine(tiny_model, batching=Batching(size=1, waiting=1, kind="continuous"))
    running = ask(engine, 800, hears_each=True)
    until_written(running)
    waiting = ask(engine, 2)
    with pytest.raises(EngineError) as refused:
        ask(engine, 2)
    assert refused.value.kind is Failure.SATURATED
    assert refused.value.retry_after
    running.abandon()
    assert len(ended(waiting)) == 2


def test_a_failure_is_that_of_all_that_run_but_of_none_that_comes_later(engine: TransformersEngine):
    running = ask(engine, 800, hears_each=True)
    until_written(running)
    engine._batches.submit(Ticket([10**6], Sampling(2), deadline=5))  # the model has no such token
    with pytest.raises(EngineError, match="the model failed"):
        ended(running)
    assert len(ended(ask(engine, 3))) == 3


@pytest.mark.parametrize(("kind", "needed"), [("padded", 1), ("continuous", 2), ("continuous", 0)])
def test_a_model_and_its_threads_go_with_the_engine(
    tiny_model: Path, kind: Literal["padded", "continuous"], needed: int
):
    engine = TransformersEngine(tiny_model, batching=Batching(kind=kind))
    others = set(threading.enumerate())
    if needed:
        engine.generate(PROMPT, Sampling(2))
    threads = set(threading.enumerate()) - others
    assert len(threads) == needed
    assert all(thread.daemon for thread in threads)  # a process that ends does not wait for them
    model = weakref.ref(engine._model)
    del engine
    end = time.monotonic() + 5
    while (model() or any(thread.is_alive() for thread in threads)) and time.monotonic() < end:
        time.sleep(0.01)
    assert model() is None
    assert not any(thread.is_alive() for thread in threads)


def test_where_memory_is_short_the_context_is_what_fits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from transformers.generation.continuous_batching.utils import get_device_and_memory_breakdown

    model = tiny_twin.write_model(tmp_path, positions=4096)
    _, total, reserved, allocated = get_device_and_memory_breakdown()
    # The masks of 2048 tokens take 13 MB, those of 4096 take 21 MB.
    share = 17e6 / (total - max(reserved, allocated))
    monkeypatch.setattr("llm_twin_assets.inference.continuous_batches._MEMORY", share)
    engine = TransformersEngine(model, batching=CONTINUOUS)
    assert engine.context_tokens == 2048
    assert engine.generate(PROMPT, Sampling(2)).completion_tokens == 2


def test_where_there_is_no_memory_batches_are_padded(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr("llm_twin_assets.inference.continuous_batches._MEMORY", 1e-9)
    with caplog.at_level(logging.WARNING):
        engine = TransformersEngine(tiny_model, batching=CONTINUOUS)
    assert isinstance(engine._batches, PaddedBatches)
    assert "more memory than there is" in caplog.text
    assert engine.generate(PROMPT, Sampling(2)).completion_tokens == 2


@pytest.mark.parametrize(
    ("setting", "reason"),
    [({"sliding_window": 64}, "full attention"), ({"repetition_penalty": 1.1}, "RepetitionPenalty")],
)
def test_a_model_that_would_write_otherwise_runs_in_padded_batches(setting: dict[str, float], reason: str):
    from transformers import MistralConfig, MistralForCausalLM

    from llm_twin_assets.inference.continuous_batches import ContinuousBatches

    shape = {"vocab_size": 16, "hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1}
    heads = {"num_attention_heads": 2, "num_key_value_heads": 2, "sliding_window": None}
    model = MistralForCausalLM(MistralConfig(**{**shape, **heads, **setting}))
    model.generation_config.update(**setting)
    with pytest.raises(EngineError, match=reason):
        ContinuousBatches(model, [1], 64, CONTINUOUS, threading.Event())
