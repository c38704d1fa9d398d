"""`cleaned/*` and `embedded/*`: what collection brought, clean, then as chunks with vectors in a tagged snapshot."""

import time
from collections.abc import Mapping

import dagster as dg

from llm_twin_assets.automation import WHEN_COLLECTED_CONTENT_CHANGED, WHEN_CONTENT_CHANGED_AND_CHECKED
from llm_twin_assets.collection.connectors import all_connectors
from llm_twin_assets.collection.engine.stored import standing
from llm_twin_assets.domain.document import Category
from llm_twin_assets.domain.tables import CLEANED_SCHEMA, cleaned_documents, to_table
from llm_twin_assets.features.asset_metadata import (
    SHOWN,
    chunks_metadata,
    cleaning_metadata,
    index_metadata,
    version_or_none,
)
from llm_twin_assets.features.columns import cleaned_columns, embedded_columns
from llm_twin_assets.features.incremental import clean_changed, documents_digest, index_changed
from llm_twin_assets.features.index_rows import rows_schema
from llm_twin_assets.features.near_duplicates import originals, searchable
from llm_twin_assets.partitions import AUTHORS, OWNERS
from resources.embedder import Embedder
from resources.settings import Settings
from resources.vector_store import VectorStore
from resources.warehouse import Warehouse

# What decides whether a row is written again: its text, what it was made from and by, what is said about it.
_COMPARED = ("content_hash", "raw_hash", "cleaner", "tags", "flags", "duplicate_of")


def cleaned_key(category: Category) -> dg.AssetKey:
    """Key of the cleaned snapshot of a category."""
    return dg.AssetKey(["cleaned", category.plural])


def embedded_key(category: Category) -> dg.AssetKey:
    """Key of the embedded snapshot of a category."""
    return dg.AssetKey(["embedded", category.plural])


def _raw_keys(category: Category) -> list[dg.AssetKey]:
    """Every platform that can bring documents of the category."""
    return [
        dg.AssetKey(["raw", platform])
        for platform, connector in sorted(all_connectors().items())
        if category in connector.categories
    ]


def _cleaned_asset(category: Category) -> dg.AssetsDefinition:
    @dg.asset(
        key=cleaned_key(category),
        deps=_raw_keys(category),
        group_name="features",
        kinds={"deltalake", "python"},
        owners=OWNERS,
        partitions_def=AUTHORS,
        automation_condition=WHEN_COLLECTED_CONTENT_CHANGED,
        description=(
            f"The author's {category.plural} as Markdown or source text: their own words, punctuation and code "
            "exactly, without what the platform added. Only changed documents are cleaned again."
        ),
    )
    def cleaned(
        context: dg.AssetExecutionContext,
        warehouse: dg.ResourceParam[Warehouse],
        settings: dg.ResourceParam[Settings],
    ) -> dg.MaterializeResult[None]:
        author, table = context.partition_key, f"cleaned/{category.plural}"
        started = time.monotonic()
        raw = standing(warehouse, author, category)
        before = cleaned_documents(warehouse.read(table, author))
        result = clean_changed(raw, before, settings.extract.backend)
        rows = to_table(result.documents, CLEANED_SCHEMA)
        counts = warehouse.merge(table, rows, author, complete=True, compared=_COMPARED)
        for each in result.quarantined:
            context.log.warning("quarantined: %s: %s", each.place, each.reason)
        return dg.MaterializeResult(
            data_version=dg.DataVersion(documents_digest(result.documents)),
            metadata={
                **cleaning_metadata(result, counts),
                **cleaned_columns(sorted({dg.AssetKey(["raw", each.platform]) for each in result.documents})),
                "seconds": round(time.monotonic() - started, 3),
                "delta_version": version_or_none(warehouse.version(table)),
                "delta_table": dg.MetadataValue.path(warehouse.uri(table)),
            },
        )

    return cleaned


def _embedded_asset(category: Category) -> dg.AssetsDefinition:
    @dg.asset(
        key=embedded_key(category),
        deps=[cleaned_key(category)],
        group_name="features",
        kinds={"lancedb", "sentencetransformers"},
        owners=OWNERS,
        partitions_def=AUTHORS,
        automation_condition=WHEN_CONTENT_CHANGED_AND_CHECKED,
        description=(
            f"The author's {category.plural} as chunks with vectors and full-text index, in the author's Lance table "
            "under a tagged snapshot. Only texts that this model never embedded are embedded."
        ),
    )
    def embedded(
        context: dg.AssetExecutionContext,
        warehouse: dg.ResourceParam[Warehouse],
        vector_store: dg.ResourceParam[VectorStore],
        embedder: dg.ResourceParam[Embedder],
        settings: dg.ResourceParam[Settings],
    ) -> dg.MaterializeResult[None]:
        author, max_tokens = context.partition_key, settings.chunking.max_tokens
        cleaned = cleaned_documents(warehouse.read(f"cleaned/{category.plural}", author))
        documents = searchable(cleaned)
        done = index_changed(
            author, category, documents, vector_store, embedder, max_tokens,
            progress=lambda encoded, total: context.log.info("embedded %d of %d chunks", encoded, total),
            spool=embedder.spool(f"{author}-{category.value}"),
            overlap=settings.chunking.overlap,
        )  # fmt: skip
        return dg.MaterializeResult(
            data_version=dg.DataVersion(done.data_version),
            metadata={
                **index_metadata(done, len(cleaned) - len(originals(cleaned))),
                **chunks_metadata(vector_store.rows(author, category.value, SHOWN), max_tokens),
                **embedded_columns(rows_schema(embedder.dimension), cleaned_key(category)),
                "model": f"{embedder.model} ({embedder.digest[:12]})",
                "backend": str(embedder.variant),
                **_index_configuration(author, done.snapshot, vector_store),
                "lance_version": version_or_none(vector_store.version(author)),
            },
        )

    return embedded


def _index_configuration(author: str, snapshot: str | None, store: VectorStore) -> Mapping[str, str | int | float]:
    """How the snapshot's vectors are indexed, as it was measured and recorded when it was published."""
    if snapshot is None:
        return {}
    return {f"index/{name}": value for name, value in store.open(author, snapshot).configuration().items()}


CLEANED_ASSETS = [_cleaned_asset(category) for category in Category]
EMBEDDED_ASSETS = [_embedded_asset(category) for category in Category]
