import json
from datetime import UTC, datetime, timedelta

import pytest

from llm_twin_assets.commands.roll_back import roll_back
from llm_twin_assets.domain.alarm import Action, Alarm, Severity, State
from llm_twin_assets.domain.pause import Pause, pause, pause_path, read_pause
from llm_twin_assets.monitoring.alarm_records import acknowledged, closed, find, put_new
from llm_twin_assets.release.approvals import ApprovalError
from llm_twin_assets.release.records import current_release
from llm_twin_assets_tests.commands.typed import Configure, Twin, said
from llm_twin_assets_tests.faults.killed_release import evaluated, release
from llm_twin_assets_tests.resources.listeners import webhook
from resources.object_store import ObjectStore
from resources.settings import Environment

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def alarm(name: str, severity: Severity = Severity.WARNING, hours: int = 0) -> Alarm:
    at = NOON + timedelta(hours=hours)
    return Alarm(
        alarm_id=name, author="maya", rule="errors", metric="error_share", release="maya-000002", severity=severity,
        action=Action.ROLL_BACK, automatic=True, value=0.4, threshold=0.05, answers=30, window_minutes=60,
        reason="12 of 30 answers failed", opened_at=at, changed_at=at, acted=("roll_back: not done: [it cools down]",),
    )  # fmt: skip


@pytest.fixture
def on_record(objects: ObjectStore) -> ObjectStore:
    """One alarm in each state; the newest is closed, the open one is the oldest."""
    put_new(objects, alarm("maya-errors-1"))
    put_new(objects, acknowledged(alarm("maya-errors-2", hours=1), "Noor", "looking"))
    put_new(objects, closed(alarm("maya-slow-3", hours=2), "Noor", "it was the network"))
    return objects


@pytest.mark.usefixtures("on_record")
def test_open_alarms_come_first_with_what_was_done_and_what_to_run(twin: Twin) -> None:
    listed = twin("alarms")
    assert listed.exit_code == 0
    out = listed.stdout
    assert out.index("maya-errors-1") < out.index("maya-errors-2")
    assert "maya-slow-3" not in out
    assert "acknowledged by Noor" in out
    assert "roll_back: not done: [it cools down]" in out
    assert "→ twin rollback --author maya --approver YOU --reason 'alarm maya-errors-1: errors'" in out
    assert "maya-slow-3" in twin("alarms", "--closed").stdout


@pytest.mark.usefixtures("on_record")
def test_programs_get_json(twin: Twin) -> None:
    listed = json.loads(twin("alarms", "--json", "--closed").stdout)
    assert [each["alarm_id"] for each in listed] == ["maya-errors-1", "maya-errors-2", "maya-slow-3"]
    assert listed[0]["what_to_run"].startswith("twin rollback --author maya")
    assert json.loads(twin("alarms", "--json", "--author", "ben").stdout) == []


def test_a_critical_alarm_fails_the_command_until_somebody_is_at_it(twin: Twin, objects: ObjectStore) -> None:
    assert twin("alarms").exit_code == 0
    put_new(objects, alarm("maya-errors-1", Severity.CRITICAL))
    assert twin("alarms").exit_code == 1
    assert twin("alarms", "--json").exit_code == 1
    assert twin("alarms", "--author", "ben").exit_code == 0
    assert twin("alarms", "acknowledge", "maya-errors-1", "--by", "Noor", "--note", "rolling back").exit_code == 0
    assert twin("alarms").exit_code == 0
    found = find(objects, "maya", "maya-errors-1")
    assert found is not None
    assert (found.state, found.by, found.note) == (State.ACKNOWLEDGED, "Noor", "rolling back")


def test_an_alarm_is_closed_by_the_beginning_of_its_name(twin: Twin, on_record: ObjectStore) -> None:
    assert "2 alarms are called 'maya-errors'" in said(twin("alarms", "close", "maya-errors"))
    assert twin("alarms", "close", "maya-errors-1", "--by", "Ada").exit_code == 0
    found = find(on_record, "maya", "maya-errors-1")
    assert found is not None
    assert (found.state, found.by) == (State.CLOSED, "Ada")
    assert "is closed already" in said(twin("alarms", "acknowledge", "maya-errors-1"))
    assert "no alarm is called 'ben'" in said(twin("alarms", "close", "ben"))


def test_whether_people_can_be_told_is_tried_before_it_matters(
    twin: Twin, configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure()
    assert "nobody is named in twin.yaml" in said(twin("alarms", "test"))
    configure(monitoring={"notify": {"webhooks": [{"url_variable": "TWIN_TEST_WEBHOOK"}]}})
    with webhook() as hook:
        monkeypatch.setenv("TWIN_TEST_WEBHOOK", hook.url)
        assert twin("alarms", "test").stdout == "webhook TWIN_TEST_WEBHOOK: told\n"
    assert "If you read this" in str(hook.posted[0]["text"])
    monkeypatch.delenv("TWIN_TEST_WEBHOOK")
    failed = twin("alarms", "test")
    assert (failed.exit_code, "is not set" in failed.stdout) == (1, True)


@pytest.fixture
def released(objects: ObjectStore) -> ObjectStore:
    """Version 1 was released, version 2 serves."""
    for version in ("1", "2"):
        evaluated(objects, version)
        release(objects.root, version)
    return objects


def test_a_twin_is_paused_and_resumed_by_hand(twin: Twin, released: ObjectStore) -> None:
    done = twin("pause", "maya", "--reason", "it names a customer", "--by", "Noor")
    assert done.exit_code == 0
    found = read_pause(released, "maya")
    assert found is not None
    assert (found.by, found.reason, found.alarm_id) == ("Noor", "it names a customer", None)
    assert "by Noor: it names a customer" in twin("alarms").stdout
    assert "by Noor: it names a customer" in twin("pause", "maya", "--reason", "again", "--by", "Ada").stdout
    assert twin("resume", "maya").exit_code == 0
    assert read_pause(released, "maya") is None
    assert "is not paused" in said(twin("resume", "maya"))
    assert "no twin of 'maja' is released" in said(twin("pause", "maja", "--reason", "a typo"))


def test_who_resumed_is_on_the_record_of_the_alarm_that_paused(twin: Twin, on_record: ObjectStore) -> None:
    by_alarm = Pause(author="maya", by="alarm", reason="errors", since=NOON, alarm_id="maya-errors-1")
    pause(on_record, by_alarm)
    assert twin("resume", "maya", "--by", "Noor").exit_code == 0
    found = find(on_record, "maya", "maya-errors-1")
    assert found is not None
    assert found.acted[-1].startswith("resume: by Noor (")


def test_a_pause_that_cannot_be_read_can_be_lifted(twin: Twin, objects: ObjectStore) -> None:
    objects.replace(pause_path("maya"), b"{")
    assert "twin resume maya" in said(twin("alarms"))
    assert twin("resume", "maya").exit_code == 0
    assert twin("alarms").exit_code == 0


def test_a_roll_back_without_a_version_is_to_what_served_before(released: ObjectStore) -> None:
    environment = Environment.current()
    decided, now_serves = roll_back("maya", None, "Noor", "worse", environment)
    assert (decided.model_version, now_serves.snapshot) == ("1", "snapshot-1")
    assert current_release(released, "maya") == now_serves
    with pytest.raises(ApprovalError, match="no other model of 'maya' served before what serves"):
        roll_back("maya", None, "Noor", "worse", environment)
