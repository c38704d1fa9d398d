"""One question to a chat model while somebody waits: whatever the server does, there is an answer or an error soon."""

import time

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
from resources.llm import ChatModel
from resources.llm_errors import LlmError
from resources.llm_settings import RewritingModel


@pytest.fixture
def server():
    with fake_openai() as fake:
        yield fake


def model(server, timeout=5.0):
    return ChatModel(RewritingModel(url=server.url, model="small", patience={"timeout": timeout}))


def test_a_question_is_answered(server):
    server.answer = completion(" a query \n")
    assert model(server).complete("system", "user") == "a query"


@pytest.mark.parametrize(
    "bad",
    [
        error(500),
        error(307, Location="http://127.0.0.1:9/"),
        Nothing(),
        Huge(),
        Said(b"<html>"),
        Said(b"[" * 100_000),
        Said(b"\xff"),
        Said(b"broken", headers={"Content-Encoding": "gzip"}),
        completion(None),
    ],
    ids=lambda bad: type(bad).__name__ if not isinstance(bad, Said) else f"{bad.status} {bad.body[:20]!r}",
)
def test_what_is_no_answer_is_an_error_with_the_address(server, bad):
    server.answer = bad
    with pytest.raises(LlmError, match=r"127\.0\.0\.1.*the chat model"):
        model(server).complete("system", "user")


@pytest.mark.parametrize("behaviour", [Silence(), Endless()])
def test_nobody_waits_longer_than_configured(server, behaviour):
    server.answer = behaviour
    started = time.monotonic()
    with pytest.raises(LlmError):
        model(server, timeout=0.2).complete("system", "user")
    assert time.monotonic() - started < 3
