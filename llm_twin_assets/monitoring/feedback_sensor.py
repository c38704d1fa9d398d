"""The sensor that has `monitoring/feedback` made when somebody has said something."""

import json
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

import dagster as dg

from llm_twin_assets.domain.feedback import FEEDBACK_TABLE, feedback_of
from llm_twin_assets.domain.identity import digest_of_set
from llm_twin_assets.monitoring.feedback import Shelf
from llm_twin_assets.monitoring.feedback_assets import FEEDBACK, UNAVAILABLE
from llm_twin_assets.monitoring.feedback_traces import remarks_on_page
from llm_twin_assets.partitions import AUTHORS
from resources.object_store import ObjectStore
from resources.phoenix_annotations import PhoenixAnnotations
from resources.settings import Environment, Settings
from resources.warehouse import Warehouse

# How long what waits for Phoenix is left before it is tried again.
_AGAIN_SECONDS = 3600
_NOTHING = digest_of_set(())


@dataclass(frozen=True, slots=True)
class _Look:
    """What there was to take up, in digests, and when that was asked for; `on_page` is None while Phoenix is away."""

    said: str
    on_page: str | None
    at: float


# RUNNING: without it nothing that anybody says is ever learnt. Where there is nothing new it lists some objects and
# asks Phoenix one question an author.
@dg.sensor(
    name="new_feedback",
    asset_selection=dg.AssetSelection.assets(FEEDBACK),
    minimum_interval_seconds=120,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Has `monitoring/feedback` made for authors of whose answers somebody said something.",
)
def new_feedback(
    context: dg.SensorEvaluationContext,
    objects: dg.ResourceParam[ObjectStore],
    warehouse: dg.ResourceParam[Warehouse],
    settings: dg.ResourceParam[Settings],
    environment: dg.ResourceParam[Environment],
) -> dg.SensorResult | dg.SkipReason:
    """Compare with the last look; what waits for Phoenix is tried again from time to time."""
    before = {author: _Look(**each) for author, each in json.loads(context.cursor or "{}").items()}
    registered = context.instance.get_dynamic_partitions(AUTHORS.name or "")
    now = {
        author: _look(objects, warehouse, environment.phoenix_url, author, before.get(author))
        for author in sorted(settings.authors.keys() & set(registered))
    }
    due = [author for author, seen in now.items() if _is_due(context.instance, author, seen, before.get(author))]
    if not due:
        return dg.SkipReason("nobody has said anything new")
    looks = {**before, **{author: now[author] for author in due}}
    return dg.SensorResult(
        run_requests=[dg.RunRequest(partition_key=author, asset_selection=[FEEDBACK]) for author in due],
        cursor=json.dumps({author: asdict(each) for author, each in looks.items()}),
    )


def _look(objects: ObjectStore, warehouse: Warehouse, url: str, author: str, before: _Look | None) -> _Look:
    on_page = before.on_page if before else None
    if url:
        rows = feedback_of(warehouse.read(FEEDBACK_TABLE, author))
        with suppress(*UNAVAILABLE):  # what was seen last stands: nothing is new that nobody can read
            on_page = digest_of_set(remarks_on_page(PhoenixAnnotations(url), url, author, rows, datetime.now(UTC)))
    return _Look(Shelf.of(objects, author).digest, on_page, time.time())


def _is_due(instance: dg.DagsterInstance, author: str, seen: _Look, before: _Look | None) -> bool:
    if before is None:  # the first run has Phoenix's page offer to say something, too; without a Phoenix it can wait
        return seen.on_page is not None or seen.said != _NOTHING
    if (seen.said, seen.on_page) != (before.said, before.on_page):
        return True
    return seen.at - before.at >= _AGAIN_SECONDS and _waits(instance, author)


def _waits(instance: dg.DagsterInstance, author: str) -> bool:
    """Whether the last run left something to wait for."""
    wanted = dg.AssetRecordsFilter(asset_key=FEEDBACK, asset_partitions=[author])
    found = instance.fetch_materializations(wanted, limit=1).records
    made = found[0].asset_materialization if found else None
    waiting = made.metadata.get("waiting") if made else None
    return bool(waiting and waiting.value)
