"""What a person sees of a training in the Dagster UI."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import dagster as dg

from llm_twin_assets.domain.preview import inline_png, markdown_table, new_figure
from llm_twin_assets.training.candidate import Candidate, Order
from llm_twin_assets.training.choosing import Choice
from llm_twin_assets.training.plan import TrainingPlan
from llm_twin_assets.training.search_report import search_page
from resources.object_store import ObjectStore
from resources.registry import Registry

if TYPE_CHECKING:
    from dagster._core.definitions.metadata import RawMetadataValue  # exported nowhere

Curve = Sequence[tuple[int, float]]
_VALIDATION = (
    *("base_validation_loss", "validation_loss"),
    *("base_validation_bits_per_byte", "validation_bits_per_byte"),
)


def plan_table(plan: TrainingPlan) -> str:
    """Every parameter, its value and where it comes from, as a Markdown table."""
    values = plan.model_dump(exclude={"origins"}, exclude_none=True)
    rows = [(key, value, plan.origins.get(key)) for key, value in values.items()]
    return markdown_table(("parameter", "value", "origin"), rows)


def choice_metadata(choice: Choice) -> dict[str, "RawMetadataValue"]:
    """The stored set that a plan follows, and the search that has just found it, if there are such."""
    found = choice.followed
    if found is None:
        return {}
    return {
        "search_key": found.key.name,
        "parameter_set": found.digest,
        "trials": found.trials,
        "validation_bits_per_byte": round(found.bits_per_byte, 4),
        "searched_now": choice.search is not None,
        **({"search": dg.MetadataValue.md(search_page(choice.search))} if choice.search else {}),
    }


def candidate_metadata(
    order: Order, found: Candidate, registry: Registry, objects: ObjectStore
) -> dict[str, "RawMetadataValue"]:
    """Version, figures and curve of a candidate, trained now or before."""
    run = found.model.run_id
    metrics = registry.metrics(run)
    curves = {"train": registry.history(run, "loss"), "validation": registry.history(run, "validation")}
    numbers = ("seconds", "tokens", "tokens_per_second", "samples", "train_loss", *_VALIDATION, "energy_joules")
    return {
        "model": found.model.name,
        "model_version": found.model.version,
        "reused": found.reused,
        **{key: round(metrics[key], 4) for key in numbers if key in metrics},
        "mlflow_run": dg.MetadataValue.url(registry.run_url(run)),
        "path": dg.MetadataValue.path(f"{objects.root}/{found.path}"),
        "versions": dg.MetadataValue.json(order.tags()),
        "loss": dg.MetadataValue.md(loss_plot(curves)),
        "parameters": dg.MetadataValue.md(plan_table(order.plan)),
    }


def loss_plot(curves: Mapping[str, Curve]) -> str:
    """Loss by step as an inline picture in Markdown."""
    figure = new_figure()
    axes = figure.subplots()
    for name, curve in curves.items():
        if curve:
            axes.plot(*zip(*curve, strict=True), label=name, marker="o" if name == "validation" else None)
    axes.set_xlabel("step")
    axes.set_ylabel("loss (nats per answer token)")
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    return inline_png(figure, "loss by step")
