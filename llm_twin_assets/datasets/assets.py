"""The asset `datasets/instruct`."""

import time
from collections import Counter
from collections.abc import Sequence
from typing import cast

import dagster as dg

from llm_twin_assets.automation import WHEN_CONTENT_OR_FEEDBACK_CHANGED_AND_CHECKED
from llm_twin_assets.datasets import version
from llm_twin_assets.datasets.corrections import corrections_of
from llm_twin_assets.datasets.making import Made, bring_up_to_date
from llm_twin_assets.datasets.preview import counts_plot, samples_preview
from llm_twin_assets.domain.document import Category, CleanedDocument
from llm_twin_assets.domain.feedback import FEEDBACK_TABLE, feedback_of
from llm_twin_assets.domain.forgotten import FORGOTTEN_TABLE, Forgotten
from llm_twin_assets.domain.sample import Sample
from llm_twin_assets.domain.tables import cleaned_documents
from llm_twin_assets.partitions import AUTHORS, OWNERS
from resources.object_store import ObjectStore
from resources.settings import Settings
from resources.warehouse import Warehouse


@dg.asset(
    key=["datasets", "instruct"],
    deps=[
        *(dg.AssetKey(["cleaned", category.plural]) for category in Category),
        dg.AssetKey(["monitoring", "feedback"]),
    ],
    partitions_def=AUTHORS,
    group_name="datasets",
    kinds={"python", "parquet"},
    owners=OWNERS,
    automation_condition=WHEN_CONTENT_OR_FEEDBACK_CHANGED_AND_CHECKED,
    description=(
        "Instruction-answer pairs for fine-tuning: the instruction is made up, the answer is the author's own text, "
        "verbatim, with its document and span. Split by clusters of documents first, then stored for good under its "
        "digest."
    ),
)
def instruct(
    context: dg.AssetExecutionContext,
    warehouse: dg.ResourceParam[Warehouse],
    objects: dg.ResourceParam[ObjectStore],
    settings: dg.ResourceParam[Settings],
) -> dg.MaterializeResult[None]:
    """Read the cleaned documents, bring the dataset version up to date, show it."""
    started = time.monotonic()
    author = context.partition_key
    snapshots = {category.plural: warehouse.version(f"cleaned/{category.plural}") for category in Category}
    made = bring_up_to_date(author, all_cleaned(warehouse, author), objects, settings)
    return dg.MaterializeResult(
        data_version=dg.DataVersion(made.version.digest),
        metadata={
            **_shown(made, version.all_samples(objects, made.version)),
            "snapshots": dg.MetadataValue.json({table: each for table, each in snapshots.items() if each is not None}),
            "path": dg.MetadataValue.path(f"{objects.root}/{made.version.prefix}"),
            "seconds": round(time.monotonic() - started, 2),
        },
    )


def read_cleaned(warehouse: Warehouse, author: str) -> list[CleanedDocument]:
    """The cleaned documents of an author that stand for themselves, of every category."""
    return [document for document in all_cleaned(warehouse, author) if document.duplicate_of is None]


def all_cleaned(warehouse: Warehouse, author: str) -> list[CleanedDocument]:
    """All cleaned documents of an author, those too that say what another one says: they seal each other.

    What the author wrote in the place of answers is among them.

    A document that is to be forgotten is none, even where a run that began before has put it back.
    """
    gone = Forgotten.of(author, warehouse.read(FORGOTTEN_TABLE, author))
    tables = [warehouse.read(f"cleaned/{category.plural}", author) for category in Category]
    documents = [document for table in tables if table.num_rows for document in cleaned_documents(table)]
    documents += corrections_of(feedback_of(warehouse.read(FEEDBACK_TABLE, author)))
    return [each for each in documents if not gone.covers(each.document_id)]


def _shown(made: Made, samples: Sequence[Sample]) -> dict[str, dg.MetadataValue | int | str | bool]:
    manifest = made.version.manifest
    splits = Counter(f"samples_{sample.split.value}" for sample in samples)
    listed = ("languages", "dropped", "decontamination", "tiers", "kinds")
    return {
        "new": made.is_new,
        "dataset_version": made.version.digest,
        "samples": len(samples),
        **splits,
        "documents": sum(len(ids) for ids in cast("dict[str, list[str]]", manifest["documents"]).values()),
        "near_duplicate_clusters": len(cast("list[object]", manifest["clusters"])),
        **{name: dg.MetadataValue.json(cast("dict[str, object]", manifest[name])) for name in listed},
        **({"teacher": dg.MetadataValue.json(made.teacher)} if made.teacher else {}),
        "plot": dg.MetadataValue.md(counts_plot(samples)),
        "preview": dg.MetadataValue.md(samples_preview(samples)),
    }
