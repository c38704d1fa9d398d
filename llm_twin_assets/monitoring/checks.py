"""The check `answers_are_sound` on the deployed release: what the service's answers of the last window look like.

The sensor `answer_alarms` evaluates it while the service runs; it can be executed by hand as well. It blocks nothing:
how a release answers is known only after it answers.
"""

from datetime import UTC, datetime, timedelta

import dagster as dg

from llm_twin_assets.monitoring.alarms import Finding, State, counted, finding
from llm_twin_assets.monitoring.traces import TracesUnavailableError, answers_between
from llm_twin_assets.partitions import AUTHORS
from resources.settings import Environment, Monitoring, Settings

DEPLOYED = dg.AssetKey(["release", "deployed"])
CHECK = "answers_are_sound"


def look(environment: Environment, rules: Monitoring, author: str, now: datetime | None = None) -> Finding:
    """Judge the author's last window; raises `TracesUnavailableError`."""
    end = now or datetime.now(UTC)
    start = end - timedelta(minutes=rules.window_minutes)
    return finding(counted(answers_between(environment.phoenix_url, author, start, end)), rules)


def metadata(found: Finding, rules: Monitoring) -> dict[str, dg.MetadataValue]:
    """What a person sees beside the verdict."""
    return {
        "answers": dg.MetadataValue.int(found.figures.answers),
        "degraded_share": dg.MetadataValue.float(round(found.figures.degraded_share, 4)),
        "error_share": dg.MetadataValue.float(round(found.figures.error_share, 4)),
        "window_minutes": dg.MetadataValue.int(rules.window_minutes),
        "finding": dg.MetadataValue.text(found.reason),
    }


@dg.asset_check(
    asset=DEPLOYED,
    name=CHECK,
    description="The share of degraded and failed answers of the last window, from the traces in Phoenix.",
    partitions_def=AUTHORS,
)
def answers_are_sound(
    context: dg.AssetCheckExecutionContext,
    settings: dg.ResourceParam[Settings],
    environment: dg.ResourceParam[Environment],
) -> dg.AssetCheckResult:
    """Judge the last window. Without traces there is nothing to hold against a release."""
    try:
        found = look(environment, settings.monitoring, context.partition_key)
    except TracesUnavailableError as error:
        return dg.AssetCheckResult(passed=True, description=f"not measured: {error}")
    return dg.AssetCheckResult(
        passed=found.state is not State.ALARM,
        severity=dg.AssetCheckSeverity.WARN,
        description=found.reason,
        metadata=metadata(found, settings.monitoring),
    )


MONITORING_CHECKS = [answers_are_sound]
