from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from llm_twin_assets.monitoring.answer_traces import Read, read_answers
from llm_twin_assets.monitoring.columns import Answers, seconds_of
from llm_twin_assets.monitoring.traces import TracesUnavailableError
from llm_twin_assets_tests.monitoring.phoenix_pages import Phoenix, phoenix_pages
from llm_twin_assets_tests.monitoring.traffic import MONDAY, answers, hours

NOON = MONDAY + hours(12)
MORNING = answers(6, MONDAY + hours(11), hours(0.5), vector=(0.5, -0.25))


@pytest.fixture
def phoenix() -> Iterator[Phoenix]:
    with phoenix_pages() as known:
        yield known


def read(
    phoenix: Phoenix, before: Read | None = None, now: datetime = NOON, limit: int = 100, author: str = "maya"
) -> Read:
    return read_answers(phoenix.url, author, before.position if before else None, now, None, limit)


def test_an_answer_is_read_as_its_trace_tells_it(phoenix: Phoenix):
    degraded = replace(
        MORNING[0], degraded=True, cause="engine_timeout", outcome="quoted", failed=True, canary=True, cached=True,
        personal_data=2, form="post", first_token_seconds=0.25, seconds=1.5,
    )  # fmt: skip
    phoenix.answered(degraded)
    assert read(phoenix).answers == (degraded,)


def test_an_answer_without_a_vector_and_one_of_no_release(phoenix: Phoenix):
    phoenix.answered(replace(MORNING[0], vector=None))
    phoenix.answered(replace(MORNING[1], release=None))  # type: ignore[arg-type]
    assert [each.vector for each in read(phoenix).answers] == [None]


@pytest.mark.parametrize("said", [{"degraded": "yes"}, {"citations": "2"}, {"relevance": True}, {"cause": 3}])
def test_what_is_of_another_kind_counts_for_nothing(phoenix: Phoenix, said: dict[str, object]):
    phoenix.answered(MORNING[0], **said)
    [found] = read(phoenix).answers
    assert [getattr(found, name) for name in said] in ([False], [0], [None])


def test_answers_are_read_once_whenever_they_come(phoenix: Phoenix):
    phoenix.answered(*MORNING[2:4])
    first = read(phoenix)
    phoenix.answered(*MORNING[4:], *MORNING[:2])
    second = read(phoenix, first)
    assert [each.trace_id for each in second.answers] == [each.trace_id for each in (*MORNING[4:], *MORNING[:2])]
    assert read(phoenix, second) == Read((), second.position, more=False)


def test_many_answers_are_read_in_several_times(phoenix: Phoenix):
    phoenix.answered(*answers(250, MONDAY, hours(6)))
    parts = [read(phoenix, limit=100)]
    while parts[-1].more:
        parts.append(read(phoenix, parts[-1], limit=100))
    traces = [each.trace_id for part in parts for each in part.answers]
    assert len(traces) == len(set(traces)) == 250
    assert len(parts) == 3


def test_an_answer_waits_until_its_parts_have_arrived(phoenix: Phoenix):
    fresh = replace(MORNING[5], started_at=NOON - timedelta(seconds=4), seconds=1.0)
    phoenix.answered(MORNING[0], fresh, MORNING[1])
    first = read(phoenix)
    assert len(first.answers) == 1
    assert len(read(phoenix, first, now=NOON + timedelta(minutes=1)).answers) == 2


def test_a_phoenix_that_began_anew_is_read_anew(phoenix: Phoenix):
    phoenix.answered(*MORNING[:3])
    first = read(phoenix)
    phoenix.spans.clear()
    phoenix.answered(*MORNING[3:])
    assert len(read(phoenix, first).answers) == 3


def test_a_phoenix_that_forgot_reads_on(phoenix: Phoenix):
    phoenix.answered(*MORNING[:3])
    first = read(phoenix)
    phoenix.answered(*MORNING[3:])
    del phoenix.spans[:6]
    assert [each.trace_id for each in read(phoenix, first).answers] == [each.trace_id for each in MORNING[3:]]


def test_an_author_who_was_never_asked_has_no_answers(phoenix: Phoenix):
    assert read(phoenix, author="ben") == Read((), None, more=False)


@pytest.mark.parametrize("broken", [(500, b"{}"), (200, b"<html>"), (200, b"{}"), (200, b"[]")])
def test_a_phoenix_that_is_broken_says_so(phoenix: Phoenix, broken: tuple[int, bytes]):
    phoenix.broken = broken
    with pytest.raises(TracesUnavailableError, match="Phoenix"):
        read(phoenix)


def test_a_phoenix_that_is_not_there_says_so():
    with pytest.raises(TracesUnavailableError, match="cannot be reached"):
        read_answers("http://127.0.0.1:9", "maya", None, NOON, None, 10)


@pytest.mark.parametrize(("ahead", "noticed"), [(0, 0), (-60, 0), (3600, 3510), (-3600, -3240)])
def test_a_clock_that_is_wrong_is_noticed_and_its_answers_count_when_they_came(
    phoenix: Phoenix, ahead: float, noticed: float
):
    asked = answers(1, NOON - timedelta(minutes=1), seconds=0.0)
    phoenix.answered(*asked, late=timedelta(seconds=ahead))
    before = NOON - timedelta(minutes=5)
    [found] = read_answers(phoenix.url, "maya", None, NOON, before, 10).answers
    assert found.clock_skew == pytest.approx(noticed, abs=61)
    [counted] = Answers.of([found]).at
    assert seconds_of(before - timedelta(minutes=3)) <= counted <= seconds_of(NOON + timedelta(minutes=1))
