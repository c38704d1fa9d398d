import math
import secrets
from dataclasses import fields, replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from llm_twin_assets.domain.feedback import FEEDBACK_TABLE, Feedback, feedback_table
from llm_twin_assets.monitoring.answers import ANSWERS_SCHEMA, AnswerSeen
from llm_twin_assets.monitoring.columns import Answers, seconds_of
from llm_twin_assets.monitoring.figures import figures
from llm_twin_assets.monitoring.stored_answers import record, stored_answers
from llm_twin_assets_tests.monitoring.traffic import MONDAY, answers
from resources.warehouse import Warehouse


def seen(**said: object) -> AnswerSeen:
    return replace(answers(1)[0], trace_id=secrets.token_hex(16), **said)  # type: ignore[arg-type]


def value(name: str, *given: AnswerSeen) -> float:
    return figures(Answers.of(given)).values[name]


def test_of_no_answers_nothing_is_said():
    counted = figures(Answers.of([]))
    assert counted.answers == 0
    assert all(math.isnan(each) for each in counted.values.values())


def test_shares_are_of_those_that_could_have_been_otherwise():
    refused = seen(outcome="nothing_found", citations=0, relevance=0.1)
    assert value("error_share", seen(failed=True), seen(), seen(), seen()) == 0.25
    assert value("uncited_share", seen(citations=0), seen(), refused, refused) == 0.5
    assert value("refused_share", refused, seen(failed=True, outcome=None), seen(), seen()) == pytest.approx(1 / 3)
    assert value("negative_share", seen(thumb="down"), seen(thumb="up"), seen(), seen()) == 0.5
    assert value("personal_data_share", seen(personal_data=2), seen()) == 0.5


def test_a_paused_twin_is_not_degraded_by_a_fault():
    paused = seen(degraded=True, cause="paused")
    assert value("degraded_share", paused, seen(degraded=True, cause="engine_timeout"), seen()) == 0.5
    assert figures(Answers.of([paused, paused])).causes == {"paused": 2}


def test_a_cached_or_drafted_answer_says_nothing_of_latency():
    given = seen(seconds=2.0), seen(seconds=0.01, cached=True), seen(seconds=60.0, form="article")
    assert value("latency_p50", *given) == 2.0
    assert value("latency_p99", *given) == 2.0


def test_what_was_refused_is_not_counted_as_irrelevant_once_more():
    assert value("relevance", seen(relevance=0.5), seen(relevance=0.1, outcome="nothing_found")) == 0.5


def test_a_question_asked_again_without_an_answer_counts_from_the_second_time():
    unanswered = seen(outcome="nothing_found", question_digest="a")
    degraded = seen(degraded=True, question_digest="b")
    again = seen(question_digest="b")
    assert value("unanswered_repeats", unanswered, unanswered, unanswered, degraded, again) == pytest.approx(2 / 5)


def test_a_window_is_a_slice_that_keeps_vectors_with_their_answers():
    given = answers(6, lasting=timedelta(hours=6))
    given[1] = replace(given[1], vector=(1.0, 0.0), relevance=0.1)
    given[4] = replace(given[4], vector=(0.0, 1.0), relevance=0.2)
    columns = Answers.of(reversed(given))
    later = columns.between(seconds_of(MONDAY + timedelta(hours=2)), seconds_of(MONDAY + timedelta(hours=9)))
    assert len(later) == 3
    assert later.relevance[later.embedded].tolist() == [0.2]
    assert later.vectors.tolist() == [[0.0, 1.0]]
    few = columns.where(columns.relevance < 0.15)
    assert (few.embedded.tolist(), few.vectors.tolist()) == ([0], [[1.0, 0.0]])


def test_vectors_of_another_embedder_are_left_out():
    given = answers(3)
    lengths = ((1.0, 0.0, 0.0), (1.0, 0.0), (0.0, 1.0))
    columns = Answers.of(replace(each, vector=vector) for each, vector in zip(given, lengths, strict=True))
    assert columns.vectors.shape == (2, 2)
    assert columns.embedded.tolist() == [1, 2]


def test_answers_come_back_as_they_were_in_the_order_of_a_right_clock(tmp_path: Path):
    warehouse = Warehouse(str(tmp_path))
    plain = seen(outcome=None, first_token_seconds=None, relevance=None, support=None, vector=None)
    full = seen(
        started_at=MONDAY + timedelta(hours=1), clock_skew=7200.0, cause="empty", degraded=True, failed=True,
        cached=True, canary=True, personal_data=2, form="post", vector=(0.5, -0.25),
    )  # fmt: skip
    record(warehouse, "maya", [plain, full])
    stored, given = stored_answers(warehouse, "maya", vectors=True), Answers.of([full, plain])
    assert stored.trace_id.tolist() == [full.trace_id, plain.trace_id]
    for each in fields(Answers):
        np.testing.assert_array_equal(getattr(stored, each.name), getattr(given, each.name), each.name)


def test_the_table_has_no_room_for_words():
    assert not {"question", "answer", "text", "input", "output"} & set(ANSWERS_SCHEMA.names)


def test_an_answer_is_recorded_once_and_gets_the_last_thumb_it_was_given(tmp_path: Path):
    warehouse = Warehouse(str(tmp_path))
    first, second = answers(2, vector=(0.5, 0.5))
    assert record(warehouse, "maya", [first]) == 1
    assert record(warehouse, "maya", [first, second, second]) == 1
    assert record(warehouse, "maya", []) == 0
    said = [
        Feedback(first.trace_id, "maya", "?", "!", None, thumb, None, None, False, MONDAY + timedelta(hours=hour))
        for hour, thumb in ((2, "down"), (1, "up"))
    ]
    for each in said:
        warehouse.upsert(FEEDBACK_TABLE, feedback_table([each]), "maya", identity="created_at")
    stored = stored_answers(warehouse, "maya", vectors=True)
    assert stored.trace_id.tolist() == [first.trace_id, second.trace_id]
    assert np.array_equal(stored.down, [1.0, np.nan], equal_nan=True)
    assert stored.vectors.shape == (2, 2)
    assert len(stored_answers(warehouse, "maya").vectors) == 0
    assert len(stored_answers(warehouse, "ben")) == 0
