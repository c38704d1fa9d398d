"""The raw assets: one per connector, made by one factory; each MERGEs an author's documents into the warehouse."""

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

import dagster as dg

from llm_twin_assets.collection.collect import PlatformCollected, collect_platform
from llm_twin_assets.collection.connector import Connector, SourceOptions
from llm_twin_assets.collection.connectors import all_connectors
from llm_twin_assets.collection.engine import stored
from llm_twin_assets.collection.engine.collector import SourceUnreadableError
from llm_twin_assets.collection.report import Report, quarantine
from llm_twin_assets.domain.document import Category
from llm_twin_assets.partitions import AUTHORS, OWNERS
from resources.errors import TwinError
from resources.http import UnavailableError
from resources.settings import Environment, Settings
from resources.warehouse import Warehouse

# The client has tried several times by then; a server that is down for longer is asked at the next collection.
_RETRIES = dg.RetryPolicy(max_retries=2, delay=30, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS)


def materialize_platform(
    author: str,
    found: Connector[SourceOptions],
    settings: Settings,
    environment: Environment,
    warehouse: Warehouse,
    progress: Callable[[str], None],
) -> dg.MaterializeResult[None]:
    """Collect, store, report; a source that failed fails the asset only after the others are stored."""
    begin = time.monotonic()
    try:
        collected = collect_platform(author, found, settings, environment, warehouse, datetime.now(UTC), progress)
    except TwinError as error:
        raise dg.Failure(description=str(error), allow_retries=False) from error
    kept = stored.summary(warehouse, author, found.platform, found.categories)
    tables = [stored.table_of(category) for category in sorted(found.categories)]
    report = Report(
        collected=collected,
        stored=kept,
        versions={table: warehouse.version(table) for table in tables},
        seconds=time.monotonic() - begin,
    )
    if collected.errors:
        raise _failure(collected, report)
    metadata = report.metadata()
    if not collected.sources:
        metadata["note"] = dg.MetadataValue.text(f"twin.yaml names no {found.platform} source for {author}.")
    return dg.MaterializeResult(metadata=metadata, data_version=dg.DataVersion(kept.data_version))


def _failure(collected: PlatformCollected, report: Report) -> dg.Failure:
    errors = collected.errors
    others = f" (and {len(errors) - 1} more, see the metadata)" if len(errors) > 1 else ""
    unread = [item for error in errors if isinstance(error, SourceUnreadableError) for item in error.quarantined]
    metadata = report.metadata() | {"errors": dg.MetadataValue.md("\n".join(f"- {error}" for error in errors))}
    if unread:
        metadata["quarantine"] = dg.MetadataValue.md(quarantine(unread))
    # A server that is busy may answer in a minute; a wrong option will not mend itself.
    transient = all(isinstance(error, UnavailableError) and error.retry_at is None for error in errors)
    return dg.Failure(description=f"{errors[0]}{others}", metadata=metadata, allow_retries=transient)


def raw_asset(found: Connector[SourceOptions]) -> dg.AssetsDefinition:
    """The asset `raw/<platform>` of a connector."""

    @dg.asset(
        key=raw_key(found.platform),
        group_name="collection",
        kinds={"python", "deltalake"},
        owners=OWNERS,
        partitions_def=AUTHORS,
        # A pool holds one run by default: two authors' runs together would ask a host twice as often as it is asked to.
        pool=found.platform,
        retry_policy=_RETRIES,
        description=(
            f"{found.description} Scrubbed of secrets and personal data, then merged by identity into "
            + ", ".join(f"`{stored.table_of(category)}`" for category in sorted(found.categories))
            + "; unchanged documents write nothing."
        ),
        metadata={"platform": found.platform},
    )
    def collect(
        context: dg.AssetExecutionContext,
        settings: dg.ResourceParam[Settings],
        environment: dg.ResourceParam[Environment],
        warehouse: dg.ResourceParam[Warehouse],
    ) -> dg.MaterializeResult[None]:
        return materialize_platform(context.partition_key, found, settings, environment, warehouse, context.log.info)

    return collect


def raw_key(platform: str) -> dg.AssetKey:
    """Key of a platform's raw asset."""
    return dg.AssetKey(["raw", platform])


RAW_ASSETS: list[dg.AssetsDefinition] = [raw_asset(found) for found in all_connectors().values()]

# What `cleaned/<category>` depends on.
RAW_KEYS: Mapping[Category, Sequence[dg.AssetKey]] = {
    category: [raw_key(platform) for platform, found in all_connectors().items() if category in found.categories]
    for category in Category
}
