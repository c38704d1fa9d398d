"""What a dataset version holds and costs.

    python -m llm_twin_assets_tests.benchmarks.dataset FOLDER [--json]

of a folder of Markdown by one author; `make bench` measures the sample author. The cost is set against that of cleaning
the same documents, in the same process.
"""

import argparse
import json
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from llm_twin_assets.collection.reading.front_matter import split_page
from llm_twin_assets.datasets import version
from llm_twin_assets.datasets.instruct import generate
from llm_twin_assets.datasets.split import assign
from llm_twin_assets.domain.document import Category, CleanedDocument, RawDocument
from llm_twin_assets.domain.identity import content_hash, document_id
from llm_twin_assets.domain.scrub.scrubber import Scrubber
from llm_twin_assets.features.clean import clean
from llm_twin_assets.features.errors import CleaningError
from llm_twin_assets_tests.benchmarks.measuring import Row
from resources.settings import Collection, Dataset

SAMPLE = Path(__file__).parents[2] / "llm_twin_assets" / "sample" / "text" / "articles"


def raw(folder: Path) -> list[RawDocument]:
    """The Markdown files of a folder as a connector reads them."""
    found = []
    for path in sorted(folder.rglob("*.md")):
        name = path.relative_to(folder).as_posix()
        page = split_page(path.read_text(encoding="utf-8"))
        found.append(
            RawDocument(
                document_id=document_id("author", name),
                author="author",
                platform="files",
                category=Category.ARTICLE,
                url=None,
                title=str(page.fields["title"]) if "title" in page.fields else None,
                content=page.body,
                media_type="text/markdown",
                published_at=None,
                code_language=None,
                repository=None,
                path=None,
                content_hash=content_hash(page.body),
                collected_at=datetime(2026, 1, 1, tzinfo=UTC),
            )
        )
    return found


def cleaned_documents(folder: Path) -> list[CleanedDocument]:
    """The Markdown files of a folder that are not empty, cleaned."""
    documents: list[CleanedDocument] = []
    for each in raw(folder):
        try:
            documents.append(clean(each))
        except CleaningError:  # an empty file
            continue
    return documents


def dataset_of(folder: Path) -> dict[str, Any]:
    """Manifest of the folder's dataset, and the processor seconds of cleaning and of making it."""
    started = time.process_time()
    documents = cleaned_documents(folder)
    cleaned = time.process_time()
    settings = Dataset()
    assignment = assign(documents, settings)
    generated = generate(documents, assignment, settings, scrubber=Scrubber.of(Collection().scrub))
    _, _, manifest = version.build("author", generated, assignment, settings)
    made = time.process_time()
    answered = sum(sample.end - sample.start for sample in generated.samples)
    return {
        **manifest,
        "documents": {split: len(ids) for split, ids in dict[str, Any](manifest["documents"]).items()},  # type: ignore[arg-type]
        "clusters": len(assignment.clusters),
        "cleaning_seconds": round(cleaned - started, 2),
        "seconds": round(made - cleaned, 2),
        "answered_share": round(answered / sum(len(document.text) for document in documents), 3),
    }


def measure() -> list[Row]:
    """The sample author's articles."""
    found = dataset_of(SAMPLE)
    documents, samples = sum(found["documents"].values()), sum(found["samples"].values())
    return [
        Row("samples of the sample author's articles", f"{samples} of {documents} documents, {found['kinds']}"),
        Row("share of the text that is an answer", f"{found['answered_share']:.0%}", "at least 75%",
            found["answered_share"] >= 0.75),
        Row("making it / cleaning the documents, CPU", f"{found['seconds'] / found['cleaning_seconds']:.2f}"),
    ]  # fmt: skip


def main() -> None:
    """Print what a folder gives."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    found = dataset_of(arguments.folder)
    if arguments.json:
        print(json.dumps(found, indent=2, ensure_ascii=False))  # noqa: T201
        return
    for name in ("digest", "documents", "samples", "kinds", "tiers", "dropped", "decontamination", "clusters",
                 "answered_share", "cleaning_seconds", "seconds"):  # fmt: skip
        print(f"{name}: {found[name]}")  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
