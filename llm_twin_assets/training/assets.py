"""The assets `models/hyperparameters` and `models/candidate`."""

import dagster as dg

from llm_twin_assets.domain.identity import digest
from llm_twin_assets.partitions import AUTHORS, OWNERS
from llm_twin_assets.training import hyperparameters as stored
from llm_twin_assets.training.candidate import candidate_for, order_for
from llm_twin_assets.training.choosing import choose
from llm_twin_assets.training.continuous import WHEN_WORTH_TRAINING, WHEN_WORTH_TRAINING_ANEW, snapshots_of
from llm_twin_assets.training.launch import through_pipes
from llm_twin_assets.training.report import candidate_metadata, choice_metadata, plan_table
from resources.bases import find_base
from resources.object_store import ObjectStore
from resources.registry import Registry
from resources.settings import Environment, Settings

# Dagster's pool of what wants the accelerator: one training at a time on a machine, whoever's it is.
GPU = "gpu"


@dg.asset(
    key=["models", "hyperparameters"],
    deps=[dg.AssetKey(["datasets", "instruct"])],
    partitions_def=AUTHORS,
    group_name="training",
    kinds={"python", "optuna", "mlflow"},
    owners=OWNERS,
    pool=GPU,
    automation_condition=WHEN_WORTH_TRAINING,
    description=(
        "How the next candidate is trained: every parameter with its origin, by size of the base and method, as "
        "twin.yaml says, or as a search has found by validation bits per byte. Stored for good under its digest, and "
        "reused while nothing changes."
    ),
)
def hyperparameters(
    context: dg.AssetExecutionContext,
    objects: dg.ResourceParam[ObjectStore],
    registry: dg.ResourceParam[Registry],
    settings: dg.ResourceParam[Settings],
    pipes: dg.PipesSubprocessClient,
) -> dg.MaterializeResult[None]:
    """Search or plan, and make the plan the author's current one."""
    base = find_base(settings.training.base, settings.training.revision)
    launch = through_pipes(context, pipes, settings.training)
    root = Environment.current().cache("searches")
    choice = choose(context.partition_key, base, settings, objects, registry, launch, root)
    plan = choice.plan
    is_new = stored.store(objects, context.partition_key, plan)
    return dg.MaterializeResult(
        data_version=dg.DataVersion(digest([plan.digest, base.digest])),  # another base calls for another training
        metadata={
            "parameters_digest": plan.digest,
            "base": base.id,
            "method": plan.method,
            "size_class": plan.size_class,
            "reused": not is_new,
            **choice_metadata(choice),
            "parameters": dg.MetadataValue.md(plan_table(plan)),
        },
    )


@dg.asset(
    key=["models", "candidate"],
    deps=[
        dg.AssetKey(["datasets", "instruct"]),
        dg.AssetKey(["datasets", "preference"]),
        dg.AssetKey(["models", "hyperparameters"]),
    ],
    partitions_def=AUTHORS,
    group_name="training",
    kinds={"pytorch", "huggingface", "mlflow"},
    owners=OWNERS,
    pool=GPU,
    automation_condition=WHEN_WORTH_TRAINING_ANEW,
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
    registry.require_reachable()  # before hours of training, not after
    snapshots = snapshots_of(context.instance, context.partition_key)
    order = order_for(context.partition_key, settings, objects, snapshots)
    launch = through_pipes(context, pipes, settings.training)
    found = candidate_for(order, registry, objects, launch)
    return dg.MaterializeResult(
        data_version=dg.DataVersion(found.model.digest),
        metadata=candidate_metadata(order, found, registry, objects),
    )


TRAINING_ASSETS = [hyperparameters, candidate]
