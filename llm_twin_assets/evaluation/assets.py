"""The asset `models/evaluation`: candidate against champion on sealed documents."""

import time

import dagster as dg

from llm_twin_assets.automation import WHEN_CONTENT_CHANGED_AND_CHECKED
from llm_twin_assets.domain.document import Category
from llm_twin_assets.domain.identity import digest
from llm_twin_assets.domain.release import Verdict
from llm_twin_assets.evaluation.records import report_place
from llm_twin_assets.evaluation.run import Stores, evaluate_candidate
from llm_twin_assets.partitions import AUTHORS, OWNERS
from resources.embedder import Embedder
from resources.object_store import ObjectStore
from resources.registry import Registry
from resources.settings import Environment, Settings
from resources.vector_store import VectorStore
from resources.warehouse import Warehouse

_EMBEDDED = [dg.AssetKey(["embedded", category.plural]) for category in Category]
# Answers are looked up in the embedded snapshot, which has to be there. That it grew is no reason to judge a model
# again: all models of a comparison had the same one.
_WHEN_CANDIDATE_CHANGED = WHEN_CONTENT_CHANGED_AND_CHECKED.replace(
    "any_deps_updated",
    dg.AutomationCondition.any_deps_updated()
    .ignore(dg.AssetSelection.assets(*_EMBEDDED))
    .replace("newly_updated", dg.AutomationCondition.data_version_changed())
    .with_label("any_deps_updated"),
).with_label("when the candidate or its dataset changed and their blocking checks passed")


@dg.asset(
    key=["models", "evaluation"],
    deps=[dg.AssetKey(["models", "candidate"]), dg.AssetKey(["datasets", "instruct"]), *_EMBEDDED],
    partitions_def=AUTHORS,
    group_name="evaluation",
    kinds={"python", "pytorch"},
    owners=OWNERS,
    automation_condition=_WHEN_CANDIDATE_CHANGED,
    description=(
        "The candidate against the champion (or the bare base) on the sealed test documents, with the same prompts and "
        "the same passages: prose, style, answers, speech, secrets; differences with intervals over documents. The "
        "check `gate` holds the verdict; a person approves after it."
    ),
)
def evaluation(
    context: dg.AssetExecutionContext,
    objects: dg.ResourceParam[ObjectStore],
    registry: dg.ResourceParam[Registry],
    warehouse: dg.ResourceParam[Warehouse],
    vector_store: dg.ResourceParam[VectorStore],
    embedder: dg.ResourceParam[Embedder],
    settings: dg.ResourceParam[Settings],
) -> dg.MaterializeResult[None]:
    """Examine the models, decide, write the report."""
    started = time.monotonic()
    cache = Environment.current().cache("evaluations")
    stores = Stores(objects, registry, warehouse, vector_store, embedder, cache)
    done = evaluate_candidate(context.partition_key, stores, settings)
    found = done.verdict
    context.log.info(found.reason)
    return dg.MaterializeResult(
        data_version=dg.DataVersion(digest(found.model_dump(mode="json", exclude={"evaluated_at"}))),
        metadata={
            **_figures(found),
            "new": done.is_new,
            "report": dg.MetadataValue.md(done.markdown),
            "report_page": dg.MetadataValue.path(report_place(objects, found)),
            "mlflow_run": dg.MetadataValue.url(
                registry.run_url(registry.version(found.author, found.model_version).run_id)
            ),
            "seconds": round(time.monotonic() - started, 2),
        },
    )


def _figures(found: Verdict) -> dict[str, bool | int | float | str]:
    return {
        "passed": found.passed,
        "verdict": found.reason,
        "model_version": found.model_version,
        "reference": found.reference,
        "bits_per_byte": round(found.candidate_bits_per_byte, 4),
        "reference_bits_per_byte": round(found.reference_bits_per_byte, 4),
        "change": f"{found.candidate_bits_per_byte / found.reference_bits_per_byte - 1:+.1%}",
        "sealed_documents": found.documents,
        **{each.measure: round(each.candidate, 4) for each in found.comparisons if each.candidate is not None},
    }
