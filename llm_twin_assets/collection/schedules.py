"""When collection runs by the clock: one schedule a platform, its minute its own."""

import hashlib
from collections.abc import Iterator

import dagster as dg

from llm_twin_assets.collection.assets import RAW_ASSETS, raw_key
from llm_twin_assets.collection.connectors import all_connectors
from llm_twin_assets.partitions import AUTHORS
from resources.errors import ConfigurationError
from resources.settings import Collection, Settings

COLLECT_JOB = dg.define_asset_job(
    "collect",
    selection=dg.AssetSelection.assets(*RAW_ASSETS),
    partitions_def=AUTHORS,
    description="Collect every source of one author into the warehouse.",
)
_MINUTES_A_DAY = 24 * 60


def collection_schedules(collection: Collection, seed: str = "") -> list[dg.ScheduleDefinition]:
    """One schedule a platform, RUNNING from the start; `seed` (where this twin lives) decides each one's minute.

    Naming one's sources in `twin.yaml` and starting the daemon is the request to keep them current, and a run over
    unchanged sources writes nothing.
    """
    crons = {platform: collection.schedules.get(platform, collection.schedule) for platform in all_connectors()}
    return [_schedule(platform, jittered(cron, collection, seed, platform)) for platform, cron in crons.items()]


def jittered(cron: str, collection: Collection, seed: str, platform: str) -> str:
    """A daily or weekly cron some minutes later, always the same for one twin and platform.

    Thousands of installations with the same default must not ask a host in the same minute, nor one installation all
    platforms at once. A cron that names more than one minute or hour says exactly what is wanted and stays.
    """
    fields = cron.split()
    if len(fields) != 5 or not fields[0].isdigit() or not collection.jitter_minutes:
        return cron
    number = int.from_bytes(hashlib.sha256(f"{seed}\n{platform}".encode()).digest()[:4], "big")
    later = int(fields[0]) + number % (collection.jitter_minutes + 1)
    if not fields[1].isdigit():
        return " ".join([str(later % 60), *fields[1:]])
    # Not over midnight: the day fields would then mean another day.
    minute = min(int(fields[1]) * 60 + later, _MINUTES_A_DAY - 1)
    return " ".join([str(minute % 60), str(minute // 60), *fields[2:]])


def _schedule(platform: str, cron: str) -> dg.ScheduleDefinition:
    @dg.schedule(
        name=f"collect_{platform}",
        job=COLLECT_JOB,
        cron_schedule=cron,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=f"Collect every author's {platform} sources (`collection.schedules.{platform}` in twin.yaml).",
    )
    def collect(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
        try:
            settings = Settings.load()
        except ConfigurationError as error:
            yield dg.SkipReason(str(error))
            return
        registered = context.instance.get_dynamic_partitions(AUTHORS.name or "")
        # An author who left twin.yaml keeps the partition, and with it everything stored, but is no longer collected.
        authors = [author for author in registered if author in settings.authors and _uses(settings, author, platform)]
        if not authors:
            yield dg.SkipReason(f"No registered author of twin.yaml has a {platform} source.")
        for author in authors:
            yield dg.RunRequest(
                partition_key=author,
                asset_selection=[raw_key(platform)],
                run_key=f"{author}/{platform}@{context.scheduled_execution_time.isoformat()}",
            )

    return collect


def _uses(settings: Settings, author: str, platform: str) -> bool:
    return any(source.platform == platform for source in settings.authors[author].sources)
