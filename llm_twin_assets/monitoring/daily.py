"""The asset `monitoring/daily`: a page for each author and day, and the schedule that makes yesterday's."""

import warnings
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, timedelta

import dagster as dg

from llm_twin_assets.domain.identity import digest
from llm_twin_assets.monitoring.alarm_records import alarms
from llm_twin_assets.monitoring.day import Day, day_of
from llm_twin_assets.monitoring.day_page import page, preview, title
from llm_twin_assets.monitoring.stored_answers import stored_answers
from llm_twin_assets.partitions import AUTHORS, OWNERS
from resources.object_store import ObjectStore
from resources.settings import Monitoring, Settings
from resources.warehouse import Warehouse

# The one exception to "the partition is the author": a day that is over does not change, and is looked up by its date.
DAYS = dg.DailyPartitionsDefinition(start_date="2026-11-01")
AUTHORS_AND_DAYS = dg.MultiPartitionsDefinition({"author": AUTHORS, "day": DAYS})
DAILY = dg.AssetKey(["monitoring", "daily"])

# Backfill policies are in beta in Dagster 1.13: a notice to who writes such code, kept out of every command's output.
warnings.filterwarnings("ignore", message=".*backfill_policy.*", category=dg.BetaWarning)


@dg.asset(
    key=DAILY,
    deps=[dg.AssetKey(["monitoring", "feedback"])],
    partitions_def=AUTHORS_AND_DAYS,
    # "Materialize all" asks for every day of an author: one run reads the answers once and draws them all.
    backfill_policy=dg.BackfillPolicy.single_run(),
    group_name="monitoring",
    kinds={"python", "html"},
    owners=OWNERS,
    description=(
        "The page of a day: traffic, latency, quality, drift and feedback of one twin, from the tables `answers` and "
        "`feedback`, with the alarms that opened. Figures only: no question, no answer."
    ),
)
def daily(
    context: dg.AssetExecutionContext,
    warehouse: dg.ResourceParam[Warehouse],
    objects: dg.ResourceParam[ObjectStore],
    settings: dg.ResourceParam[Settings],
) -> dg.MaterializeResult[None]:
    """Count each day that is asked for, draw its page, keep it."""
    wanted: dict[str, list[date]] = defaultdict(list)
    for key in context.partition_keys:
        author, day = _author_and_day(key)
        wanted[author].append(day)
    drawn = [
        each
        for author, days in wanted.items()
        for each in _drawn(author, days, warehouse, objects, settings.monitoring)
    ]
    content = digest([each.page for each in drawn])
    metadata = _metadata(drawn[0].day, objects) if len(drawn) == 1 else {"pages": dg.MetadataValue.int(len(drawn))}
    return dg.MaterializeResult(data_version=dg.DataVersion(content), metadata=metadata)


@dataclass(frozen=True, slots=True)
class _Drawn:
    day: Day
    page: str


def _drawn(
    author: str, days: Sequence[date], warehouse: Warehouse, objects: ObjectStore, monitoring: Monitoring
) -> Iterator[_Drawn]:
    answers, rang = stored_answers(warehouse, author, vectors=True), alarms(objects, author)
    for day in days:
        counted = day_of(author, day, answers, rang, monitoring.reference_answers)
        drawn = _Drawn(counted, page(counted))
        objects.replace(page_path(author, day), drawn.page.encode())
        yield drawn


def page_path(author: str, day: date) -> str:
    """Where the page of a day lies."""
    return f"reports/monitoring/{author}/{day.isoformat()}.html"


def _metadata(counted: Day, objects: ObjectStore) -> dict[str, dg.MetadataValue]:
    return {
        "day": dg.MetadataValue.text(title(counted)),
        "answers": dg.MetadataValue.int(counted.answers),
        "alarms": dg.MetadataValue.int(len(counted.alarms)),
        "preview": dg.MetadataValue.md(preview(counted)),
        "page": dg.MetadataValue.path(f"{objects.root}/{page_path(counted.author, counted.day)}"),
    }


def _author_and_day(partition: str) -> tuple[str, date]:
    key = AUTHORS_AND_DAYS.get_partition_key_from_str(partition)
    return key.keys_by_dimension["author"], date.fromisoformat(key.keys_by_dimension["day"])


_JOB = dg.define_asset_job(
    "daily_pages", [DAILY], partitions_def=AUTHORS_AND_DAYS, description="Draw the page of an author's day."
)


@dg.schedule(
    name="daily_pages_after_midnight",
    job=_JOB,
    # UTC, as the days are; by then the answers of the last minutes have been read from their traces.
    cron_schedule="20 0 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Yesterday's page for every author.",
)
def daily_pages(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest]:
    """A run for each author."""
    yesterday = (context.scheduled_execution_time.astimezone(UTC) - timedelta(days=1)).date().isoformat()
    for author in context.instance.get_dynamic_partitions(AUTHORS.name or ""):
        key = dg.MultiPartitionKey({"author": author, "day": yesterday})
        yield dg.RunRequest(run_key=str(key), partition_key=key)
