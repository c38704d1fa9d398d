"""Checks of `models/candidate`."""

import tempfile
from pathlib import Path

import dagster as dg

from llm_twin_assets.partitions import AUTHORS
from llm_twin_assets.training.assets import candidate
from llm_twin_assets.training.errors import VerificationError
from llm_twin_assets.training.verification import check_digest
from resources.registry import RegisteredModel, Registry


@dg.asset_check(
    asset=candidate,
    partitions_def=AUTHORS,
    description="The candidate's loss on the validation split is below the bare base's.",
)
def validation_loss_improved(
    context: dg.AssetCheckExecutionContext, registry: dg.ResourceParam[Registry]
) -> dg.AssetCheckResult:
    """A warning, not a gate: that is the evaluation's, on documents that no training has seen."""
    metrics = registry.metrics(_candidate(registry, context.partition_key).run_id)
    before, after = metrics.get("base_validation_loss"), metrics.get("validation_loss")
    if before is None or after is None:
        return dg.AssetCheckResult(
            passed=False,
            severity=dg.AssetCheckSeverity.WARN,
            description="The dataset has no validation samples, so nothing says whether training helped.",
        )
    return dg.AssetCheckResult(
        passed=after < before,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"base": round(before, 4), "candidate": round(after, 4), "change": f"{after / before - 1:+.1%}"},
    )


@dg.asset_check(
    asset=candidate,
    partitions_def=AUTHORS,
    blocking=True,
    description="The registry's copy of the candidate has the digest that was registered.",
)
def registry_copy_is_intact(
    context: dg.AssetCheckExecutionContext, registry: dg.ResourceParam[Registry]
) -> dg.AssetCheckResult:
    """Nothing that was changed behind the registry's back is evaluated or released."""
    model = _candidate(registry, context.partition_key)
    with tempfile.TemporaryDirectory(prefix="twin-check-") as scratch:
        folder = registry.download(context.partition_key, model.version, Path(scratch))
        try:
            check_digest(folder, model)
        except VerificationError as error:
            return dg.AssetCheckResult(passed=False, description=str(error))
    return dg.AssetCheckResult(passed=True, metadata={"version": model.version, "digest": model.digest})


def _candidate(registry: Registry, author: str) -> RegisteredModel:
    return registry.version(author, registry.candidate_version(author))


CANDIDATE_CHECKS = [validation_loss_improved, registry_copy_is_intact]
