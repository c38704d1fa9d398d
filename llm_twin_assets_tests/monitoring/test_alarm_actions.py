"""What an alarm has done: once, through the same records as a person, and not at all where it would be wrong."""

import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path

import obstore
import pytest

from llm_twin_assets.domain.alarm import Action, Alarm, Severity
from llm_twin_assets.domain.canary_records import running_canary
from llm_twin_assets.domain.model import ModelVersion
from llm_twin_assets.domain.pause import Pause, pause, read_pause, resume
from llm_twin_assets.inference.prompts import prompt_digest
from llm_twin_assets.monitoring.action_jobs import handle
from llm_twin_assets.monitoring.actions import acted, what_to_run
from llm_twin_assets.monitoring.alarm_notice import alarm_notice
from llm_twin_assets.monitoring.alarm_records import acknowledged, change, closed, put_new
from llm_twin_assets.release.approvals import approve, reject, roll_back
from llm_twin_assets.release.deployment import Served, approved, deploy
from llm_twin_assets.release.records import approvals, current_release, releases
from llm_twin_assets_tests.faults.killed_release import NOW, evaluated, release
from resources.errors import StorageError
from resources.monitoring_settings import Monitoring
from resources.object_store import ObjectStore
from resources.release_settings import Trial

MONITORING = Monitoring(cooldown_hours=24)


@pytest.fixture
def objects(tmp_path: Path) -> ObjectStore:
    """Version 1 was released, version 2 serves."""
    store = ObjectStore(str(tmp_path / "objects"))
    for version in ("1", "2"):
        evaluated(store, version)
        release(store.root, version)
    return store


def alarm(
    name: str = "a1", action: Action = Action.ROLL_BACK, *, of: str = "maya-000002", automatic: bool = True
) -> Alarm:
    return Alarm(
        alarm_id=name, author="maya", rule="errors", metric="error_share", release=of, severity=Severity.CRITICAL,
        action=action, automatic=automatic, value=0.4, threshold=0.05, answers=30, window_minutes=60,
        reason="12 of 30 answers failed", opened_at=NOW, changed_at=NOW,
    )  # fmt: skip


def handled(objects: ObjectStore, opened: Alarm, now: datetime = NOW) -> Alarm:
    """Open an alarm and act on it."""
    put_new(objects, opened)
    return handle(objects, "maya", opened.alarm_id, MONITORING, now)


def serving(objects: ObjectStore) -> str:
    found = current_release(objects, "maya")
    assert found is not None
    return found.model_version


def test_an_automatic_roll_back_returns_to_what_served_before_on_record_as_the_alarms(objects: ObjectStore) -> None:
    done = handled(objects, alarm())
    assert serving(objects) == "1"
    decision = approvals(objects, "maya")[-1]
    assert (decision.decision, decision.approver) == ("rolled_back", "alarm a1")
    assert decision.reason == "errors: 12 of 30 answers failed"
    assert done.acted == (
        "roll_back: maya-000003 serves: version 1 with snapshot-1 again (2026-11-21 00:00 UTC)",
        "notify: nobody is named, it is in the log (2026-11-21 00:00 UTC)",
    )


def test_what_was_done_is_not_asked_of_a_person_again(objects: ObjectStore) -> None:
    done = handled(objects, alarm())
    assert alarm_notice(done).text.splitlines() == [
        "12 of 30 answers failed.",
        "roll back, automatically: maya-000003 serves: version 1 with snapshot-1 again (2026-11-21 00:00 UTC)",
        "To do: twin alarms acknowledge a1 --note WHAT",
    ]


def test_it_is_done_once_however_often_it_is_asked_for(objects: ObjectStore) -> None:
    first = handled(objects, alarm())
    assert handled(objects, alarm(), NOW + timedelta(days=3)) == first
    assert len(approvals(objects, "maya")) == len(releases(objects, "maya")) == 3


def test_it_is_done_once_by_several_at_the_same_moment(objects: ObjectStore) -> None:
    put_new(objects, alarm())
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda _: handle(objects, "maya", "a1", MONITORING, NOW), range(4)))
    assert serving(objects) == "1"
    assert [each.decision for each in approvals(objects, "maya")] == ["approved", "approved", "rolled_back"]
    assert any("maya-000003 serves" in (acted(each, Action.ROLL_BACK) or "") for each in done)


@pytest.mark.parametrize("seen_meanwhile", [False, True])
def test_what_a_killed_run_decided_and_did_not_do_is_done(objects: ObjectStore, *, seen_meanwhile: bool) -> None:
    roll_back(objects, "maya", "1", "alarm a1", "errors: 12 of 30 answers failed", NOW)
    assert serving(objects) == "2"
    heard: list[str] = []
    put_new(objects, acknowledged(alarm(), "Noor", None) if seen_meanwhile else alarm())
    handle(objects, "maya", "a1", MONITORING, NOW, lambda approval: heard.append(approval.model_version))
    assert (serving(objects), heard) == ("1", ["1"])
    assert len(approvals(objects, "maya")) == 3


class KilledError(BaseException):
    """What no code of ours outlives."""


def test_a_run_that_ends_after_any_write_is_made_good_by_the_next(
    objects: ObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_new(objects, alarm())
    for number in count(1):
        store = ObjectStore(str(shutil.copytree(objects.root, tmp_path / str(number))))
        with monkeypatch.context() as dying:
            dying.setattr(obstore, "put", _dying(number))
            try:
                handle(store, "maya", "a1", MONITORING, NOW)
                break
            except KilledError:
                pass
        done = handle(store, "maya", "a1", MONITORING, NOW + timedelta(minutes=15))
        assert serving(store) == "1"
        assert len(approvals(store, "maya")) == len(releases(store, "maya")) == 3
        assert [line.split(":")[0] for line in done.acted] == ["roll_back", "notify"]
        assert "maya-000003 serves" in done.acted[0]
    assert number > 6, "claim, decision, its copy, release, switch and two lines of record are seven writes"


def _dying(number: int) -> Callable[..., object]:
    """`obstore.put`, of which the n-th is the last thing that is done."""
    put, left = obstore.put, iter(range(number - 1, -1, -1))

    def write(*given: object, **named: object) -> object:
        done = put(*given, **named)  # type: ignore[arg-type]
        if next(left) == 0:
            raise KilledError
        return done

    return write


def test_a_decision_of_a_person_after_the_alarms_own_stands(objects: ObjectStore) -> None:
    roll_back(objects, "maya", "1", "alarm a1", "errors", NOW)
    release(objects.root, "2")
    done = handled(objects, alarm())
    assert serving(objects) == "2"
    assert "another decision followed" in (acted(done, Action.ROLL_BACK) or "")


def test_a_second_alarm_within_the_cool_down_only_tells_and_says_why(objects: ObjectStore) -> None:
    evaluated(objects, "3")
    release(objects.root, "3")
    handled(objects, alarm(of="maya-000003"))
    assert serving(objects) == "2"
    again = handled(objects, alarm("a2", of="maya-000004"), NOW + timedelta(hours=23))
    assert serving(objects) == "2"
    said = acted(again, Action.ROLL_BACK) or ""
    assert said.startswith(
        "not done: alarm a1 had it done at 2026-11-21 00:00 UTC, the next may at 2026-11-22 00:00 UTC"
    )
    assert acted(again, Action.NOTIFY) is not None
    assert f"To do: {what_to_run(again)}" in alarm_notice(again).text
    handled(objects, alarm("a3", of="maya-000004"), NOW + timedelta(hours=25))
    assert serving(objects) == "1"


def test_what_was_rolled_back_from_is_not_returned_to(objects: ObjectStore) -> None:
    handled(objects, alarm())
    done = handled(objects, alarm("a2", of="maya-000003"), NOW + timedelta(days=2))
    assert serving(objects) == "1"
    assert "not done: no other model of 'maya' served before" in (acted(done, Action.ROLL_BACK) or "")


def test_what_was_rejected_since_is_passed_over(objects: ObjectStore) -> None:
    evaluated(objects, "3")
    release(objects.root, "3")
    reject(objects, "maya", "2", "Noor", "repeats itself", NOW)
    handled(objects, alarm(of="maya-000003"))
    assert serving(objects) == "1"


def test_an_alarm_about_what_serves_no_longer_changes_nothing_and_uses_up_nothing(objects: ObjectStore) -> None:
    done = handled(objects, alarm(of="maya-000001"))
    assert (acted(done, Action.ROLL_BACK) or "").startswith("not done: maya-000001 serves no longer")
    assert serving(objects) == "2"
    handled(objects, alarm("a2"), NOW + timedelta(minutes=1))
    assert serving(objects) == "1"


@pytest.mark.parametrize("seen", [acknowledged, closed])
def test_an_alarm_that_somebody_has_seen_to_is_left_to_them(
    objects: ObjectStore, seen: Callable[[Alarm, str, str | None], Alarm]
) -> None:
    put_new(objects, seen(alarm(), "Noor", "I am at it"))
    done = handle(objects, "maya", "a1", MONITORING, NOW)
    assert (acted(done, Action.ROLL_BACK) or "").startswith("not done: Noor has")
    assert serving(objects) == "2"


def test_records_that_were_tampered_with_are_not_acted_on(objects: ObjectStore) -> None:
    objects.replace("releases/maya/000001.json", objects.get("releases/maya/000002.json"))
    done = handled(objects, alarm())
    assert (acted(done, Action.ROLL_BACK) or "").startswith("not done: releases/maya/")
    assert acted(done, Action.NOTIFY) is not None


def test_an_alarm_that_is_not_automatic_tells_what_to_run_and_does_nothing(objects: ObjectStore) -> None:
    done = handled(objects, alarm(automatic=False))
    assert (serving(objects), acted(done, Action.ROLL_BACK)) == ("2", None)
    assert "To do: twin rollback --author maya --approver YOU --reason 'alarm a1: errors'" in alarm_notice(done).text


@pytest.mark.parametrize(
    ("action", "begins"),
    [
        (Action.ROLL_BACK, "twin rollback --author maya"),
        (Action.RETRAIN, "twin run --author maya"),
        (Action.RECOLLECT, "twin run --author maya"),
        (Action.PAUSE, "twin pause maya --reason"),
        (Action.NOTIFY, "twin alarms acknowledge a1"),
    ],
)
def test_every_action_can_be_done_by_hand(action: Action, begins: str) -> None:
    assert what_to_run(alarm(action=action)).startswith(begins)


def test_a_pause_stands_on_record_as_the_alarms_until_it_is_lifted(objects: ObjectStore) -> None:
    handled(objects, alarm(action=Action.PAUSE))
    found = read_pause(objects, "maya")
    assert found == Pause(
        author="maya", by="alarm a1", reason="errors: 12 of 30 answers failed", since=NOW, alarm_id="a1"
    )
    resume(objects, "maya")
    again = handled(objects, alarm("a2", Action.PAUSE), NOW + timedelta(hours=1))
    assert read_pause(objects, "maya") is None, "a person resumed it, and the action cools down"
    assert "not done: alarm a1 had it done" in (acted(again, Action.PAUSE) or "")


def test_a_persons_pause_is_not_taken_over(objects: ObjectStore) -> None:
    noors = pause(objects, Pause(author="maya", by="Noor", reason="names a customer", since=NOW))
    done = handled(objects, alarm(action=Action.PAUSE))
    assert read_pause(objects, "maya") == noors
    assert "not done: it is paused already, by Noor" in (acted(done, Action.PAUSE) or "")


def test_a_canary_that_alarms_is_ended_and_its_model_rejected(objects: ObjectStore) -> None:
    evaluated(objects, "3")
    approve(objects, "maya", "3", "Noor", "yes", NOW)
    model = ModelVersion("maya", "twin-maya", "3", "m3", "models/maya/3", "tiny-llama", None, "d1")
    tried, _ = deploy(
        objects, approved(objects, "maya"), model, Served("Maya", "snapshot-3", "minilm", "e", prompt_digest()), NOW,
        None, Trial(),
    )  # fmt: skip
    assert running_canary(objects, "maya") == tried
    done = handled(objects, alarm(of=tried.release_id))
    assert running_canary(objects, "maya") is None
    assert serving(objects) == "2"
    decision = approvals(objects, "maya")[-1]
    assert (decision.decision, decision.model_version, decision.approver) == ("rejected", "3", "alarm a1")
    assert "canary maya-000003 was ended" in (acted(done, Action.ROLL_BACK) or "")


def test_a_change_of_an_alarm_loses_nothing_that_was_written_meanwhile(objects: ObjectStore) -> None:
    put_new(objects, alarm())
    with ThreadPoolExecutor(4) as pool:
        list(
            pool.map(
                lambda number: change(
                    objects, "maya", "a1", lambda one: one.model_copy(update={"acted": (*one.acted, f"{number}")})
                ),
                range(12),
            )
        )
    assert sorted(handle(objects, "maya", "a1", MONITORING, NOW).acted[:12], key=int) == [
        str(each) for each in range(12)
    ]


def test_an_alarm_that_is_on_no_record_says_where_to_look(objects: ObjectStore) -> None:
    with pytest.raises(StorageError, match="See `twin alarms`"):
        handle(objects, "maya", "a9", MONITORING, NOW)
