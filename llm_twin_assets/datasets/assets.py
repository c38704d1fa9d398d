"""The asset `datasets/instruct`."""

import time
from collections import Counter

import dagster as dg

from llm_twin_assets.automation import WHEN_CONTENT_CHANGED_AND_CHECKED
from llm_twin_assets.datasets import version
from llm_twin_assets.datasets.instruct import Generated, generate
from llm_twin_assets.datasets.preview import counts_plot, samples_preview
from llm_twin_assets.datasets.split import split_of
from llm_twin_assets.domain.document import Category, CleanedDocument
from llm_twin_assets.domain.tables import cleaned_documents
from llm_twin_assets.partitions import AUTHORS, OWNERS
from resources.object_store import ObjectStore
from resources.settings import Settings
from resources.warehouse import Warehouse


@dg.asset(
    key=["datasets", "instruct"],
    deps=[dg.AssetKey(["cleaned", category.plural]) for category in Category],
    partitions_def=AUTHORS,
    group_name="datasets",
    kinds={"python", "parquet"},
    owners=OWNERS,
    automation_condition=WHEN_CONTENT_CHANGED_AND_CHECKED,
    description=(
        "Instruction-answer pairs for fine-tuning: the instruction is made up by rule, the answer is the author's own "
        "text, verbatim, with its document and span. Split by document first, then stored for good under its digest."
    ),
)
def instruct(
    context: dg.AssetExecutionContext,
    warehouse: dg.ResourceParam[Warehouse],
    objects: dg.ResourceParam[ObjectStore],
    settings: dg.ResourceParam[Settings],
) -> dg.MaterializeResult[None]:
    """Read the cleaned documents, generate the samples, store them as a version."""
    started = time.monotonic()
    author = context.partition_key
    documents = read_cleaned(warehouse, author)
    generated = generate(documents, settings.dataset)
    split = [(document, split_of(document.document_id, settings.dataset)) for document in documents]
    digest, files, _ = version.build(author, generated.samples, split, settings.dataset)
    prefix = version.store(objects, author, digest, files)
    return dg.MaterializeResult(
        data_version=dg.DataVersion(digest),
        metadata={
            **_counts(generated),
            "documents": len(documents),
            "dataset_version": digest,
            "path": dg.MetadataValue.path(f"{objects.root}/{prefix}"),
            "dropped": dg.MetadataValue.json(generated.dropped),
            "kinds": dg.MetadataValue.json(dict(Counter(sample.kind for sample in generated.samples))),
            "plot": dg.MetadataValue.md(counts_plot(generated.samples)),
            "preview": dg.MetadataValue.md(samples_preview(generated.samples)),
            "seconds": round(time.monotonic() - started, 2),
        },
    )


def read_cleaned(warehouse: Warehouse, author: str) -> list[CleanedDocument]:
    """All cleaned documents of an author, of every category."""
    tables = [warehouse.read(f"cleaned/{category.plural}", author) for category in Category]
    return [document for table in tables if table.num_rows for document in cleaned_documents(table)]


def _counts(generated: Generated) -> dict[str, int]:
    counts = {"samples": len(generated.samples)}
    for sample in generated.samples:
        counts[f"samples_{sample.split.value}"] = counts.get(f"samples_{sample.split.value}", 0) + 1
    return counts
