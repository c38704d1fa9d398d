"""Blocking checks of `datasets/instruct`: nothing that fails here is trained on."""

from collections.abc import Mapping
from typing import cast

import dagster as dg
import pyarrow as pa

from llm_twin_assets.datasets import version
from llm_twin_assets.datasets.assets import instruct, read_cleaned
from llm_twin_assets.domain.sample import Split
from llm_twin_assets.partitions import AUTHORS
from resources.object_store import ObjectStore
from resources.warehouse import Warehouse


def not_verbatim(samples: pa.Table, texts: Mapping[str, str]) -> list[str]:
    """Ids of the samples whose answer is not what stands at its span in its document."""
    return [
        row["sample_id"]
        for row in samples.to_pylist()
        if texts.get(row["document_id"], "")[row["start"] : row["end"]] != row["answer"]
    ]


def shared_between_splits(tables: Mapping[Split, pa.Table], column: str) -> set[str]:
    """Values of a column that occur in more than one split."""
    seen: set[str] = set()
    shared: set[str] = set()
    for table in tables.values():
        values = set(cast("list[str]", table[column].to_pylist()))
        shared |= seen & values
        seen |= values
    return shared


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
    description="No document and no instruction is in two splits.",
)
def splits_are_disjoint(
    context: dg.AssetCheckExecutionContext, objects: dg.ResourceParam[ObjectStore]
) -> dg.AssetCheckResult:
    """Leakage would make every later figure an illusion."""
    tables = _splits(objects, context.partition_key)
    documents = shared_between_splits(tables, "document_id")
    instructions = shared_between_splits(tables, "instruction")
    return dg.AssetCheckResult(
        passed=not documents and not instructions,
        metadata={"shared documents": sorted(documents)[:20], "shared instructions": sorted(instructions)[:20]},
    )


@dg.asset_check(
    asset=instruct,
    partitions_def=AUTHORS,
    blocking=True,
    description="There is something to train on, and something to test with.",
)
def splits_are_filled(
    context: dg.AssetCheckExecutionContext, objects: dg.ResourceParam[ObjectStore]
) -> dg.AssetCheckResult:
    """At least one sample to train on and two sealed documents to compare with (a bootstrap needs two)."""
    dataset = version.current(objects, context.partition_key)
    train = version.samples_of(objects, dataset, Split.TRAIN).num_rows
    sealed = version.test_documents(objects, dataset).num_rows
    return dg.AssetCheckResult(
        passed=train >= 1 and sealed >= 2,
        description=f"{train} samples to train on and {sealed} sealed documents; it takes 1 and 2. Add sources.",
        metadata={"train samples": train, "sealed documents": sealed},
    )


def _splits(objects: ObjectStore, author: str) -> dict[Split, pa.Table]:
    dataset = version.current(objects, author)
    return {split: version.samples_of(objects, dataset, split) for split in Split}


DATASET_CHECKS = [answers_are_verbatim, splits_are_disjoint, splits_are_filled]
