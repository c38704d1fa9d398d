from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pytest

from llm_twin_assets.domain.alarm import Alarm, State
from llm_twin_assets.monitoring.alarm_records import acknowledged, closed
from llm_twin_assets.monitoring.answers import AnswerSeen
from llm_twin_assets.monitoring.history import History
from llm_twin_assets.monitoring.looks import level, step_minutes
from llm_twin_assets.monitoring.rules import RULE_ENGINE, evaluate
from llm_twin_assets_tests.monitoring.traffic import FIRST, MONDAY, answers, hours, with_share
from resources.alarm_rules import Rule
from resources.monitoring_settings import Monitoring

MONITORING = Monitoring()
SECOND = "maya-000002"
# Ten hours of twenty answers each: what every release begins with.
START = answers(200)


def after(at: float) -> datetime:
    return MONDAY + hours(at)


class Desk:
    """Looks every so many minutes, and keeps the records."""

    def __init__(self, seen: Sequence[AnswerSeen], monitoring: Monitoring = MONITORING, **known: object) -> None:
        self.monitoring = monitoring
        self.history = History.of("maya", seen, monitoring.reference_answers, **known)  # type: ignore[arg-type]
        self.alarms: dict[str, Alarm] = {}

    def watch(self, start: float, end: float, minutes: int = 15) -> list[Alarm]:
        """What opens between two hours."""
        opened: list[Alarm] = []
        now = after(start)
        while now < after(end):
            since, now = now, now + timedelta(minutes=minutes)
            changes = evaluate(self.monitoring, self.history, now, list(self.alarms.values()), since)
            self.alarms |= {each.alarm_id: each for each in (*changes.opened, *changes.closed)}
            opened += changes.opened
        return opened

    def state(self, alarm: Alarm) -> State:
        return self.alarms[alarm.alarm_id].state


def rung(opened: Sequence[Alarm]) -> list[str]:
    return [each.rule for each in opened]


def with_hours(*later: list[AnswerSeen]) -> list[AnswerSeen]:
    return [*START, *(each for part in later for each in part)]


def night_and_day(seed: int = 1, count: int = 300, **said: object) -> list[AnswerSeen]:
    return answers(count, after(12), hours(6), seed, **said)


def test_answers_like_the_first_ring_nothing():
    assert Desk(with_hours(night_and_day())).watch(10, 18) == []


def test_a_night_without_a_question_rings_nothing_and_closes_nothing():
    desk = Desk(with_hours(with_share(night_and_day(), 2, failed=True)))
    [alarm] = desk.watch(12, 18)
    assert desk.watch(18, 22) == []
    assert desk.state(alarm) is State.OPEN


def test_few_answers_ring_nothing_however_bad():
    assert Desk(with_hours(answers(19, after(12), hours(1), failed=True))).watch(12, 14) == []


def test_errors_ring_within_the_hour_and_say_what_was_found():
    [alarm] = Desk(with_hours(with_share(night_and_day(), 3, failed=True))).watch(12, 14)
    assert (alarm.rule, alarm.release, alarm.severity, alarm.action) == ("errors", FIRST, "critical", "roll_back")
    assert alarm.value == pytest.approx(1 / 3, abs=0.05)
    assert alarm.threshold == 0.05
    assert alarm.answers >= 20
    assert alarm.reason.startswith("answers that failed 3")
    assert alarm.opened_at <= after(13)


def faults() -> dict[str, list[AnswerSeen]]:
    slow = [replace(each, seconds=2 * each.seconds) for each in night_and_day()]
    tail = [
        replace(each, seconds=12 * each.seconds) if at % 6 == 0 else each for at, each in enumerate(night_and_day())
    ]
    stale = [replace(each, relevance=(each.relevance or 0) - 0.2) for each in night_and_day()]
    thumbs = [replace(each, thumb="down" if at % 5 else "up") for at, each in enumerate(night_and_day())]
    return {
        "slow": slow,
        "slow_tail": tail,
        "stale_retrieval": stale,
        "unanswered_topic": with_share(night_and_day(), 4, outcome="nothing_found", relevance=0.1),
        "degraded": with_share(night_and_day(), 3, degraded=True, cause="engine_timeout"),
        "uncited": with_share(night_and_day(), 2, citations=0),
        "thumbs_down": thumbs,
        "personal_data": with_share(night_and_day(), 5, personal_data=1),
        "clock_skew": night_and_day(clock_skew=600.0),
        "late_first_token": [replace(each, first_token_seconds=each.seconds) for each in night_and_day()],
    }


@pytest.mark.parametrize("name", faults())
def test_each_fault_rings_its_own_alarm_and_no_other(name: str):
    first = with_share(START, 5, thumb="up")
    assert rung(Desk([*first, *faults()[name]]).watch(12, 18)) == [name]


def test_a_worse_model_rings_against_the_release_before():
    worse = with_share(night_and_day(release=SECOND), 3, degraded=True, cause="partly_unsupported")
    [alarm] = Desk(with_hours(worse)).watch(12, 18)
    assert (alarm.rule, alarm.release, alarm.action) == ("worse_model_degraded", SECOND, "roll_back")


def test_of_several_signs_of_a_worse_model_one_alarm_is_enough():
    worse = with_share(night_and_day(release=SECOND, support=0.3), 3, degraded=True)
    assert rung(Desk(with_hours(worse)).watch(12, 18)) == ["worse_model_degraded"]


def test_other_questions_ring_and_questions_far_from_the_corpus_too():
    random = np.random.default_rng(2)

    def asked(seen: list[AnswerSeen], middle: float) -> list[AnswerSeen]:
        vectors = random.normal((1.0, middle, 0.0, 0.0), 0.2, (len(seen), 4))
        return [replace(each, vector=tuple(vector)) for each, vector in zip(seen, vectors, strict=True)]

    moved = asked(START, 0.0) + asked(answers(300, after(12), hours(24), 1), 0.8)
    chunks = np.array([[1, 0, 0, 0]], np.float32)
    known = {"corpus": lambda snapshot: chunks}
    often = Monitoring(false_alarms_per_week=0.5)  # fewer permutations
    assert rung(Desk(moved, often, **known).watch(12, 36)) == ["drift"]
    no_drift = Monitoring.model_validate({"rules": {"drift": {"enabled": False}}})
    assert rung(Desk(moved, no_drift, **known).watch(12, 36)) == ["corpus_drift"]
    alike = asked(START, 0.0) + asked(answers(300, after(12), hours(24), 1), 0.0)
    assert Desk(alike, **known).watch(12, 36) == []


def test_a_phoenix_that_is_gone_rings_until_it_is_back():
    desk = Desk(START, read_at=after(10))
    [alarm] = desk.watch(10, 11, minutes=5)
    assert (alarm.rule, alarm.release, alarm.opened_at) == ("traces_missing", "", after(10) + timedelta(minutes=20))
    desk.history = replace(desk.history, read_at=after(11))
    desk.watch(11, 11.2, minutes=5)
    assert desk.state(alarm) is State.CLOSED


def test_a_phoenix_that_never_was_there_is_not_missed():
    assert Desk(START).watch(10, 12) == []


def test_an_alarm_closes_when_all_is_well_again_and_not_before():
    bad = [replace(each, seconds=3 * each.seconds) for each in answers(100, after(12), hours(2), 1)]
    good = answers(200, after(14), hours(4), 2)
    desk = Desk(with_hours(bad, good))
    [alarm] = desk.watch(12, 14)
    desk.watch(14, 14.5)
    assert desk.state(alarm) is State.OPEN
    assert desk.watch(14.5, 18) == []
    over = desk.alarms[alarm.alarm_id]
    assert (over.state, over.by) == (State.CLOSED, RULE_ENGINE)
    assert over.changed_at < after(17)


def test_an_alarm_that_was_acknowledged_closes_like_any_other():
    bad = with_share(answers(100, after(12), hours(2), 1), 2, failed=True)
    desk = Desk(with_hours(bad, answers(200, after(14), hours(4), 2)))
    [alarm] = desk.watch(12, 14)
    desk.alarms[alarm.alarm_id] = acknowledged(alarm, "ines", None, after(14))
    desk.watch(14, 18)
    assert desk.state(alarm) is State.CLOSED


def test_what_a_person_closed_rings_again_for_new_answers_only():
    desk = Desk(with_hours(with_share(night_and_day(), 2, failed=True)))
    [alarm] = desk.watch(12, 12.75)
    desk.alarms[alarm.alarm_id] = closed(alarm, "ines", "known", after(12.75))
    assert desk.watch(12.75, 13) == []
    [again] = desk.watch(13, 14)
    assert again.opened_at > after(13)


def test_an_alarm_closes_when_another_release_answers():
    bad = with_share(answers(100, after(12), hours(2), 1), 2, failed=True)
    desk = Desk(with_hours(bad, answers(5, after(15), hours(1), 2, release=SECOND)))
    [alarm] = desk.watch(12, 14)
    desk.watch(14, 16)
    assert desk.alarms[alarm.alarm_id].note == f"{SECOND} answers now"


def test_a_canary_beside_a_release_closes_none_of_its_alarms():
    bad = with_share(answers(100, after(12), hours(2), 1), 2, failed=True)
    desk = Desk(with_hours(bad, answers(5, after(15), hours(1), 2, release=SECOND, canary=True)))
    [alarm] = desk.watch(12, 14)
    desk.watch(14, 16)
    assert desk.state(alarm) is State.OPEN


def test_whoever_looks_and_when_finds_the_same_alarm():
    history = History.of("maya", with_hours(with_share(night_and_day(), 2, failed=True)), 200)
    looks = [evaluate(MONITORING, history, after(13) + timedelta(seconds=late), []) for late in (1, 301, 800)]
    assert looks[0].opened
    assert looks[0] == looks[1] == looks[2]


def test_nothing_is_looked_at_twice():
    history = History.of("maya", with_hours(with_share(night_and_day(), 2, failed=True)), 200)
    now = after(13) + timedelta(minutes=2)
    assert evaluate(MONITORING, history, now, [], since=after(13)).opened == ()


def test_a_rule_may_have_to_hold_for_a_while():
    patient = Monitoring.model_validate({"rules": {"errors": {"for_minutes": 60}}})
    seen = with_hours(with_share(night_and_day(), 2, failed=True))
    [early], [late] = Desk(seen).watch(12, 14), Desk(seen, patient).watch(12, 15)
    assert late.opened_at == early.opened_at + timedelta(minutes=60)


def test_a_week_of_looks_has_one_share_of_false_alarms():
    rule = Rule(metric="error_share", above=0.1, window_minutes=60)
    looks = 7 * 24 * 60 / step_minutes(rule)
    assert looks * level(rule, MONITORING) == pytest.approx(MONITORING.false_alarms_per_week)
