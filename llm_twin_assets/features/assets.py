"""`cleaned/*` and `embedded/*`: what collection brought, clean, then as chunks with vectors in a tagged snapshot."""

import time
from collections.abc import Mapping

import dagster as dg
import pyarrow as pa

from llm_twin_assets.automation import WHEN_COLLECTED_CONTENT_CHANGED, WHEN_CONTENT_CHANGED_AND_CHECKED
from llm_twin_assets.collection.connectors import all_connectors
from llm_twin_assets.collection.engine.stored import standing
from llm_twin_assets.domain.document import Category, CleanedDocument
from llm_twin_assets.domain.preview import histogram, markdown_table
from llm_twin_assets.domain.tables import CLEANED_SCHEMA, cleaned_documents, to_table
from llm_twin_assets.features.incremental import (
    Cleaned,
    Indexed,
    clean_changed,
    documents_digest,
    index_changed,
)
from llm_twin_assets.partitions import AUTHORS, OWNERS
from resources.embedder import Embedder
from resources.settings import Settings
from resources.vector_store import VectorStore
from resources.warehouse import MergeCounts, Warehouse

# What decides whether a row is written again: its text, or what it was made from and by.
_SHOWN = ("context", "text", "start", "end", "tokens")
_COMPARED = ("content_hash", "raw_hash", "cleaner")


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
                **_cleaning_metadata(result, counts),
                "seconds": round(time.monotonic() - started, 3),
                "delta_version": _or_none(warehouse.version(table)),
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
        documents = cleaned_documents(warehouse.read(f"cleaned/{category.plural}", author))
        done = index_changed(
            author, category, documents, vector_store, embedder, max_tokens,
            progress=lambda encoded, total: context.log.info("embedded %d of %d chunks", encoded, total),
            spool=embedder.spool(f"{author}-{category.value}"),
            overlap=settings.chunking.overlap,
        )  # fmt: skip
        return dg.MaterializeResult(
            data_version=dg.DataVersion(done.data_version),
            metadata={
                **_index_metadata(done),
                **_chunks_shown(vector_store.rows(author, category.value, _SHOWN), max_tokens),
                "model": f"{embedder.model} ({embedder.digest[:12]})",
                "backend": str(embedder.variant),
                **_index_configuration(author, done.snapshot, vector_store),
                "lance_version": _or_none(vector_store.version(author)),
            },
        )

    return embedded


def _index_configuration(author: str, snapshot: str | None, store: VectorStore) -> Mapping[str, str | int | float]:
    """How the snapshot's vectors are indexed, as it was measured and recorded when it was published."""
    if snapshot is None:
        return {}
    return {f"index/{name}": value for name, value in store.open(author, snapshot).configuration().items()}


def _cleaning_metadata(result: Cleaned, counts: MergeCounts) -> Mapping[str, dg.MetadataValue]:
    words = [document.words for document in result.documents]
    return {
        **_integers(
            {
                "dagster/row_count": len(result.documents),
                "new": counts.new,
                "changed": counts.changed,
                "unchanged": counts.unchanged,
                "removed": counts.removed,
                "cleaned": result.cleaned,
                "quarantined": len(result.quarantined),
                "words": sum(words),
            }
        ),
        "preview": dg.MetadataValue.md(_documents_table(result.documents)),
        "words_per_document": dg.MetadataValue.md(histogram(words, "words per document")),
        "quarantine": dg.MetadataValue.md(
            markdown_table(
                ("document", "reason"),
                [(each.place, each.reason) for each in result.quarantined],
                width=400,
                limit=50,
            )
            if result.quarantined
            else "nothing"
        ),
    }


def _documents_table(documents: tuple[CleanedDocument, ...]) -> str:
    newest = sorted(
        documents, key=lambda each: each.published_at.isoformat() if each.published_at else "", reverse=True
    )
    return markdown_table(
        ("title", "platform", "published", "language", "words", "begins"),
        [
            (each.title, each.platform, each.published_at and each.published_at.date(),
             each.code_language or each.language, each.words, each.text[:120])
            for each in newest
        ],
        limit=8,
    )  # fmt: skip


def _index_metadata(done: Indexed) -> Mapping[str, dg.MetadataValue]:
    embedded, speed = done.embedded, done.embedded.encoded / done.seconds if done.seconds else 0.0
    return {
        **_integers(
            {
                "dagster/row_count": done.chunks,
                "new": len(done.plan.new),
                "changed": len(done.plan.changed),
                "unchanged": done.plan.unchanged,
                "removed": len(done.plan.removed),
                "chunks": done.chunks,
                "chunks_written": embedded.chunks,
                "chunks_embedded": embedded.encoded,
                "chunks_reused": embedded.reused,
            }
        ),
        "snapshot": dg.MetadataValue.text(done.snapshot or "none"),
        "seconds": dg.MetadataValue.float(round(done.seconds, 3)),
        "chunks_per_second": dg.MetadataValue.float(round(speed, 1)),
    }


def _chunks_shown(chunks: pa.Table, max_tokens: int) -> Mapping[str, dg.MetadataValue]:
    rows = chunks.slice(0, 8).to_pylist()
    table = markdown_table(_SHOWN, [[row[name] for name in _SHOWN] for row in rows])
    return {
        "preview": dg.MetadataValue.md(table if rows else "nothing"),
        "tokens_per_chunk": dg.MetadataValue.md(
            histogram(chunks["tokens"].to_pylist(), "tokens per chunk, context included", max_tokens)
        ),
    }


def _integers(values: Mapping[str, int]) -> dict[str, dg.MetadataValue]:
    return {name: dg.MetadataValue.int(value) for name, value in values.items()}


def _or_none(version: int | None) -> dg.MetadataValue:
    return dg.MetadataValue.null() if version is None else dg.MetadataValue.int(version)


CLEANED_ASSETS = [_cleaned_asset(category) for category in Category]
EMBEDDED_ASSETS = [_embedded_asset(category) for category in Category]
