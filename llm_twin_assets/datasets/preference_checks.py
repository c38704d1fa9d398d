"""Blocking checks of `datasets/preference`: nothing that fails here is trained on."""

from collections.abc import Iterable, Mapping, Sequence
from typing import cast

import dagster as dg

from llm_twin_assets.datasets import preference_version, version
from llm_twin_assets.datasets.assets import read_cleaned
from llm_twin_assets.datasets.preference import Pair, unmatched
from llm_twin_assets.datasets.preference_assets import preference
from llm_twin_assets.domain.sample import Split
from llm_twin_assets.partitions import AUTHORS
from resources.object_store import ObjectStore
from resources.settings import Settings
from resources.warehouse import Warehouse


def not_the_authors(pairs: Iterable[Pair], texts: Mapping[str, str]) -> list[str]:
    """Ids of the pairs of samples whose chosen answer is not what stands at its span in its document."""
    return [
        pair.pair_id
        for pair in pairs
        if pair.source == "sample" and texts.get(pair.document_id or "", "")[pair.start : pair.end] != pair.chosen
    ]


def in_the_wrong_split(pairs: Iterable[Pair], documents: Mapping[str, Sequence[str]]) -> list[str]:
    """Ids of the pairs whose document lies in another split of the dataset, or in none."""
    split_of = {document: split for split, ids in documents.items() for document in ids}
    return [
        pair.pair_id
        for pair in pairs
        if pair.document_id is not None and split_of.get(pair.document_id) != pair.split.value
    ]


@dg.asset_check(
    asset=preference,
    partitions_def=AUTHORS,
    blocking=True,
    description="Every chosen answer of a sample stands at its span in its document.",
)
def chosen_is_verbatim(
    context: dg.AssetCheckExecutionContext,
    warehouse: dg.ResourceParam[Warehouse],
    objects: dg.ResourceParam[ObjectStore],
) -> dg.AssetCheckResult:
    """100% of them, in both splits."""
    author = context.partition_key
    pairs = _pairs(objects, author)
    texts = {document.document_id: document.text for document in read_cleaned(warehouse, author)} if pairs else {}
    wrong = not_the_authors(pairs, texts)
    return dg.AssetCheckResult(passed=not wrong, metadata={"pairs": len(pairs), "not verbatim": wrong[:20]})


@dg.asset_check(
    asset=preference,
    partitions_def=AUTHORS,
    blocking=True,
    description="No pair is of a sealed document, and none to train on is of a document to validate with.",
)
def pairs_keep_the_split(
    context: dg.AssetCheckExecutionContext, objects: dg.ResourceParam[ObjectStore]
) -> dg.AssetCheckResult:
    """By the split of the dataset version that the pairs were made of."""
    author = context.partition_key
    pairs = _pairs(objects, author)
    documents: Mapping[str, Sequence[str]] = {}
    if pairs:
        parent = preference_version.newest(objects, author).manifest["dataset"]
        manifest = version.open_version(objects, author, str(parent)).manifest
        documents = cast("Mapping[str, Sequence[str]]", manifest["documents"])
    wrong = in_the_wrong_split(pairs, documents)
    sealed = set(documents.get(Split.TEST.value, ()))
    leaked = [pair.pair_id for pair in pairs if pair.document_id in sealed]
    return dg.AssetCheckResult(passed=not wrong, metadata={"wrong split": wrong[:20], "sealed": leaked[:20]})


@dg.asset_check(
    asset=preference,
    partitions_def=AUTHORS,
    blocking=True,
    description="The two answers of every pair are about as long.",
)
def lengths_are_matched(
    context: dg.AssetCheckExecutionContext,
    objects: dg.ResourceParam[ObjectStore],
    settings: dg.ResourceParam[Settings],
) -> dg.AssetCheckResult:
    """Within `preference.length_ratio`, either way, in words."""
    pairs = _pairs(objects, context.partition_key)
    wrong = unmatched(pairs, settings.preference.length_ratio)
    return dg.AssetCheckResult(passed=not wrong, metadata={"pairs": len(pairs), "not matched": wrong[:20]})


def _pairs(objects: ObjectStore, author: str) -> list[Pair]:
    return preference_version.pairs_of(objects, preference_version.newest(objects, author))


PREFERENCE_CHECKS = [chosen_is_verbatim, pairs_keep_the_split, lengths_are_matched]
