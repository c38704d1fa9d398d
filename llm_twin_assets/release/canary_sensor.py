"""Brings canaries to their end: a sound one into service, a worse one on record."""

from datetime import UTC, datetime

import dagster as dg

from llm_twin_assets.domain.chain import TamperedError
from llm_twin_assets.domain.released import read_tried
from llm_twin_assets.partitions import AUTHORS
from llm_twin_assets.release.canary import wants_run
from resources.object_store import ObjectStore
from resources.settings import Environment


@dg.sensor(
    name="canaries",
    asset_selection=dg.AssetSelection.assets("release/deployed"),
    minimum_interval_seconds=30,
    # Running: a canary that nobody brings to its end would never serve.
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Deploys a canary that was sound for as long as twin.yaml says, and puts on record that one was worse.",
)
def canaries(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
    """A run of `release/deployed` for each author whose canary has come to an end."""
    objects, now = ObjectStore(Environment.current().under("objects")), datetime.now(UTC)
    requests = []
    for author in context.instance.get_dynamic_partitions(AUTHORS.name or ""):
        try:
            tried, wanted = read_tried(objects, author), wants_run(objects, author, now)
        except TamperedError as error:
            context.log.error(str(error))
            continue
        if tried is not None and wanted is not None:
            # Once an hour: a run that failed is to be tried again, and not every half minute.
            key = f"{tried.release_id}/{wanted}/{now:%Y-%m-%dT%H}"
            requests.append(dg.RunRequest(run_key=key, partition_key=author))
    return dg.SensorResult(run_requests=requests) if requests else dg.SkipReason("no canary has come to its end")
