"""Blocking checks of `datasets/instruct`: nothing that fails here is trained on."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

import dagster as dg
import pyarrow as pa

from llm_twin_assets.datasets import version
from llm_twin_assets.datasets.assets import instruct, read_cleaned
from llm_twin_assets.datasets.decontamination import Sealed, text_of
from llm_twin_assets.datasets.filters import normalized
from llm_twin_assets.domain.sample import Split
from llm_twin_assets.partitions import AUTHORS
from resources.object_store import ObjectStore
from resources.settings import Dataset, Settings
from resources.warehouse import Warehouse


def not_verbatim(samples: pa.Table, texts: Mapping[str, str]) -> list[str]:
    """Ids of the samples whose answer is not what stands at its span in its document."""
    return [
        row["sample_id"]
        for row in samples.to_pylist()
        if texts.get(row["document_id"], "")[row["start"] : row["end"]] != row["answer"]
    ]


def shared_between_splits(tables: Mapping[Split, pa.Table], column: str, same: Callable[[str], str] = str) -> set[str]:
    """Values of a column that occur in more than one split, as `same` sees them."""
    seen: set[str] = set()
    shared: set[str] = set()
    for table in tables.values():
        values = {same(value) for value in cast("list[str]", table[column].to_pylist())}
        shared |= seen & values
        seen |= values
    return shared


def torn_clusters(manifest: Mapping[str, Any]) -> list[list[str]]:
    """Clusters of near-duplicates whose documents lie in several splits."""
    placed = {key: split for split, keys in manifest["documents"].items() for key in keys}
    together = [each["documents"] for each in manifest["clusters"]]
    return [keys for keys in together if len({placed[key] for key in keys if key in placed}) > 1]


def contaminated(samples: pa.Table, texts: Iterable[str], settings: Dataset) -> list[str]:
    """Ids of the samples that share too much with documents of a more sealed split."""
    sealed = Sealed.of(texts)
    return [
        row["sample_id"]
        for row in samples.select(["sample_id", "instruction", "answer"]).to_pylist()
        if sealed.overlap(text_of(row["instruction"], row["answer"])).reason(settings.max_leaked_8grams)
    ]


@dg.asset_check(
    asset=instruct,
    partitions_def=AUTHORS,
    blocking=True,
    description="Every answer stands at its span in its document.",
)
def answers_are_verbatim(
    context: dg.AssetCheckExecutionContext,
    warehouse: dg.ResourceParam[Warehouse],
    objects: dg.ResourceParam[ObjectStore],
) -> dg.AssetCheckResult:
    """100% of answers, in every split."""
    author = context.partition_key
    texts = {document.document_id: document.text for document in read_cleaned(warehouse, author)}
    tables = _splits(objects, author)
    wrong = [sample for table in tables.values() for sample in not_verbatim(table, texts)]
    total = sum(table.num_rows for table in tables.values())
    return dg.AssetCheckResult(passed=not wrong, metadata={"samples": total, "not verbatim": wrong[:20]})


@dg.asset_check(
    asset=instruct,
    partitions_def=AUTHORS,
    blocking=True,
    description="No document, no near-duplicate of one and no instruction is in two splits.",
)
def splits_are_disjoint(
    context: dg.AssetCheckExecutionContext, objects: dg.ResourceParam[ObjectStore]
) -> dg.AssetCheckResult:
    """Leakage would make every later figure an illusion."""
    tables = _splits(objects, context.partition_key)
    documents = shared_between_splits(tables, "document_id")
    instructions = shared_between_splits(tables, "instruction", normalized)
    clusters = torn_clusters(version.current(objects, context.partition_key).manifest)
    return dg.AssetCheckResult(
        passed=not documents and not instructions and not clusters,
        metadata={
            "shared documents": sorted(documents)[:20],
            "shared instructions": sorted(instructions)[:20],
            "torn clusters": clusters[:20],
        },
    )


@dg.asset_check(
    asset=instruct,
    partitions_def=AUTHORS,
    blocking=True,
    description="No sample shares 13 words in a row, or many times 8, with a document of a more sealed split.",
)
def splits_are_decontaminated(
    context: dg.AssetCheckExecutionContext,
    warehouse: dg.ResourceParam[Warehouse],
    objects: dg.ResourceParam[ObjectStore],
    settings: dg.ResourceParam[Settings],
) -> dg.AssetCheckResult:
    """Counted again from what was stored."""
    author = context.partition_key
    manifest: Any = version.current(objects, author).manifest
    texts = {document.document_id: document.text for document in read_cleaned(warehouse, author)}
    tables = _splits(objects, author)
    found = {}
    for split in (Split.TRAIN, Split.VALIDATION):
        stricter = [key for each in Split if each.rank < split.rank for key in manifest["documents"][each.value]]
        # A document that went meanwhile is the concern of `answers_are_verbatim`.
        known = (texts[key] for key in stricter if key in texts)
        found[split.value] = contaminated(tables[split], known, settings.dataset)
    return dg.AssetCheckResult(
        passed=not any(found.values()), metadata={split: ids[:20] for split, ids in found.items()}
    )


@dg.asset_check(
    asset=instruct,
    partitions_def=AUTHORS,
    blocking=True,
    description="There is something to train on, and something to test with.",
)
def splits_are_filled(
    context: dg.AssetCheckExecutionContext,
    objects: dg.ResourceParam[ObjectStore],
    settings: dg.ResourceParam[Settings],
) -> dg.AssetCheckResult:
    """At least one sample to train on and two sealed documents to compare with (a bootstrap needs two), or as asked."""
    dataset, least = version.current(objects, context.partition_key), settings.dataset
    train = version.samples_of(objects, dataset, Split.TRAIN).num_rows
    sealed = version.test_documents(objects, dataset).num_rows
    return dg.AssetCheckResult(
        passed=train >= least.min_train_samples and sealed >= least.min_test_documents,
        description=(
            f"{train} samples to train on and {sealed} sealed documents; it takes {least.min_train_samples} and "
            f"{least.min_test_documents}. Add sources."
        ),
        metadata={"train samples": train, "sealed documents": sealed},
    )


def _splits(objects: ObjectStore, author: str) -> dict[Split, pa.Table]:
    dataset = version.current(objects, author)
    return {split: version.samples_of(objects, dataset, split) for split in Split}


DATASET_CHECKS = [answers_are_verbatim, splits_are_disjoint, splits_are_decontaminated, splits_are_filled]
