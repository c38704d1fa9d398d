"""The assets `models/hyperparameters` and `models/candidate`."""

import dagster as dg

from llm_twin_assets.automation import WHEN_CONTENT_CHANGED_AND_CHECKED
from llm_twin_assets.domain.identity import digest
from llm_twin_assets.partitions import AUTHORS, OWNERS
from llm_twin_assets.training import hyperparameters as stored
from llm_twin_assets.training.candidate import candidate_for, order_for
from llm_twin_assets.training.launch import through_pipes
from llm_twin_assets.training.plan import plan_for
from llm_twin_assets.training.report import candidate_metadata, plan_table
from resources.bases import find_base
from resources.object_store import ObjectStore
from resources.registry import Registry
from resources.settings import Settings


@dg.asset(
    key=["models", "hyperparameters"],
    deps=[dg.AssetKey(["datasets", "instruct"])],
    partitions_def=AUTHORS,
    group_name="training",
    kinds={"python"},
    owners=OWNERS,
    automation_condition=WHEN_CONTENT_CHANGED_AND_CHECKED,
    description=(
        "How the next candidate is trained: every parameter with its origin, by size of the base and method, or as "
        "twin.yaml says. Stored for good under its digest, and reused while nothing changes."
    ),
)
def hyperparameters(
    context: dg.AssetExecutionContext,
    objects: dg.ResourceParam[ObjectStore],
    settings: dg.ResourceParam[Settings],
) -> dg.MaterializeResult[None]:
    """Plan, and make the plan the author's current one."""
    base = find_base(settings.training.base, settings.training.revision)
    plan = plan_for(base.folder, settings.training)
    is_new = stored.store(objects, context.partition_key, plan)
    return dg.MaterializeResult(
        data_version=dg.DataVersion(digest([plan.digest, base.digest])),  # another base calls for another training
        metadata={
            "parameters_digest": plan.digest,
            "base": base.id,
            "method": plan.method,
            "size_class": plan.size_class,
            "reused": not is_new,
            "parameters": dg.MetadataValue.md(plan_table(plan)),
        },
    )


@dg.asset(
    key=["models", "candidate"],
    deps=[dg.AssetKey(["datasets", "instruct"]), dg.AssetKey(["models", "hyperparameters"])],
    partitions_def=AUTHORS,
    group_name="training",
    kinds={"pytorch", "huggingface", "mlflow"},
    owners=OWNERS,
    automation_condition=WHEN_CONTENT_CHANGED_AND_CHECKED,
    description=(
        "A model fine-tuned on the current dataset in a process of its own, registered in MLflow, reloaded from there "
        "and compared with the trained one before it may be called candidate. The same order is never trained twice."
    ),
)
def candidate(
    context: dg.AssetExecutionContext,
    objects: dg.ResourceParam[ObjectStore],
    registry: dg.ResourceParam[Registry],
    settings: dg.ResourceParam[Settings],
    pipes: dg.PipesSubprocessClient,
) -> dg.MaterializeResult[None]:
    """Train and register what the current dataset and parameters ask for, unless that was done before."""
    order = order_for(context.partition_key, settings, objects)
    launch = through_pipes(context, pipes, settings.training.launcher)
    found = candidate_for(order, registry, objects, launch)
    return dg.MaterializeResult(
        data_version=dg.DataVersion(found.model.digest),
        metadata=candidate_metadata(order, found, registry, objects),
    )


TRAINING_ASSETS = [hyperparameters, candidate]
