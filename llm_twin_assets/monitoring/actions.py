"""What is done about an alarm: by a person, who is told what to run, or automatically, once, on the alarm's behalf."""

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from llm_twin_assets.domain.alarm import Action, Alarm, State
from llm_twin_assets.domain.canary_records import ended, running_canary
from llm_twin_assets.domain.pause import Pause, pause
from llm_twin_assets.domain.release import Approval, Release
from llm_twin_assets.domain.released import read_tried
from llm_twin_assets.monitoring.cooldown import claimed, given_back
from llm_twin_assets.release import canary
from llm_twin_assets.release.approvals import ApprovalError
from llm_twin_assets.release.deployment import return_to
from llm_twin_assets.release.records import approvals, current_release
from llm_twin_assets.release.returning import release_before, roll_back_now
from resources.object_store import ObjectStore

# How an outcome begins that leaves it to a person.
NOT_DONE = "not done: "


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an action, in a sentence; `approval` is the decision that it took, for the graph to hear of."""

    said: str
    approval: Approval | None = None

    @classmethod
    def not_done(cls, why: str) -> "Outcome":
        """Nothing was changed."""
        return cls(f"{NOT_DONE}{why}")

    @property
    def done(self) -> bool:
        """Whether nothing is left to a person."""
        return not self.said.startswith(NOT_DONE)


def what_to_run(alarm: Alarm) -> str:
    """What a person types next, to be pasted but for one's name: what the alarm asks for, unless that was done."""
    author, reason = alarm.author, shlex.quote(f"alarm {alarm.alarm_id}: {alarm.rule}")
    match Action.NOTIFY if is_done(alarm) else alarm.action:
        case Action.ROLL_BACK:
            return f"twin rollback --author {author} --approver YOU --reason {reason}"
        case Action.RETRAIN | Action.RECOLLECT:
            return f"twin run --author {author}"
        case Action.PAUSE:
            return f"twin pause {author} --reason {reason}"
        case Action.NOTIFY:
            return f"twin alarms acknowledge {alarm.alarm_id} --note WHAT"


def is_automatic(alarm: Alarm) -> bool:
    """Whether anything is done without a person."""
    return alarm.automatic and alarm.action is not Action.NOTIFY


def is_done(alarm: Alarm) -> bool:
    """Whether its action is on record as taken."""
    said = acted(alarm, alarm.action)
    return said is not None and not said.startswith(NOT_DONE)


def take_action(objects: ObjectStore, alarm: Alarm, now: datetime, cooldown_hours: float) -> Outcome:
    """Take the alarm's action, once whatever happens: a second call finds what the first has done.

    Raises `TamperedError` and `StorageError`: then nobody knows what serves, and nothing may be done to it.
    """
    if alarm.state is not State.OPEN:
        # But for what was decided before: a decision that is not carried out would wait for the next release.
        begun = _taken_up(objects, alarm, approvals(objects, alarm.author), now)
        return begun or Outcome.not_done(f"{alarm.by or 'somebody'} has {alarm.state} the alarm")
    claim = claimed(objects, alarm, now, cooldown_hours)
    if claim.alarm_id != alarm.alarm_id:
        again = claim.at + timedelta(hours=cooldown_hours)
        return Outcome.not_done(
            f"alarm {claim.alarm_id} had it done at {stamp(claim.at)}, the next may at {stamp(again)}"
        )
    try:
        outcome = _TAKEN[alarm.action](objects, alarm, now)
    except ApprovalError as error:
        outcome = Outcome.not_done(str(error))
    if not outcome.done:
        given_back(objects, claim)
    return outcome


def acted(alarm: Alarm, action: Action) -> str | None:
    """What is on the alarm's record of an action, None if nothing is."""
    prefix = f"{action}: "
    return next((entry.removeprefix(prefix) for entry in alarm.acted if entry.startswith(prefix)), None)


def with_act(alarm: Alarm, action: Action, said: str) -> Alarm:
    """The alarm with what was done as one more line of its record, unless it says so already."""
    if acted(alarm, action) is not None:
        return alarm
    return alarm.model_copy(update={"acted": (*alarm.acted, f"{action}: {said}")})


def stamp(moment: datetime) -> str:
    """A moment as records say it."""
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def _roll_back(objects: ObjectStore, alarm: Alarm, now: datetime) -> Outcome:
    if tried := _tried(objects, alarm):
        return _end_canary(objects, alarm, tried, now)
    past = approvals(objects, alarm.author)
    if outcome := _taken_up(objects, alarm, past, now):
        return outcome
    try:
        _check_serves(objects, alarm)
        version = release_before(objects, alarm.author).model_version
        approval, release = roll_back_now(objects, alarm.author, version, _by(alarm), _why(alarm), now, seen=len(past))
    except ApprovalError:
        if outcome := _taken_up(objects, alarm, approvals(objects, alarm.author), now):
            return outcome  # another run for the same alarm was quicker
        raise
    return _returned(release, approval)


def _taken_up(objects: ObjectStore, alarm: Alarm, past: Sequence[Approval], now: datetime) -> Outcome | None:
    """What the alarm's own decision led to, if that is on record; the switch may be what a killed run left undone."""
    mine = next((each for each in past if each.approver == _by(alarm) and each.decision == "rolled_back"), None)
    if mine is None:
        return None
    if mine != past[-1]:
        return Outcome(f"version {mine.model_version} was returned to, and another decision followed", mine)
    release, _ = return_to(objects, mine, now)
    return _returned(release, mine)


def _returned(release: Release, approval: Approval) -> Outcome:
    said = f"{release.release_id} serves: version {release.model_version} with {release.snapshot} again"
    return Outcome(said, approval)


def _tried(objects: ObjectStore, alarm: Alarm) -> Release | None:
    """The canary that the alarm is about, if it is about one that runs, or that it has ended itself."""
    tried = read_tried(objects, alarm.author)
    if tried is None or tried.release_id != alarm.release:
        return None
    ending = ended(objects, tried)
    is_mine = ending is not None and ending.by == _by(alarm)
    return tried if is_mine or running_canary(objects, alarm.author) == tried else None


def _end_canary(objects: ObjectStore, alarm: Alarm, tried: Release, now: datetime) -> Outcome:
    if canary.stop(objects, alarm.author, _by(alarm), _why(alarm), now) is None:
        canary.settle(objects, alarm.author, now)  # what a killed run left undone
    return Outcome(f"canary {tried.release_id} was ended, version {tried.model_version} is rejected")


def _pause(objects: ObjectStore, alarm: Alarm, now: datetime) -> Outcome:
    _check_serves(objects, alarm)
    wanted = Pause(author=alarm.author, by=_by(alarm), reason=_why(alarm), since=now, alarm_id=alarm.alarm_id)
    stands = pause(objects, wanted)
    if stands.alarm_id != alarm.alarm_id:
        return Outcome.not_done(f"it is paused already, by {stands.by}")
    return Outcome(f"the twin only quotes until `twin resume {alarm.author}`")


def _request(objects: ObjectStore, alarm: Alarm, now: datetime) -> Outcome:  # noqa: ARG001 - one signature for all
    """The claim is the request: the sensor `alarm_follow_up` starts a run for it, one for each alarm."""
    return Outcome("a run is requested")


def _check_serves(objects: ObjectStore, alarm: Alarm) -> None:
    serving = current_release(objects, alarm.author)
    if serving is None or serving.release_id != alarm.release:
        raise ApprovalError(f"{alarm.release} serves no longer")


def _by(alarm: Alarm) -> str:
    return f"alarm {alarm.alarm_id}"


def _why(alarm: Alarm) -> str:
    return f"{alarm.rule}: {alarm.reason}"


_TAKEN: Mapping[Action, Callable[[ObjectStore, Alarm, datetime], Outcome]] = {
    Action.ROLL_BACK: _roll_back,
    Action.PAUSE: _pause,
    Action.RETRAIN: _request,
    Action.RECOLLECT: _request,
}
