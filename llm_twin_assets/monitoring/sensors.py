"""The alarm: says in the Dagster UI when the answers of an author's twin are not as they should be."""

import json
from collections.abc import Mapping

import dagster as dg

from llm_twin_assets.monitoring.alarms import Finding, State
from llm_twin_assets.monitoring.checks import CHECK, DEPLOYED, look, metadata
from llm_twin_assets.monitoring.traces import TracesUnavailableError
from resources.settings import Environment, Monitoring, Settings


# RUNNING: an alarm that has to be switched on first is none. Where there is no Phoenix it costs one refused connection
# a minute, and says so as its reason to skip.
@dg.sensor(
    name="answer_alarms",
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Counts degraded and failed answers in Phoenix and evaluates the check `answers_are_sound`.",
)
def answer_alarms(
    context: dg.SensorEvaluationContext,
    settings: dg.ResourceParam[Settings],
    environment: dg.ResourceParam[Environment],
) -> dg.SensorResult | dg.SkipReason:
    """Evaluate the check of each author whose state changed; too few answers change nothing."""
    try:
        found = {author: look(environment, settings.monitoring, author) for author in sorted(settings.authors)}
    except TracesUnavailableError as error:
        return dg.SkipReason(str(error))
    before = _states(context.cursor)
    changed = {
        author: each
        for author, each in found.items()
        if each.state is not State.TOO_FEW and before.get(author) != each.state
    }
    if not changed:
        return dg.SkipReason("; ".join(f"{author}: {each.reason}" for author, each in found.items()))
    return dg.SensorResult(
        asset_events=[evaluation(author, each, settings.monitoring) for author, each in changed.items()],
        cursor=json.dumps({**before, **{author: each.state.value for author, each in changed.items()}}),
    )


def evaluation(author: str, found: Finding, rules: Monitoring) -> dg.AssetCheckEvaluation:
    """A finding as the evaluation of the author's check."""
    return dg.AssetCheckEvaluation(
        asset_key=DEPLOYED,
        check_name=CHECK,
        passed=found.state is State.SOUND,
        severity=dg.AssetCheckSeverity.WARN,
        description=found.reason,
        metadata=metadata(found, rules),
        partition=author,
    )


def _states(cursor: str | None) -> Mapping[str, str]:
    states = json.loads(cursor) if cursor else {}
    return states if isinstance(states, dict) else {}
