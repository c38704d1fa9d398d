"""Corpora and datasets that several tests of datasets are about."""

import random
from collections.abc import Collection, Sequence
from dataclasses import replace

from llm_twin_assets.datasets import version
from llm_twin_assets.datasets.instruct import Generated, generate
from llm_twin_assets.datasets.split import Assignment, assign
from llm_twin_assets.domain.document import CleanedDocument
from llm_twin_assets.domain.identity import Json
from llm_twin_assets.domain.scrub.scrubber import Scrubber
from llm_twin_assets_tests.conftest import cleaned
from resources.object_store import ObjectStore
from resources.settings import Dataset

_SYLLABLES = ["ka", "lo", "mi", "ne", "ru", "ta", "ve", "so", "pi", "da", "gu", "ze", "fo", "ha", "ny", "wi"]


def words(count: int, seed: str) -> str:
    """Words that nobody else says, another sequence for another seed."""
    draw = random.Random(seed)  # noqa: S311 -- nothing is to be kept secret
    return " ".join("".join(draw.choices(_SYLLABLES, k=3)) for _ in range(count))


def article(name: str, sections: int = 3, length: int = 40, **stated: object) -> CleanedDocument:
    """An article of its own words, with headings."""
    text = "\n\n".join(
        f"## {words(2, f'{name} heading {number}').title()}\n\n{words(length, f'{name} {number}').capitalize()}."
        for number in range(sections)
    )
    document = cleaned(
        name, f"{words(length, name).capitalize()}.\n\n{text}\n", title=words(3, f"{name} title").title()
    )
    return replace(document, **stated)  # type: ignore[arg-type]


def made_of(
    documents: Sequence[CleanedDocument], settings: Dataset, kinds: Collection[str] = ()
) -> tuple[Assignment, Generated]:
    """Split and samples of a corpus; `kinds` of personal data are looked for."""
    assignment = assign(documents, settings)
    return assignment, generate(documents, assignment, settings, scrubber=Scrubber.of(kinds))


def built(documents: Sequence[CleanedDocument], settings: Dataset) -> tuple[str, dict[str, bytes], dict[str, Json]]:
    """Digest, files and manifest of the version of a corpus."""
    assignment, generated = made_of(documents, settings)
    return version.build("maya", generated, assignment, settings)


def stored(objects: ObjectStore, documents: Sequence[CleanedDocument], settings: Dataset) -> version.DatasetVersion:
    """The version of a corpus, where the author's current one is found."""
    assignment, generated = made_of(documents, settings)
    digest, files, _ = version.build("maya", generated, assignment, settings)
    version.store(objects, "maya", digest, files, assignment, settings)
    return version.current(objects, "maya")
