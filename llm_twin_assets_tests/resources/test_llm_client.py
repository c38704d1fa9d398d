"""A chat model asked many questions, with a real server that behaves well or badly."""

import asyncio
import json
import time
from contextlib import contextmanager

import pytest

from llm_twin_assets_tests.resources.fake_openai import (
    Endless,
    Huge,
    Nothing,
    Said,
    Silence,
    completion,
    error,
    fake_openai,
)
from resources.errors import ConfigurationError
from resources.http.clock import Clock
from resources.llm_cache import ReplyCache
from resources.llm_client import ChatClient
from resources.llm_errors import LlmError, UnansweredError
from resources.llm_settings import ChatEndpoint
from resources.llm_usage import BudgetExceededError
from resources.tracing import Project

HELLO = ({"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello?"})


class FastClock(Clock):
    """Sleeps at once, and remembers for how long."""

    def __init__(self):
        self.slept = []
        self._now = 0.0

    def elapsed(self):
        return self._now

    async def sleep(self, seconds):
        self.slept.append(seconds)
        self._now += seconds
        await asyncio.sleep(0)


@pytest.fixture
def server():
    with fake_openai() as fake:
        yield fake


@pytest.fixture
def ask(server, objects):
    """Ask questions of the server; the client that asked is `ask.client`, its clock `ask.clock`."""

    def asking(*questions, **options):
        options = {"url": server.url, "model": "small", "patience": {"timeout": 5}} | options
        asking.clock = FastClock()

        async def run():
            cache = ReplyCache(objects, "llm/maya")
            endpoint = ChatEndpoint(**options)
            async with ChatClient(endpoint, cache, clock=asking.clock, chance=lambda: 1.0) as client:
                asking.client = client
                asked = [[HELLO[0], {"role": "user", "content": each}] for each in questions or ["Hello?"]]
                return await asyncio.gather(*(client.complete(each, scope="d1") for each in asked))

        return asyncio.run(run())

    return asking


def test_a_question_is_asked_as_the_protocol_wants_it(ask, server):
    [reply] = ask("Hello?", temperature=0.5, max_tokens=99)
    assert (reply.text, reply.prompt_tokens, reply.completion_tokens, reply.finished) == ("yes", 100, 20, True)
    [asked] = server.asked
    assert asked.path == "/v1/chat/completions"
    assert asked.body == {"model": "small", "messages": list(HELLO), "temperature": 0.5, "max_tokens": 99}
    assert "authorization" not in asked.headers


def test_a_service_that_renamed_a_parameter_gets_its_own(ask, server):
    ask(parameters={"max_tokens": None, "max_completion_tokens": 50})
    assert server.asked[0].body["max_completion_tokens"] == 50
    assert "max_tokens" not in server.asked[0].body
    with pytest.raises(ValueError, match="cannot hold stream"):
        ask(parameters={"stream": True})


def test_the_second_run_asks_nothing(ask, server):
    first = ask("a", "b")
    again = ask("a", "b")
    assert [reply.text for reply in first] == [reply.text for reply in again]
    assert len(server.asked) == 2
    assert (ask.client.usage.cached, ask.client.usage.requests, ask.client.usage.tokens) == (2, 0, 0)
    ask("a", temperature=1.0)
    assert len(server.asked) == 3


def test_what_is_kept_lies_below_its_document_and_holds_no_question(ask, objects):
    ask("a secret question")
    [path] = objects.list("llm/maya")
    assert path.startswith("llm/maya/d1/")
    assert b"secret" not in objects.get(path)
    objects.replace(path, b"torn")
    [reply] = ask("a secret question")
    assert not reply.cached
    assert json.loads(objects.get(path))["text"] == "yes"


def test_tokens_and_cost_are_counted(ask):
    ask("a", "b", price={"prompt": 10, "completion": 100})
    usage = ask.client.usage
    assert (usage.requests, usage.prompt_tokens, usage.completion_tokens) == (2, 200, 40)
    assert usage.cost == pytest.approx(2 * (100 * 10 + 20 * 100) / 1e6)


@pytest.mark.parametrize("usage", [None, {}, [], {"prompt_tokens": -1, "completion_tokens": 2}, {"prompt_tokens": "x"}])
def test_tokens_that_are_not_stated_are_estimated(ask, server, usage):
    server.answer = completion("word " * 30, usage=usage)
    ask()
    assert ask.client.usage.estimated == 1
    assert ask.client.usage.completion_tokens == 50


def test_the_run_stops_at_its_budget_and_the_next_goes_on(ask, server):
    within = {"budget": {"tokens": 400}, "max_tokens": 64, "concurrency": 1}
    with pytest.raises(BudgetExceededError, match=r"360 of 400 tokens are spent.*run again to go on"):
        ask("a", "b", "c", "d", **within)
    assert len(server.asked) == 3
    # Which of them was not asked is up to the threads that look for them in the cache.
    assert sorted(reply.cached for reply in ask("a", "b", "c", "d", **within)) == [False, True, True, True]


def test_an_answer_being_stored_as_another_question_fails_is_kept(ask, server, monkeypatch):
    store = ReplyCache.keep

    def slowly(cache, *kept):
        time.sleep(0.2)
        store(cache, *kept)

    monkeypatch.setattr(ReplyCache, "keep", slowly)
    within = {"budget": {"tokens": 400}, "max_tokens": 64}
    with pytest.raises(BudgetExceededError):
        ask("a", "b", "c", "d", concurrency=1, **within)
    assert sum(reply.cached for reply in ask("a", "b", "c", "d", concurrency=1, **within)) == 3


def test_a_cost_that_might_be_exceeded_is_not_run_into(ask, server):
    with pytest.raises(BudgetExceededError, match=r"0\.0000 of 0\.0005 is spent"):
        ask("x", price={"completion": 10}, budget={"cost": 0.0005}, max_tokens=64)
    assert server.asked == []
    with pytest.raises(ValueError, match=r"budget\.cost needs price"):
        ask("x", budget={"cost": 1})


def test_no_more_are_under_way_than_allowed(ask, server):
    def slowly(_):
        return completion("yes")

    server.answer = slowly
    ask(*map(str, range(30)), concurrency=3)
    assert len(server.asked) == 30
    assert server.most_at_once <= 3


@pytest.mark.parametrize(
    "bad",
    [
        error(500),
        error(503),
        error(429),
        error(408),
        Nothing(),
        Said(b"<html>"),
        Said(b"{}"),
        Said(b"[" * 100_000),
        Said(b'{"choices": []}'),
        Said(b'{"error": "overloaded"}'),
        Said(b"\xff\xfe"),
        Said(b'{"choices": [{"message": {"content": 7}}]}'),
        Said(b"\x1f\x8bbroken", headers={"Content-Encoding": "gzip"}),
        Huge(),
    ],
    ids=lambda bad: type(bad).__name__ if not isinstance(bad, Said) else f"{bad.status} {bad.body[:20]!r}",
)
def test_what_may_pass_is_tried_again(ask, server, bad):
    server.in_turn(bad, bad, completion("at last"))
    [reply] = ask()
    assert reply.text == "at last"
    assert ask.client.usage.retries == 2
    assert ask.clock.slept == [1.0, 2.0]


def test_a_wait_that_is_asked_for_is_kept_by_all(ask, server):
    server.in_turn(error(429, Retry_After="7"), completion("yes"))
    ask("a", "b", concurrency=1)
    assert ask.clock.slept[0] == 7.0
    assert len(server.asked) == 3


def test_a_wait_longer_than_the_deadline_is_not_waited_for(ask, server):
    server.answer = error(429, Retry_After="3600")
    with pytest.raises(UnansweredError, match="answered 429: no at attempt 1"):
        ask(patience={"deadline": 60})
    assert ask.clock.slept == []


@pytest.mark.parametrize("behaviour", [Silence(), Endless()])
def test_an_answer_that_does_not_end_is_left(ask, server, behaviour):
    server.answer = behaviour
    with pytest.raises(UnansweredError, match=r"took longer than 0\.2 s at attempt 2"):
        ask(patience={"timeout": 0.2, "attempts": 2})
    assert ask.client.usage.estimated == (2 if isinstance(behaviour, Endless) else 0)


def test_nobody_there_is_said_with_the_address(ask):
    with pytest.raises(UnansweredError, match=r"http://127\.0\.0\.1:9/v1: the chat model has no answer"):
        ask(url="http://127.0.0.1:9/v1", patience={"attempts": 2})


def test_a_model_that_is_gone_ends_the_run(server, objects):
    server.answer = error(500)

    async def insist():
        endpoint = ChatEndpoint(url=server.url, model="small", patience={"attempts": 1, "failures": 3})
        async with ChatClient(endpoint, ReplyCache(objects, "x"), clock=FastClock()) as client:
            for _ in range(2):
                with pytest.raises(UnansweredError):
                    await client.complete(HELLO, scope="d")
            with pytest.raises(LlmError, match=r"3 questions in a row had no answer; the last one: .*500"):
                await client.complete(HELLO, scope="d")

    asyncio.run(insist())


@pytest.mark.parametrize("status", [401, 402, 403, 404])
def test_a_refusal_of_everything_is_not_tried_again(ask, server, status):
    server.answer = error(status, "go away")
    with pytest.raises(LlmError, match=f"answered {status}: go away") as raised:
        ask()
    assert not isinstance(raised.value, UnansweredError)
    assert len(server.asked) == 1


def test_a_refusal_of_one_question_is_about_that_one(ask, server):
    server.answer = error(400, "too long\x1b[31m" + "x" * 1000)
    with pytest.raises(UnansweredError, match=r"answered 400: too long \[31mx{100}") as raised:
        ask()
    assert len(str(raised.value)) < 400
    assert len(server.asked) == 1


def test_a_redirect_is_not_followed(ask, server):
    server.answer = error(307, Location="http://127.0.0.1:9/elsewhere")
    with pytest.raises(LlmError, match="answered 307"):
        ask()


def test_the_key_goes_into_the_header_and_nowhere_else(ask, server, monkeypatch, objects, caplog):
    caplog.set_level("DEBUG")
    monkeypatch.setenv("TEACHER_KEY", " sk-very-secret\n")
    server.answer = error(401, "bad key")
    with pytest.raises(LlmError) as raised:
        ask(key_variable="TEACHER_KEY")
    assert server.asked[0].headers["authorization"] == "Bearer sk-very-secret"
    assert "sk-very" not in str(raised.value)
    assert "sk-very" not in caplog.text


@pytest.mark.parametrize("value", [None, "", "sk-ä", "sk one", "sk\none"])
def test_a_key_that_cannot_be_sent_is_not_shown(ask, server, monkeypatch, value):
    if value is not None:
        monkeypatch.setenv("TEACHER_KEY", value)
    with pytest.raises(ConfigurationError, match="the variable TEACHER_KEY") as raised:
        ask(key_variable="TEACHER_KEY")
    assert "sk" not in str(raised.value)
    assert server.asked == []


@pytest.mark.parametrize("url", ["ftp://x/v1", "http://me:secret@x/v1", "http://x/v1?key=secret", "/v1", ""])
def test_an_address_that_is_none_or_holds_a_key_is_refused(url):
    with pytest.raises(ValueError, match="url"):
        ChatEndpoint(url=url, model="small")


def test_a_key_in_place_of_its_variable_is_refused():
    with pytest.raises(ValueError, match="key_variable"):
        ChatEndpoint(url="http://x/v1", model="small", key_variable="sk-abc")


def test_half_a_character_does_no_harm(ask, server):
    server.answer = Said(b'{"choices": [{"message": {"content": "a \\ud83d b"}}]}')
    assert ask()[0].text == "a ? b"
    assert ask()[0].cached


def test_an_answer_that_was_cut_off_says_so(ask, server):
    server.answer = completion("yes and", finish="length")
    assert [ask()[0].finished, ask()[0].finished] == [False, False]


def test_every_question_is_a_span_if_there_is_a_tracer(server, objects):
    spans = []

    class Recorded:
        @contextmanager
        def trace(self, project, name, masked):
            span = RecordedSpan()
            spans.append((project, name, masked, span.attributes))
            yield span

    class RecordedSpan:
        def __init__(self):
            self.attributes = {}

        def set(self, attributes):
            self.attributes |= attributes

    async def run():
        endpoint = ChatEndpoint(url=server.url, model="small")
        cache = ReplyCache(objects, "x")
        project = Project(Recorded(), "twin-maya-pipelines", str.upper)
        async with ChatClient(endpoint, cache, project=project) as client:
            await client.complete(HELLO, scope="d")

    asyncio.run(run())
    [(project, name, masked, attributes)] = spans
    assert (project, name, masked) == ("twin-maya-pipelines", "chat completion", str.upper)
    assert attributes["openinference.span.kind"] == "LLM"
    assert attributes["llm.input_messages.1.message.content"] == "Hello?"
    assert attributes["llm.output_messages.0.message.content"] == "yes"
    assert attributes["llm.token_count.total"] == 120
