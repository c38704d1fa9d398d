"""A paused twin: the author is quoted, every answer says why, and the model comes back when somebody resumes it."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from bentos.desk import Asked, Desk
from llm_twin_assets.domain.pause import Pause, pause, pause_path, resume
from llm_twin_assets.inference.answer import Answer, Outcome
from llm_twin_assets_tests.bentos.scripted import Scripted
from resources.object_store import ObjectStore

QUESTION = "How should I split samples into training and test set?"
PAUSE = Pause(author="maya", by="Noor", reason="it names a customer", since=datetime(2026, 11, 21, tzinfo=UTC))


@pytest.fixture
def objects(desk: Desk) -> Iterator[ObjectStore]:
    """The store that the desk follows; nothing is paused in it after the test."""
    store = desk.releases._objects
    yield store
    resume(store, "maya")
    desk.releases.poll()


def given(desk: Desk, author: str = "maya", **asked: object) -> Answer:
    return desk.answer(desk.released(author), Asked(QUESTION, **asked), threading.Event())  # type: ignore[arg-type]


def test_a_paused_twin_quotes_and_says_so(desk: Desk, engine: Scripted, objects: ObjectStore) -> None:
    pause(objects, PAUSE)
    desk.releases.poll()
    said = given(desk)
    assert engine.asked == []
    assert (said.outcome, said.degraded, said.cause) == (Outcome.QUOTED, True, "paused")
    assert said.citations
    assert "customer" not in (said.reason or ""), "why it is paused is nobody's business outside"


def test_a_draft_of_a_paused_twin_is_quotes_too(desk: Desk, engine: Scripted, objects: ObjectStore) -> None:
    pause(objects, PAUSE)
    desk.releases.poll()
    asked = Asked("splitting samples", form="post")
    *_, said = desk.answer_stream(desk.released("maya"), asked, threading.Event())
    assert isinstance(said, Answer)
    assert (said.cause, engine.asked) == ("paused", [])


def test_a_pause_is_of_one_author_and_ends_when_its_object_goes(
    desk: Desk, engine: Scripted, objects: ObjectStore
) -> None:
    pause(objects, PAUSE)
    desk.releases.poll()
    assert given(desk, "ben").outcome is Outcome.ANSWERED
    assert resume(objects, "maya")
    desk.releases.poll()
    assert given(desk).outcome is Outcome.ANSWERED
    assert len(engine.asked) == 2


def test_a_pause_that_cannot_be_read_pauses_all_the_same(desk: Desk, engine: Scripted, objects: ObjectStore) -> None:
    objects.replace(pause_path("maya"), b"{")
    desk.releases.poll()
    assert given(desk).cause == "paused"


def test_who_asks_for_quotes_gets_nothing_less_from_a_paused_twin(desk: Desk, objects: ObjectStore) -> None:
    pause(objects, PAUSE)
    desk.releases.poll()
    said = given(desk, style=False)
    assert (said.outcome, said.degraded, said.cause) == (Outcome.QUOTED, False, None)
