"""A process that is told to stop: the real signal, in this process."""

import asyncio
import os
import signal
import threading
from collections.abc import Callable, Iterator

import httpx
import pytest

from bentos.api import create_app, open_up
from bentos.desk import Desk
from bentos.drain import Drain
from bentos.errors import ApiError
from llm_twin_assets_tests.bentos import servers
from llm_twin_assets_tests.bentos.scripted import Scripted

ASKED = {"question": "How should I split samples into training and test set?", "author": "maya", "stream": True}


@pytest.fixture
def stopped() -> Iterator[threading.Event]:
    """What the server under it would hear."""
    heard = threading.Event()
    before = signal.signal(signal.SIGTERM, lambda *_: heard.set())
    yield heard
    signal.signal(signal.SIGTERM, before)


def told_to_stop(drain: Drain, stopped: threading.Event, while_waiting: Callable[[], None], **how: object) -> bool:
    """Send the signal with one request under way; whether the server heard of it before that had ended."""

    async def run() -> bool:
        drain.before_stop(**how)  # type: ignore[arg-type]
        with drain.request():
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.sleep(0.3)
            assert drain.begun
            while_waiting()
            early = stopped.is_set()
        async with asyncio.timeout(5):
            while not stopped.is_set():
                await asyncio.sleep(0.01)
        return early

    return asyncio.run(run())


def test_what_is_under_way_ends_first_and_what_comes_is_turned_away(stopped: threading.Event):
    drain = Drain()
    drain.check()

    def comes() -> None:
        with pytest.raises(ApiError, match="being stopped") as turned_away:
            drain.check()
        assert turned_away.value.status == 503
        assert int(turned_away.value.headers["Retry-After"]) >= 1  # type: ignore[index]

    assert not told_to_stop(drain, stopped, comes, seconds=10)


def test_nobody_is_waited_for_longer_than_that(stopped: threading.Event):
    assert told_to_stop(Drain(), stopped, lambda: None, seconds=0.1)


def test_who_is_needed_by_others_goes_on_answering_until_they_have_ended(stopped: threading.Event):
    drain, others = Drain(), ["twin"]

    def comes() -> None:
        drain.check()
        threading.Timer(0.2, others.clear).start()

    assert not told_to_stop(drain, stopped, comes, seconds=10, needed=lambda: bool(others))
    assert not others


def test_over_http_an_answer_under_way_is_given_whole_and_the_next_caller_told_to_come_again(
    desk: Desk, engine: Scripted
):
    engine.pause = 0.05
    app = create_app()
    open_up(app, desk)
    with servers.in_thread(app) as url, httpx.stream("POST", f"{url}/v1/answer", json=ASKED, timeout=30) as response:
        app.state.drain.begun = True
        turned_away = httpx.post(f"{url}/v1/answer", json=ASKED)
        said = response.read().decode()
    assert (turned_away.status_code, turned_away.json()["error"]["type"]) == (503, "stopping")
    assert turned_away.headers["retry-after"]
    assert "event: answer" in said
