"""From cleaned documents to a stored dataset version; what was made of the same before is not made again."""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path

from llm_twin_assets.datasets import version
from llm_twin_assets.datasets.instruct import generate
from llm_twin_assets.datasets.split import assign
from llm_twin_assets.datasets.teacher_lessons import consulted
from llm_twin_assets.datasets.version import DatasetVersion
from llm_twin_assets.domain.document import CleanedDocument
from llm_twin_assets.domain.identity import Json, digest, digest_of_set
from llm_twin_assets.domain.scrub.scrubber import Scrubber
from resources.object_store import ObjectStore
from resources.settings import Settings

# What says nothing that the content hash does not, and does not change a sample.
_UNREAD = ("text", "signature", "raw_hash", "cleaner")


@dataclass(frozen=True, slots=True)
class Made:
    """A dataset version, whether it is new, and what the teacher did for it."""

    version: DatasetVersion
    is_new: bool
    teacher: dict[str, Json] = field(default_factory=dict)


def bring_up_to_date(
    author: str, documents: Sequence[CleanedDocument], objects: ObjectStore, settings: Settings
) -> Made:
    """The version that these documents and settings make. Nothing is made if the current one came of the very same."""
    recipe = recipe_of(author, documents, settings)
    if made := version.made_by(objects, author, recipe):
        return Made(made, is_new=False)
    assignment = assign(documents, settings.dataset, version.sealed_before(objects, author, settings.dataset))
    scrubber = Scrubber.of(settings.collection.scrub, settings.author(author).public)
    taught, teacher = consulted(author, documents, assignment.splits, settings, scrubber, objects)
    generated = generate(
        documents, assignment, settings.dataset, scrubber=scrubber, further=taught.drafts, refused=taught.refused
    )
    name, files, _ = version.build(author, generated, assignment, settings.dataset)
    version.store(objects, author, name, files, assignment, settings.dataset, recipe)
    return Made(version.current(objects, author), is_new=True, teacher=teacher)


def recipe_of(author: str, documents: Sequence[CleanedDocument], settings: Settings) -> str:
    """Digest of all that a version depends on: documents, settings, and the code that makes it."""
    return digest(
        {
            "documents": digest_of_set(digest(_read(each)) for each in documents),
            "dataset": settings.dataset.model_dump(mode="json"),
            "teacher": settings.teacher.model_dump(mode="json") if settings.teacher else None,
            "scrub": list(settings.collection.scrub),
            "public": list(settings.author(author).public),
            "code": _code(),
        }
    )


def _read(document: CleanedDocument) -> dict[str, Json]:
    row = {name: value for name, value in asdict(document).items() if name not in _UNREAD}
    return {**row, "published_at": document.published_at and document.published_at.isoformat()}


@cache
def _code() -> str:
    """Digest of this package: other rules make another version of the same documents."""
    files = sorted(Path(__file__).parent.glob("*.py"))
    return digest({file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files})
