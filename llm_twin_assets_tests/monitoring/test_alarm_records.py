from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from llm_twin_assets.domain.alarm import Action, Alarm, Severity, State
from llm_twin_assets.monitoring.alarm_records import AlarmStateError, acknowledged, alarms, closed, find, put_new
from resources.errors import StorageError
from resources.object_store import ObjectStore

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


def alarm(name: str = "maya-errors-1", author: str = "maya", at: datetime = NOON) -> Alarm:
    return Alarm(
        alarm_id=name, author=author, rule="errors", metric="error_share", release=f"{author}-000001",
        severity=Severity.CRITICAL, action=Action.ROLL_BACK, automatic=False, value=0.4, threshold=0.05, answers=30,
        window_minutes=60, reason="12 of 30 answers failed", opened_at=at, changed_at=at,
    )  # fmt: skip


@pytest.fixture
def objects(tmp_path: Path) -> ObjectStore:
    return ObjectStore(str(tmp_path))


def test_alarms_are_read_newest_first_and_by_author(objects: ObjectStore):
    older, newer, other = alarm("1"), alarm("2", at=NOON + timedelta(hours=1)), alarm("3", "ben")
    for each in (older, newer, other):
        put_new(objects, each)
    assert alarms(objects, "maya") == [newer, older]
    assert {each.alarm_id for each in alarms(objects)} == {"1", "2", "3"}
    assert find(objects, "maya", "2") == newer
    assert find(objects, "maya", "3") is None


def test_an_author_whose_name_begins_anothers_has_alarms_of_their_own(objects: ObjectStore):
    put_new(objects, alarm("1", "maya-b"))
    assert alarms(objects, "maya") == []


def test_an_alarm_is_written_newly_once(objects: ObjectStore):
    assert put_new(objects, alarm())
    assert not put_new(objects, alarm().model_copy(update={"reason": "again"}))
    assert alarms(objects)[0].reason == "12 of 30 answers failed"


def test_an_alarm_is_acknowledged_then_closed_and_says_by_whom():
    later = NOON + timedelta(minutes=5)
    seen = acknowledged(alarm(), "ines", "looking", later)
    assert (seen.state, seen.by, seen.note, seen.changed_at) == (State.ACKNOWLEDGED, "ines", "looking", later)
    over = closed(seen, "ines", "rolled back", later)
    assert (over.state, over.opened_at) == (State.CLOSED, NOON)
    assert closed(over, "ben", None) == over


def test_what_is_closed_cannot_be_acknowledged():
    with pytest.raises(AlarmStateError, match="closed already"):
        acknowledged(closed(alarm(), "ines", None), "ines", None)


def test_a_record_that_is_none_is_named(objects: ObjectStore):
    objects.replace("alarms/maya/broken.json", b"{")
    with pytest.raises(StorageError, match=r"alarms/maya/broken\.json"):
        alarms(objects)
