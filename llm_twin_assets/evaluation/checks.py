"""The gate as a blocking check of `models/evaluation`."""

import dagster as dg

from llm_twin_assets.domain.release import Verdict
from llm_twin_assets.evaluation.assets import candidate_of, evaluation
from llm_twin_assets.partitions import AUTHORS
from resources.object_store import ObjectStore
from resources.registry import Registry


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
    author = context.partition_key
    candidate = candidate_of(author, registry)
    found = Verdict.model_validate_json(objects.get(f"evaluations/{author}/{candidate.version}.json"))
    is_same = found.model_digest == candidate.digest
    return dg.AssetCheckResult(
        passed=found.passed and is_same,
        description=found.reason if is_same else "the verdict is on other weights than the candidate's",
        metadata={"difference": found.difference.mean, "low": found.difference.low, "high": found.difference.high},
    )


EVALUATION_CHECKS = [gate]
