"""The job `act_on_alarm`, run for each alarm that opens, and the sensor that sees to what it leaves to others.

The order is: act, put it on the alarm's record, tell people, put that on record. A run that is killed anywhere is made
good by another: an action knows its alarm's own traces, and only telling may happen twice.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import dagster as dg
from pydantic import Field

from llm_twin_assets.collection.schedules import COLLECT_JOB
from llm_twin_assets.domain.alarm import Action, Alarm
from llm_twin_assets.domain.chain import TamperedError
from llm_twin_assets.domain.release import Approval
from llm_twin_assets.monitoring.actions import (
    Outcome,
    acted,
    is_automatic,
    stamp,
    take_action,
    what_to_run,
    with_act,
)
from llm_twin_assets.monitoring.alarm_notice import alarm_notice
from llm_twin_assets.monitoring.alarm_records import change, changed_since, find
from llm_twin_assets.monitoring.cooldown import Claim, claims_since
from llm_twin_assets.partitions import AUTHORS
from llm_twin_assets.release.assets import deployed
from llm_twin_assets.release.jobs import approved_event
from resources.errors import StorageError
from resources.monitoring_settings import Monitoring
from resources.notify import channels_for, tell
from resources.object_store import ObjectStore
from resources.settings import Settings

if TYPE_CHECKING:
    # What `define_asset_job` returns; Dagster has no public name for it.
    from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

_ALARM_TAG = "llm_twin/alarm"
# A run begins within seconds; where none has ended by then it was killed, and every so often another takes its place.
_PATIENCE, _AGAIN = timedelta(minutes=5), timedelta(minutes=15)
# What is older was seen to by a person, or by nobody, and then an action comes too late.
_RECENT = timedelta(days=1)


class AlarmConfig(dg.Config):
    """Which alarm."""

    author: str = Field(description="The author key from twin.yaml, for example 'maya'.")
    alarm_id: str = Field(description="The alarm's id, as `twin alarms` lists it.")


def handle(
    objects: ObjectStore,
    author: str,
    alarm_id: str,
    monitoring: Monitoring,
    now: datetime,
    decided: Callable[[Approval], None] = lambda _: None,
) -> Alarm:
    """Act on an alarm and tell people of it, unless its record says that this was done; returns the record.

    `decided` hears of a roll-back before it is on the alarm's record. Raises `StorageError` if there is no such alarm.
    """
    alarm = find(objects, author, alarm_id)
    if alarm is None:
        raise StorageError(f"there is no alarm '{alarm_id}' of '{author}'", mend="See `twin alarms`.")
    if is_automatic(alarm) and acted(alarm, alarm.action) is None:
        outcome = _taken(objects, alarm, now, monitoring.cooldown_hours)
        if outcome.approval:
            decided(outcome.approval)
        alarm = _recorded(objects, alarm, alarm.action, outcome.said, now)
    if acted(alarm, Action.NOTIFY) is None:
        channels = channels_for(alarm.severity.value, monitoring.notify)
        told = [str(delivery) for delivery in tell(alarm_notice(alarm), channels, monitoring.notify)]
        alarm = _recorded(objects, alarm, Action.NOTIFY, "; ".join(told) or "nobody is named, it is in the log", now)
    return alarm


def _taken(objects: ObjectStore, alarm: Alarm, now: datetime, cooldown_hours: float) -> Outcome:
    try:
        return take_action(objects, alarm, now, cooldown_hours)
    except (TamperedError, StorageError) as error:
        return Outcome.not_done(str(error))


def _recorded(objects: ObjectStore, alarm: Alarm, action: Action, said: str, now: datetime) -> Alarm:
    line = f"{said} ({stamp(now)})"
    return change(objects, alarm.author, alarm.alarm_id, lambda present: with_act(present, action, line))


_DESCRIPTION = (
    "Take an alarm's automatic action, once and unless it cools down, and tell the people that twin.yaml names."
)


@dg.op(description=_DESCRIPTION)
def act_on_alarm_op(
    context: dg.OpExecutionContext,
    config: AlarmConfig,
    objects: dg.ResourceParam[ObjectStore],
    settings: dg.ResourceParam[Settings],
) -> None:
    """Handle the alarm; what was done shows on the deployed release."""

    def decided(approval: Approval) -> None:
        context.log_event(approved_event(approval, objects))

    alarm = handle(objects, config.author, config.alarm_id, settings.monitoring, datetime.now(UTC), decided)
    for line in alarm.acted:
        context.log.info("%s", line)
    context.log_event(_observation(alarm))


def _observation(alarm: Alarm) -> dg.AssetObservation:
    return dg.AssetObservation(
        deployed.key,
        partition=alarm.author,
        description=alarm.reason,
        metadata={
            "alarm": alarm.alarm_id,
            "rule": alarm.rule,
            "severity": alarm.severity.value,
            "release": alarm.release,
            "automatic": is_automatic(alarm),
            "by_hand": what_to_run(alarm),
            "acted": dg.MetadataValue.md("\n".join(f"- {line}" for line in alarm.acted)),
        },
    )


@dg.job(description=_DESCRIPTION, executor_def=dg.in_process_executor)
def act_on_alarm() -> None:
    """One op: its steps are in an order that a second run can go on from."""
    act_on_alarm_op()


def alarm_request(alarm: Alarm, run_key: str | None = None) -> dg.RunRequest:
    """The run that acts on an alarm; Dagster runs a key once, the alarm's id unless another is given."""
    said = {"author": alarm.author, "alarm_id": alarm.alarm_id}
    return dg.RunRequest(
        run_key=run_key or alarm.alarm_id,
        job_name=act_on_alarm.name,
        run_config={"ops": {act_on_alarm_op.name: {"config": said}}},
        tags={_ALARM_TAG: alarm.alarm_id},
    )


def alarm_follow_up(retraining: "UnresolvedAssetJobDefinition") -> dg.SensorDefinition:
    """The sensor that starts what automatic actions ask for, and acts again where a run was killed."""

    @dg.sensor(
        name="alarm_follow_up",
        jobs=[act_on_alarm, COLLECT_JOB, retraining],
        minimum_interval_seconds=60,
        # RUNNING: an automatic action that waits for a switch in the UI is none.
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Starts the retraining or collection that an alarm asked for; acts again where a run was killed.",
    )
    def follow_up(
        context: dg.SensorEvaluationContext, objects: dg.ResourceParam[ObjectStore]
    ) -> dg.SensorResult | dg.SkipReason:
        now = datetime.now(UTC)
        registered = frozenset(context.instance.get_dynamic_partitions(AUTHORS.name or ""))
        jobs = {Action.RETRAIN: retraining.name, Action.RECOLLECT: COLLECT_JOB.name}
        try:
            wanted = (claim for claim in claims_since(objects, now - _RECENT) if claim.author in registered)
            requests = [*_wanted(wanted, jobs), *_left_undone(objects, now)]
        except (TamperedError, StorageError) as error:
            return dg.SkipReason(str(error))
        return dg.SensorResult(run_requests=requests) if requests else dg.SkipReason("Nothing is left to be done.")

    return follow_up


def _wanted(claims: Iterable[Claim], jobs: Mapping[Action, str]) -> Iterator[dg.RunRequest]:
    for claim in claims:
        if job := jobs.get(claim.action):
            yield dg.RunRequest(
                run_key=f"{claim.action}/{claim.alarm_id}",
                job_name=job,
                partition_key=claim.author,
                tags={_ALARM_TAG: claim.alarm_id},
            )


def _left_undone(objects: ObjectStore, now: datetime) -> Iterator[dg.RunRequest]:
    for alarm in changed_since(objects, now - _RECENT):
        waited = now - alarm.opened_at
        if not alarm.over and waited >= _PATIENCE and acted(alarm, Action.NOTIFY) is None:
            yield alarm_request(alarm, f"{alarm.alarm_id}/{waited // _AGAIN}")
