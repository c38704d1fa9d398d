"""The check `answers_are_sound` on the deployed release: it fails while an alarm rings, and says what to run.

The sensor `answer_alarms` evaluates it when an alarm opens or closes; it can be executed by hand as well. It blocks
nothing: how a release answers is known only after it answers.
"""

from collections.abc import Sequence

import dagster as dg

from llm_twin_assets.domain.alarm import Alarm, Severity
from llm_twin_assets.monitoring.actions import what_to_run
from llm_twin_assets.monitoring.alarm_records import ringing
from llm_twin_assets.partitions import AUTHORS
from resources.object_store import ObjectStore

DEPLOYED = dg.AssetKey(["release", "deployed"])
CHECK = "answers_are_sound"


def evaluation(author: str, alarms: Sequence[Alarm]) -> dg.AssetCheckEvaluation:
    """The verdict on an author's release, given the alarms that ring."""
    return dg.AssetCheckEvaluation(
        asset_key=DEPLOYED,
        check_name=CHECK,
        passed=not alarms,
        severity=_severity(alarms),
        description="; ".join(f"{alarm.rule}: {alarm.reason}" for alarm in alarms) or "no alarm rings",
        metadata={"alarms": dg.MetadataValue.md(_listed(alarms))} if alarms else {},
        partition=author,
    )


def _severity(alarms: Sequence[Alarm]) -> dg.AssetCheckSeverity:
    is_critical = any(alarm.severity is Severity.CRITICAL for alarm in alarms)
    return dg.AssetCheckSeverity.ERROR if is_critical else dg.AssetCheckSeverity.WARN


def _listed(alarms: Sequence[Alarm]) -> str:
    rows = [
        f"| {alarm.alarm_id} | {alarm.state} | {alarm.severity} | {alarm.release} | {alarm.reason} "
        f"| `{what_to_run(alarm)}` |"
        for alarm in alarms
    ]
    return "\n".join(("| alarm | state | severity | release | found | to run |", "|---|---|---|---|---|---|", *rows))


@dg.asset_check(
    asset=DEPLOYED,
    name=CHECK,
    description="Whether an alarm rings for what the service answers, and what to run about it.",
    partitions_def=AUTHORS,
)
def answers_are_sound(
    context: dg.AssetCheckExecutionContext, objects: dg.ResourceParam[ObjectStore]
) -> dg.AssetCheckResult:
    """Look at the alarms on record."""
    found = evaluation(context.partition_key, ringing(objects, context.partition_key))
    return dg.AssetCheckResult(
        passed=found.passed, severity=found.severity, description=found.description, metadata=found.metadata
    )


MONITORING_CHECKS = [answers_are_sound]
