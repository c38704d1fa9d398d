"""The asset `datasets/preference`."""

import time
from collections.abc import Sequence
from dataclasses import asdict

import dagster as dg

from llm_twin_assets.automation import WHEN_CONTENT_OR_FEEDBACK_CHANGED_AND_CHECKED
from llm_twin_assets.datasets import preference_version, version
from llm_twin_assets.datasets.preference import Pair
from llm_twin_assets.datasets.preference_making import Made, Maker
from llm_twin_assets.domain.preview import markdown_table
from llm_twin_assets.partitions import AUTHORS, OWNERS
from resources.object_store import ObjectStore
from resources.registry import Registry
from resources.settings import Settings
from resources.warehouse import Warehouse

_SHOWN = 10


@dg.asset(
    key=["datasets", "preference"],
    deps=[dg.AssetKey(["datasets", "instruct"]), dg.AssetKey(["monitoring", "feedback"])],
    partitions_def=AUTHORS,
    group_name="datasets",
    kinds={"python", "parquet"},
    owners=OWNERS,
    automation_condition=WHEN_CONTENT_OR_FEEDBACK_CHANGED_AND_CHECKED,
    description=(
        "Pairs of a better and a worse answer: the author's own text beside what a model writes to the same "
        "instruction, about as long; and people's corrections and thumbs. Empty unless twin.yaml says "
        "`preference: {enabled: true}`."
    ),
)
def preference(
    context: dg.AssetExecutionContext,
    warehouse: dg.ResourceParam[Warehouse],
    objects: dg.ResourceParam[ObjectStore],
    registry: dg.ResourceParam[Registry],
    settings: dg.ResourceParam[Settings],
) -> dg.MaterializeResult[None]:
    """Make the pairs of the current dataset, and store them as a version."""
    started = time.monotonic()
    author = context.partition_key
    dataset = version.current(objects, author)
    made = Maker(author, settings, dataset, objects, warehouse, registry).make()
    name = settings.author(author).name
    digest, files, _ = preference_version.build(
        author, name, dataset.digest, made.preferences, settings.preference, made.without_rejected
    )
    prefix = preference_version.store(objects, author, digest, files)
    if made.without_rejected:
        context.log.info("no model's answers are rejected: %s", made.without_rejected)
    return dg.MaterializeResult(
        data_version=dg.DataVersion(digest),
        metadata={
            **_counts(made),
            "preference_version": digest,
            "dataset_version": dataset.digest,
            "path": dg.MetadataValue.path(f"{objects.root}/{prefix}"),
            "rejected_by": dg.MetadataValue.json(sorted({pair.rejected_by for pair in made.preferences.pairs})),
            "dropped": dg.MetadataValue.json(dict(sorted(made.preferences.dropped.items()))),
            "preview": dg.MetadataValue.md(_preview(made.preferences.pairs)),
            "seconds": round(time.monotonic() - started, 2),
        },
    )


def _counts(made: Made) -> dict[str, dg.MetadataValue | int | str]:
    found: dict[str, dg.MetadataValue | int | str] = {
        "pairs": len(made.preferences.pairs),
        "thumbs": len(made.preferences.thumbs),
    }
    if made.without_rejected:
        found["without_rejected"] = made.without_rejected
    if made.usage:
        found["usage"] = dg.MetadataValue.json(asdict(made.usage))
    return found


def _preview(pairs: Sequence[Pair]) -> str:
    rows = [(pair.source, pair.split.value, pair.prompt, pair.chosen, pair.rejected) for pair in pairs]
    return markdown_table(("source", "split", "prompt", "chosen", "rejected"), rows, limit=_SHOWN)
