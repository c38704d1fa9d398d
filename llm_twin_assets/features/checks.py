"""Checks of `cleaned/*` and, blocking, of `embedded/*`: what fails here is neither trained on nor served."""

from collections.abc import Mapping, Sequence

import dagster as dg

from llm_twin_assets.collection.engine.stored import standing
from llm_twin_assets.domain.document import Category
from llm_twin_assets.domain.tables import cleaned_documents
from llm_twin_assets.features import soundness
from llm_twin_assets.features.assets import cleaned_key, embedded_key
from llm_twin_assets.features.incremental import current_snapshot
from llm_twin_assets.features.near_duplicates import originals, searchable
from llm_twin_assets.partitions import AUTHORS
from resources.embedder import Embedder
from resources.parity import parity
from resources.settings import Settings
from resources.vector_store import VectorStore
from resources.warehouse import Warehouse

_SHOWN = 20


def _verdict(wrong: Mapping[str, Sequence[str]], examined: int, **more: dg.MetadataValue) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        passed=not any(wrong.values()),
        metadata={
            "examined": examined,
            **{name: len(found) for name, found in wrong.items()},
            **{f"{name}: which": list(found[:_SHOWN]) for name, found in wrong.items() if found},
            **more,
        },
    )


def _documents_are_whole(category: Category) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=cleaned_key(category),
        name="documents_are_whole",
        partitions_def=AUTHORS,
        description="Every document has text and title, none is there twice, and what a duplicate repeats is there.",
    )
    def check(context: dg.AssetCheckExecutionContext, warehouse: dg.ResourceParam[Warehouse]) -> dg.AssetCheckResult:
        documents = cleaned_documents(warehouse.read(f"cleaned/{category.plural}", context.partition_key))
        ids = [each.document_id for each in documents]
        return _verdict(
            {
                "empty": soundness.empty_texts(documents),
                "double": soundness.duplicates(ids),
                "without original": soundness.without_original(documents),
            },
            len(documents),
        )

    return check


def _nothing_is_lost(category: Category) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=cleaned_key(category),
        name="nothing_is_lost",
        partitions_def=AUTHORS,
        description="Every raw document is cleaned, as an original or a duplicate, or quarantined for a stated reason.",
    )
    def check(context: dg.AssetCheckExecutionContext, warehouse: dg.ResourceParam[Warehouse]) -> dg.AssetCheckResult:
        raw = standing(warehouse, context.partition_key, category)
        documents = cleaned_documents(warehouse.read(f"cleaned/{category.plural}", context.partition_key))
        unexplained, quarantined = soundness.lost(raw, documents)
        return _verdict(
            {"lost": unexplained},
            len(raw),
            quarantined=dg.MetadataValue.json(quarantined[:_SHOWN]),
            duplicates=dg.MetadataValue.int(len(documents) - len(originals(documents))),
        )

    return check


def _chunks_fit_the_model(category: Category) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=embedded_key(category),
        name="chunks_fit_the_model",
        partitions_def=AUTHORS,
        blocking=True,
        description="No chunk is longer than the model reads: nothing was cut off when it was embedded.",
    )
    def check(
        context: dg.AssetCheckExecutionContext,
        vector_store: dg.ResourceParam[VectorStore],
        embedder: dg.ResourceParam[Embedder],
    ) -> dg.AssetCheckResult:
        rows = vector_store.rows(context.partition_key, category.value)
        return _verdict(
            {"too long": soundness.too_long(rows, embedder.max_tokens, embedder.token_counts)}, rows.num_rows
        )

    return check


def _vectors_are_sound(category: Category) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=embedded_key(category),
        name="vectors_are_sound",
        partitions_def=AUTHORS,
        blocking=True,
        description="Every chunk has a unit vector of the model's dimension, made by this model of exactly its text.",
    )
    def check(
        context: dg.AssetCheckExecutionContext,
        vector_store: dg.ResourceParam[VectorStore],
        embedder: dg.ResourceParam[Embedder],
    ) -> dg.AssetCheckResult:
        rows = vector_store.rows(context.partition_key, category.value)
        wrong = {
            "bad": soundness.bad_vectors(rows, embedder.dimension) if rows.num_rows else [],
            "foreign": soundness.foreign_vectors(rows, embedder.digest) if rows.num_rows else [],
            "double": soundness.duplicates(rows["chunk_id"].to_pylist() if rows.num_rows else []),
        }
        return _verdict(wrong, rows.num_rows)

    return check


def _index_is_the_corpus(category: Category) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=embedded_key(category),
        name="index_is_the_corpus",
        partitions_def=AUTHORS,
        blocking=True,
        description="Index and snapshot hold every document to be searched and nothing else; text search finds it.",
    )
    def check(
        context: dg.AssetCheckExecutionContext,
        warehouse: dg.ResourceParam[Warehouse],
        vector_store: dg.ResourceParam[VectorStore],
        embedder: dg.ResourceParam[Embedder],
        settings: dg.ResourceParam[Settings],
    ) -> dg.AssetCheckResult:
        author = context.partition_key
        documents = searchable(cleaned_documents(warehouse.read(f"cleaned/{category.plural}", author)))
        rows = vector_store.rows(author, category.value)
        size = (settings.chunking.max_tokens, settings.chunking.overlap)
        wrong = dict(soundness.not_as_documents(rows, documents, embedder.digest, *size))
        if rows.num_rows:
            wrong["not found by text"] = soundness.unfindable(rows, vector_store.open(author))
            snapshot = current_snapshot(author, vector_store, embedder)
            published = parity(vector_store.contents(author), vector_store.open(author, snapshot))
            wrong |= {f"published {how}": which for how, which in published.items()}
        return _verdict(wrong, rows.num_rows, documents=dg.MetadataValue.int(len(documents)))

    return check


FEATURE_CHECKS = [
    make(category)
    for category in Category
    for make in (
        _documents_are_whole,
        _nothing_is_lost,
        _chunks_fit_the_model,
        _vectors_are_sound,
        _index_is_the_corpus,
    )
]
