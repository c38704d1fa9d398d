"""The sensor `answer_alarms`: reads what the service answered, and has an alarm acted on once when it opens."""

import json
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import dagster as dg
from pydantic import ValidationError

from llm_twin_assets.domain.alarm import Alarm, State
from llm_twin_assets.monitoring.action_jobs import act_on_alarm, alarm_request
from llm_twin_assets.monitoring.alarm_records import ringing
from llm_twin_assets.monitoring.checks import evaluation
from llm_twin_assets.monitoring.corpus import corpus_sample
from llm_twin_assets.monitoring.traces import TracesUnavailableError
from llm_twin_assets.monitoring.watch import Progress, Watch
from resources.errors import StorageError
from resources.object_store import ObjectStore
from resources.settings import Environment, Settings
from resources.vector_store import VectorStore
from resources.warehouse import Warehouse

# Dagster gives a sensor 60. An author that is not come to has its turn a minute later, and loses nothing.
_READING_SECONDS = 25


# RUNNING: an alarm that has to be switched on first is none. Where there is no Phoenix it costs one refused connection
# a minute.
@dg.sensor(
    name="answer_alarms",
    jobs=[act_on_alarm],
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Reads the traces of answers and opens and closes alarms by the rules of twin.yaml.",
)
def answer_alarms(
    context: dg.SensorEvaluationContext,
    settings: dg.ResourceParam[Settings],
    environment: dg.ResourceParam[Environment],
    warehouse: dg.ResourceParam[Warehouse],
    objects: dg.ResourceParam[ObjectStore],
    vector_store: dg.ResourceParam[VectorStore],
) -> dg.SensorResult:
    """Look at author after author; what rings is on record before anything follows from it."""
    now = datetime.now(UTC)
    before = _progress(context.cursor)
    after: dict[str, Progress] = {}
    events: list[dg.AssetCheckEvaluation] = []
    requests: list[dg.RunRequest] = []
    unavailable, deadline = "", time.monotonic() + _READING_SECONDS
    for author in sorted(settings.authors):
        corpus = corpus_sample(vector_store, author)
        watch = Watch(environment.phoenix_url, warehouse, objects, settings.monitoring, corpus)
        after[author] = progress = before.get(author, Progress())
        try:
            while not unavailable and progress.is_due(now) and time.monotonic() < deadline:
                after[author] = progress = watch.read(author, progress, now)
        except TracesUnavailableError as error:
            # Nor for the other authors: a Phoenix that hangs would take the whole minute.
            unavailable = str(error)
            after[author] = progress = progress.model_copy(update={"more": False})
        try:
            progress = watch.look(author, progress, now)
            alarms = ringing(objects, author) if progress.looked_at == now else None
        except StorageError as error:  # one author's broken record must not silence the others' alarms
            context.log.error("%s", error)
            continue
        if alarms is not None:
            requests += _to_act_on(alarms)
            shown = tuple(alarm.alarm_id for alarm in alarms)
            events += [evaluation(author, alarms)] if shown != progress.shown else []
            after[author] = progress.model_copy(update={"shown": shown})
    reason = None if requests else unavailable or "No alarm waits for anything to be done."
    return dg.SensorResult(run_requests=requests, skip_reason=reason, asset_events=events, cursor=_cursor(after))


def _to_act_on(alarms: Sequence[Alarm]) -> Iterator[dg.RunRequest]:
    """Asked for until it is on record that something was done; Dagster runs what is asked for by one name once."""
    return (alarm_request(alarm) for alarm in alarms if alarm.state is State.OPEN and not alarm.acted)


def _progress(cursor: str | None) -> dict[str, Progress]:
    try:
        return {author: Progress.model_validate(said) for author, said in json.loads(cursor or "{}").items()}
    except (ValueError, AttributeError, ValidationError):  # of an earlier version: all is read again, to no harm
        return {}


def _cursor(watched: dict[str, Progress]) -> str:
    return json.dumps({author: each.model_dump(mode="json") for author, each in watched.items()})
