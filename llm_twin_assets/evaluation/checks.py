"""Blocking checks of `models/evaluation`: the test set is sealed, and the gate is passed."""

import dagster as dg

from llm_twin_assets.evaluation.assets import evaluation
from llm_twin_assets.evaluation.exam.contestants import candidate_of
from llm_twin_assets.evaluation.records import find
from llm_twin_assets.evaluation.sealed import read_by_training, seal, sealed_documents
from llm_twin_assets.partitions import AUTHORS
from resources.object_store import ObjectStore
from resources.registry import Registry
from resources.settings import Settings


@dg.asset_check(
    asset=evaluation,
    partitions_def=AUTHORS,
    blocking=True,
    description="The candidate is shown to be better on sealed documents; only then may a person approve it.",
)
def gate(
    context: dg.AssetCheckExecutionContext,
    objects: dg.ResourceParam[ObjectStore],
    registry: dg.ResourceParam[Registry],
) -> dg.AssetCheckResult:
    """The stored verdict on the present candidate."""
    candidate = candidate_of(context.partition_key, registry)
    found = find(objects, candidate.author, candidate.version)
    if found is None or found.model_digest != candidate.digest:
        return dg.AssetCheckResult(
            passed=False, description="there is no verdict on the candidate, or it is on other weights"
        )
    return dg.AssetCheckResult(
        passed=found.passed,
        description=found.reason,
        metadata={each.measure: each.difference.mean for each in found.comparisons if each.difference},
    )


@dg.asset_check(
    asset=evaluation,
    partitions_def=AUTHORS,
    blocking=True,
    description="Nothing that training or parameter search read is of a sealed document, or shares its words.",
)
def test_set_is_sealed(
    context: dg.AssetCheckExecutionContext,
    objects: dg.ResourceParam[ObjectStore],
    registry: dg.ResourceParam[Registry],
    settings: dg.ResourceParam[Settings],
) -> dg.AssetCheckResult:
    """Read again: every text of the files that the candidate was made of, against every sealed document."""
    candidate = candidate_of(context.partition_key, registry)
    author = candidate.author
    read = read_by_training(objects, author, registry.tags(author, candidate.version))
    found = seal(sealed_documents(objects, author, candidate.dataset), read, settings.dataset.max_leaked_8grams)
    return dg.AssetCheckResult(
        passed=not found.breaches,
        description=found.objection or None,
        metadata={
            "texts": found.texts,
            "files": dg.MetadataValue.json(list(found.files)),
            "breaches": dg.MetadataValue.json({each.where: each.why for each in found.breaches[:20]}),
        },
    )


EVALUATION_CHECKS = [gate, test_set_is_sealed]
