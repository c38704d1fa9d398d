"""When collection runs: once for each new author, then by the clock."""

import hashlib
from collections.abc import Iterator

import dagster as dg

from llm_twin_assets.collection.assets import RAW_ASSETS
from llm_twin_assets.collection.engine import check_sources
from llm_twin_assets.partitions import AUTHORS
from resources.errors import ConfigurationError
from resources.settings import Collection, Environment, Settings
from resources.yaml_source import YamlSource

DEFAULT_CRON = Collection().schedule

COLLECT_JOB = dg.define_asset_job(
    "collect",
    selection=dg.AssetSelection.assets(*RAW_ASSETS),
    partitions_def=AUTHORS,
    description="Collect every source of one author into the warehouse.",
)


def collection_schedule(cron: str = DEFAULT_CRON) -> dg.ScheduleDefinition:
    """The schedule `collect`: one run per registered author.

    It is RUNNING from the start: naming one's sources in `twin.yaml` and starting the daemon is the request to keep
    them current, and a run over unchanged sources writes nothing.
    """

    @dg.schedule(
        name="collect",
        job=COLLECT_JOB,
        cron_schedule=cron,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Collect every author's sources by the clock (`collection.schedule` in twin.yaml).",
    )
    def collect(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
        try:
            settings = Settings.load()
        except ConfigurationError as error:
            yield dg.SkipReason(str(error))
            return
        registered = context.instance.get_dynamic_partitions(AUTHORS.name or "")
        # An author who left twin.yaml keeps the partition, and with it everything stored, but is no longer collected.
        authors = [author for author in registered if author in settings.authors]
        if not authors:
            yield dg.SkipReason("No author of twin.yaml is registered yet; the sensor register_authors does that.")
        for author in authors:
            yield dg.RunRequest(
                partition_key=author, run_key=f"{author}@{context.scheduled_execution_time.isoformat()}"
            )

    return collect


@dg.sensor(
    name="register_authors",
    job=COLLECT_JOB,
    minimum_interval_seconds=30,
    # RUNNING for the same reason as the schedule: without it a newcomer's twin.yaml would change nothing to be seen.
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Registers the authors in twin.yaml as partitions and starts each one's first collection.",
)
def register_authors(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
    """Read `twin.yaml` when it has changed (the cursor is its digest) and register whom it names."""
    path = Environment.current().config
    try:
        seen = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None
        if seen and seen == context.cursor:
            return dg.SkipReason("twin.yaml has not changed.")
        settings = Settings.load(path)
        check_sources(settings, YamlSource.read(path))
    except ConfigurationError as error:
        # The cursor stays: the message is there at each tick until the file is mended.
        return dg.SkipReason(str(error))
    registered = set(context.instance.get_dynamic_partitions(AUTHORS.name or ""))
    new = [author for author in settings.authors if author not in registered]
    return dg.SensorResult(
        dynamic_partitions_requests=[AUTHORS.build_add_request(new)] if new else [],
        run_requests=[dg.RunRequest(partition_key=author, run_key=f"first-collection-of-{author}") for author in new],
        cursor=seen,
    )
