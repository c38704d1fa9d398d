"""The engine behind an address: whatever the server does, there is text or an `EngineError`, soon."""

import gc
import threading
import time

import pytest

from llm_twin_assets.inference.engine import EngineError, Failure, Generated, Piece, Sampling
from llm_twin_assets.inference.openai_engine import OpenAIEngine
from llm_twin_assets.inference.prompts import messages
from llm_twin_assets_tests.resources.fake_openai import (
    FakeOpenAi,
    Nothing,
    Said,
    Silence,
    Streamed,
    delta,
    error,
    events,
    fake_openai,
)
from resources.serving_settings import ServingModel

PROMPT = messages("Why chunk by headings?", author_name="Maya")
USAGE = {"choices": [], "usage": {"prompt_tokens": 40, "completion_tokens": 7}}
WHOLE = Streamed((events(delta("Keep the "), delta("span."), delta(None, "stop"), USAGE),))


@pytest.fixture
def server():
    with fake_openai() as fake:
        yield fake


def engine(server: FakeOpenAi, **more: object) -> OpenAIEngine:
    patience = {"timeout": 5.0, "deadline": 5.0, "attempts": 2, "backoff": 0.0, "failures": 3}
    patience |= more.pop("patience", {})
    return OpenAIEngine(ServingModel(url=server.url, model="big", patience=patience, **more), waiting=0)


def test_a_stream_is_its_pieces_and_then_the_whole(server):
    server.answer = WHOLE
    *pieces, whole = engine(server).stream(PROMPT, Sampling(50))
    assert [piece.text for piece in pieces] == ["Keep the ", "span."]
    assert whole == Generated("Keep the span.", 40, 7)


def test_a_request_says_how_to_write_and_what_the_configuration_adds_or_takes_out(server):
    server.answer = WHOLE
    sampling = Sampling(50, 0.7, 0.9, 13, ("\n\n",))
    asked = engine(server, parameters={"min_p": 0.1, "stream_options": None})
    asked.generate(PROMPT, sampling)
    body = server.asked[0].body
    assert body["messages"] == PROMPT
    del body["messages"]
    assert body == {
        "model": "big", "stream": True, "max_tokens": 50, "temperature": 0.7, "top_p": 0.9, "seed": 13,
        "stop": ["\n\n"], "min_p": 0.1,
    }  # fmt: skip


def test_what_cannot_be_read_costs_its_own_words_and_no_others(server):
    said = events(
        delta("a"), b"{broken", b"[1]", b'{"choices": [{"delta": {"content": 3}}]}', b"\xff", delta("b", "length")
    )
    server.answer = Streamed((said[:25], said[25:]))
    whole = engine(server).generate(PROMPT, Sampling(50))
    assert (whole.text, whole.finished) == ("ab", False)
    assert whole.completion_tokens > 0


def test_half_a_surrogate_pair_and_invalid_bytes_become_characters_that_can_be_sent_on(server):
    server.answer = Streamed((events(b'{"choices":[{"delta":{"content":"\\ud83d x \xff"}}]}', delta("", "stop")),))
    assert engine(server).generate(PROMPT, Sampling(5)).text.encode()


@pytest.mark.parametrize("trouble", [error(503), error(429), Nothing(), Streamed((b"data: {",), torn=True)])
def test_until_the_first_word_it_asks_again(server, trouble):
    server.in_turn(trouble, WHOLE)
    assert engine(server).generate(PROMPT, Sampling(5)).text == "Keep the span."
    assert len(server.asked) == 2


@pytest.mark.parametrize("torn", [True, False])
def test_after_the_first_word_there_is_no_way_back(server, torn):
    server.answer = Streamed((events(delta("Keep"), done=False),), torn=torn)
    heard = []
    with pytest.raises(EngineError) as ended:
        heard.extend(engine(server).stream(PROMPT, Sampling(5)))
    assert ended.value.kind is Failure.FAILED
    assert len(server.asked) == 1
    assert "".join(piece.text for piece in heard) in ("", "Keep")


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (error(400), Failure.REFUSED),
        (error(401), Failure.FAILED),
        (error(429, Retry_After="0"), Failure.SATURATED),
        (error(429, Retry_After="900"), Failure.SATURATED),
        (Said(b"<html>"), Failure.FAILED),
        (Streamed((events(*[b"x"] * 200),)), Failure.FAILED),
        (Streamed((events({"error": {"type": "deadline", "message": "10.0.0.9"}}),)), Failure.DEADLINE),
        (Streamed((events({"error": {"type": "saturated", "message": "10.0.0.9"}}),)), Failure.SATURATED),
        (Streamed((events({"error": {"type": "refused"}}),)), Failure.REFUSED),
        (Streamed((events({"error": {"type": "InternalServerError", "code": 500}}),)), Failure.FAILED),
        (Streamed((events({"error": "overloaded"}),)), Failure.FAILED),
    ],
)
def test_every_failure_has_its_kind_and_tells_callers_nothing_of_the_service(server, answer, kind):
    server.answer = answer
    with pytest.raises(EngineError) as ended:
        engine(server).generate(PROMPT, Sampling(5))
    assert ended.value.kind is kind
    assert ended.value.what in (
        "the chat model cannot be asked", "the chat model refused the question", "the chat model took too long",
        "the chat model has too much to do",
    )  # fmt: skip


@pytest.mark.parametrize("named", ["deadline", "InternalServerError"])
def test_an_error_between_the_words_ends_them_though_done_follows(server, named):
    server.answer = Streamed((events(delta("Keep"), {"error": {"type": named, "message": "no"}}),))
    heard = []
    with pytest.raises(EngineError) as ended:
        heard.extend(engine(server).stream(PROMPT, Sampling(5)))
    assert ended.value.kind is (Failure.DEADLINE if named == "deadline" else Failure.FAILED)
    assert (heard, len(server.asked)) == ([Piece("Keep")], 1)


def test_where_an_answer_is_refused_or_late_nobody_asks_again_and_where_it_fails_somebody_does(server):
    failed = Streamed((events({"error": {"type": "InternalServerError"}}),))
    server.in_turn(failed, WHOLE)
    assert engine(server).generate(PROMPT, Sampling(5)).text == "Keep the span."
    asked = len(server.asked)
    server.answer = Streamed((events({"error": {"type": "deadline"}}),))
    with pytest.raises(EngineError):
        engine(server).generate(PROMPT, Sampling(5))
    assert len(server.asked) == asked + 1


@pytest.mark.parametrize("slow", [Silence(), Streamed((events(delta("x"), done=False),) * 200, pause=0.05)])
def test_a_deadline_is_for_the_whole_answer(server, slow):
    server.answer = slow
    began = time.monotonic()
    with pytest.raises(EngineError) as ended:
        engine(server, patience={"deadline": 0.2}).generate(PROMPT, Sampling(5))
    assert ended.value.kind is Failure.DEADLINE
    assert time.monotonic() - began < 3


def test_who_leaves_frees_the_connection(server):
    server.answer = Streamed((events(delta("x"), done=False),) * 200, pause=0.02)
    cancelled = threading.Event()
    stream = engine(server).stream(PROMPT, Sampling(5), cancelled)
    assert next(stream) == Piece("x")
    cancelled.set()
    with pytest.raises(EngineError) as ended:
        list(stream)
    assert ended.value.kind is Failure.CANCELLED
    assert server.left.wait(5)


def test_a_closed_stream_frees_the_connection_too(server):
    server.answer = Streamed((events(delta("x"), done=False),) * 200, pause=0.02)
    asked = engine(server, concurrency=1)
    stream = asked.stream(PROMPT, Sampling(5))
    next(stream)
    with pytest.raises(EngineError) as refused:
        asked.generate(PROMPT, Sampling(5))
    assert refused.value.kind is Failure.SATURATED
    stream.close()
    assert server.left.wait(5)
    server.answer = WHOLE
    assert asked.generate(PROMPT, Sampling(5)).text == "Keep the span."


def test_a_server_that_keeps_failing_is_left_alone_and_tried_again_after_a_while(server):
    server.answer = error(500)
    asked = engine(server, pause_seconds=0.1, patience={"attempts": 1, "failures": 2})
    for _ in range(2):
        with pytest.raises(EngineError):
            asked.generate(PROMPT, Sampling(5))
    with pytest.raises(EngineError, match="left alone") as refused:
        asked.generate(PROMPT, Sampling(5))
    assert refused.value.retry_after
    assert len(server.asked) == 2
    server.answer = WHOLE
    time.sleep(0.12)
    assert asked.generate(PROMPT, Sampling(5)).text == "Keep the span."


def test_refusals_are_answers_and_leave_the_circuit_closed(server):
    server.answer = error(400)
    asked = engine(server, patience={"failures": 1})
    for _ in range(3):
        with pytest.raises(EngineError):
            asked.generate(PROMPT, Sampling(5))
    assert len(server.asked) == 3


def test_an_engine_that_nobody_holds_closes_its_connections_and_its_thread(server):
    server.answer = WHOLE
    asked = engine(server)
    asked.generate(PROMPT, Sampling(5))
    threads = [each for each in threading.enumerate() if each.name == "chat-model"]
    client = asked._stream._client
    del asked
    gc.collect()
    for each in threads:
        each.join(5)
    assert client.is_closed
