"""Answers questions where there are any: new ones, and all of them after a release."""

import dagster as dg

from llm_twin_assets.batch.answers import BATCH_ANSWERS_TABLE, unanswered
from llm_twin_assets.batch.questions import QUESTIONS_TABLE, questions_of
from llm_twin_assets.domain.chain import TamperedError
from llm_twin_assets.domain.pause import is_paused
from llm_twin_assets.partitions import AUTHORS
from llm_twin_assets.release.records import current_release
from resources.object_store import ObjectStore
from resources.settings import Environment
from resources.warehouse import Warehouse


@dg.sensor(
    name="unanswered_questions",
    asset_selection=dg.AssetSelection.assets("inference/batch_answers"),
    minimum_interval_seconds=60,
    # Running: where nobody adds questions it has nothing to do.
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Runs `inference/batch_answers` for each author with questions that the release has not answered.",
)
def unanswered_questions(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
    """A run an author, and none again as long as nothing has changed."""
    environment = Environment.current()
    warehouse, objects = Warehouse(environment.under("warehouse")), ObjectStore(environment.under("objects"))
    requests = []
    for author in context.instance.get_dynamic_partitions(AUTHORS.name or ""):
        try:
            key = _due(warehouse, objects, author)
        except TamperedError as error:
            context.log.error(str(error))
            continue
        if key is not None:
            requests.append(dg.RunRequest(run_key=key, partition_key=author))
    return dg.SensorResult(run_requests=requests) if requests else dg.SkipReason("every question is answered")


def _due(warehouse: Warehouse, objects: ObjectStore, author: str) -> str | None:
    questions = questions_of(warehouse, author)
    release = current_release(objects, author) if questions else None
    if release is None or not unanswered(warehouse, author, questions, release, paused=is_paused(objects, author)):
        return None
    versions = (warehouse.version(table) for table in (QUESTIONS_TABLE, BATCH_ANSWERS_TABLE))
    return f"{release.release_id}/{'/'.join(map(str, versions))}"
