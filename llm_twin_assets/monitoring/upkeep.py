"""What traces said of answers is kept for a while, and in few files."""

from datetime import UTC, datetime, timedelta

import dagster as dg

from llm_twin_assets.monitoring.answers import ANSWERS_TABLE
from resources.settings import Settings
from resources.warehouse import Warehouse

_DESCRIPTION = "Drop answers that are older than `monitoring.retention_days`, and join the table's small files."


@dg.op(description=_DESCRIPTION)
def tidy_answers_op(warehouse: dg.ResourceParam[Warehouse], settings: dg.ResourceParam[Settings]) -> None:
    """All authors at once: it is one table."""
    since = datetime.now(UTC) - timedelta(days=settings.monitoring.retention_days)
    warehouse.tidy(ANSWERS_TABLE, "started_at", since)


@dg.job(description=_DESCRIPTION, executor_def=dg.in_process_executor)
def tidy_answers() -> None:
    """One op."""
    tidy_answers_op()


# Running from the start: reading answers every five minutes leaves up to 288 files a day and author.
DAILY_UPKEEP = dg.ScheduleDefinition(
    name="tidy_answers_daily",
    job=tidy_answers,
    cron_schedule="23 4 * * *",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description=_DESCRIPTION,
)
