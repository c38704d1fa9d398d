"""The raw assets: one per connector, made by one factory; each MERGEs an author's documents into the warehouse."""

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import dagster as dg

from llm_twin_assets.collection.connector import Connector, SourceOptions
from llm_twin_assets.collection.connectors import all_connectors, connector
from llm_twin_assets.collection.engine import Collected, OptionsError, SourceUnreadableError, collect_source
from llm_twin_assets.collection.report import Report, quarantine
from llm_twin_assets.domain.document import Category, RawDocument
from llm_twin_assets.domain.identity import digest_of_set
from llm_twin_assets.domain.tables import RAW_SCHEMA, to_table
from llm_twin_assets.partitions import AUTHORS, OWNERS
from resources.errors import ConfigurationError, TwinError
from resources.settings import Author, Environment, Settings
from resources.warehouse import MergeCounts, Warehouse
from resources.yaml_source import Location, YamlSource

NOTHING = "none"


def table_of(category: Category) -> str:
    """The warehouse table that raw documents of a category go to."""
    return f"raw/{category.plural}"


def collected_from(
    key: str, platform: str, settings: Settings, environment: Environment, now: datetime
) -> tuple[list[Collected], list[TwinError]]:
    """Every source of an author on a platform: what was read, and the sources that could not be."""
    author = settings.author(key)
    _refuse_unknown_platforms(key, author, environment)
    collected: list[Collected] = []
    errors: list[TwinError] = []
    for index, source in enumerate(author.sources):
        if source.platform != platform:
            continue
        try:
            collected.append(
                collect_source(
                    key,
                    index,
                    source,
                    scrub_kinds=settings.collection.scrub,
                    now=now,
                    base=environment.config.parent,
                )
            )
        except OptionsError as error:
            errors.append(error.located(yaml) if (yaml := _yaml(environment)) else error)
        except TwinError as error:
            errors.append(error)
    return collected, errors


def _refuse_unknown_platforms(key: str, author: Author, environment: Environment) -> None:
    """No asset answers for a misspelt platform, so each refuses it: its documents must not silently be missing."""
    for index, source in enumerate(author.sources):
        try:
            connector(source.platform)
        except ConfigurationError as error:
            location: Location = ("authors", key, "sources", index, "platform")
            yaml = _yaml(environment)
            where = yaml.where(location) if yaml else ".".join(map(str, location))
            raise ConfigurationError(error.what, where=where, mend=error.mend) from None


def _yaml(environment: Environment) -> YamlSource | None:
    return YamlSource.read(environment.config) if environment.config.is_file() else None


def store(author: str, platform: str, documents: Sequence[RawDocument], warehouse: Warehouse) -> dict[str, MergeCounts]:
    """MERGE documents into the table of their category; rows that are not among them stay."""
    by_table: dict[str, dict[str, RawDocument]] = defaultdict(dict)
    for document in documents:
        by_table[table_of(document.category)][document.document_id] = document
    return {
        table: warehouse.merge(table, to_table(rows.values(), RAW_SCHEMA), author, scope={"platform": platform})
        for table, rows in sorted(by_table.items())
    }


@dataclass(frozen=True, slots=True)
class Stored:
    """What the warehouse holds of an author's platform."""

    rows: int
    data_version: str


def stored(author: str, platform: str, categories: frozenset[Category], warehouse: Warehouse) -> Stored:
    """Count and digest of an author's rows of a platform, over the tables of its categories."""
    rows = [
        f"{row['document_id']}:{row['content_hash']}"
        for category in categories
        for row in warehouse.read(table_of(category), author, ["document_id", "content_hash", "platform"]).to_pylist()
        if row["platform"] == platform
    ]
    return Stored(len(rows), digest_of_set(rows) if rows else NOTHING)


def collect_platform(
    author: str, found: Connector[SourceOptions], settings: Settings, environment: Environment, warehouse: Warehouse
) -> dg.MaterializeResult[None]:
    """Collect, store, report; a source that failed fails the asset only after the others are stored."""
    begin = time.monotonic()
    try:
        sources, errors = collected_from(author, found.platform, settings, environment, datetime.now(UTC))
    except TwinError as error:
        raise dg.Failure(description=str(error), allow_retries=False) from error
    documents = [document for source in sources for document in source.documents]
    merged = store(author, found.platform, documents, warehouse)
    kept = stored(author, found.platform, found.categories, warehouse)
    report = Report(
        sources=sources,
        merged=merged,
        versions={table_of(c): warehouse.version(table_of(c)) for c in sorted(found.categories)},
        stored=kept.rows,
        seconds=time.monotonic() - begin,
        quarantined=[item for source in sources for item in source.quarantined],
    )
    if errors:
        raise _failure(errors, report)
    metadata: dict[str, dg.MetadataValue] = report.metadata()
    if not sources:
        metadata["note"] = dg.MetadataValue.text(f"twin.yaml names no {found.platform} source for {author}.")
    return dg.MaterializeResult(metadata=metadata, data_version=dg.DataVersion(kept.data_version))


def _failure(errors: Sequence[TwinError], report: Report) -> dg.Failure:
    others = f" (and {len(errors) - 1} more, see the metadata)" if len(errors) > 1 else ""
    unread = [item for error in errors if isinstance(error, SourceUnreadableError) for item in error.quarantined]
    metadata = report.metadata() | {"errors": dg.MetadataValue.md("\n".join(f"- {error}" for error in errors))}
    if unread:
        metadata["quarantine"] = dg.MetadataValue.md(quarantine([*report.quarantined, *unread]))
    return dg.Failure(description=f"{errors[0]}{others}", metadata=metadata, allow_retries=False)


def raw_asset(found: Connector[SourceOptions]) -> dg.AssetsDefinition:
    """The asset `raw/<platform>` of a connector."""

    @dg.asset(
        key=dg.AssetKey(["raw", found.platform]),
        group_name="collection",
        kinds={"python", "deltalake"},
        owners=OWNERS,
        partitions_def=AUTHORS,
        description=(
            f"{found.description} Scrubbed of secrets and e-mail addresses, then merged by identity into "
            + ", ".join(f"`{table_of(category)}`" for category in sorted(found.categories))
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
        return collect_platform(context.partition_key, found, settings, environment, warehouse)

    return collect


RAW_ASSETS: list[dg.AssetsDefinition] = [raw_asset(found) for found in all_connectors().values()]

# What `cleaned/<category>` depends on.
RAW_KEYS: Mapping[Category, Sequence[dg.AssetKey]] = {
    category: [
        dg.AssetKey(["raw", platform]) for platform, found in all_connectors().items() if category in found.categories
    ]
    for category in Category
}
