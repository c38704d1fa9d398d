"""Is the test set sealed? Every text that training and parameter search read, against every sealed document.

The split keeps them apart, and decontamination after it. This trusts neither: it reads again what a model was made of.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from llm_twin_assets.datasets import preference_version, version
from llm_twin_assets.datasets.decontamination import Sealed, text_of
from llm_twin_assets.domain.sample import Split
from llm_twin_assets.training import hyperparameters, parameter_sets
from resources.errors import StorageError
from resources.object_store import ObjectStore

_READ = (Split.TRAIN, Split.VALIDATION)
# How a plan says that a search has found it (training/choosing.py).
_SEARCH = re.compile(r"search ([0-9a-f]{8})\b")


@dataclass(frozen=True, slots=True)
class Read:
    """A text that was read for a model, where it stands, and the document it is of, if it is of one."""

    where: str
    text: str
    document_id: str | None = None


@dataclass(frozen=True, slots=True)
class SealedDocument:
    """A document of the test set as it was sealed."""

    document_id: str
    title: str
    text: str

    @property
    def size(self) -> int:
        """In UTF-8 bytes."""
        return len(self.text.encode())


@dataclass(frozen=True, slots=True)
class Breach:
    """A text that was read and should not have been, and why not."""

    where: str
    why: str


@dataclass(frozen=True, slots=True)
class Seal:
    """What the comparison found: how many texts were read, of which files, and the breaches among them."""

    texts: int
    files: tuple[str, ...]
    breaches: tuple[Breach, ...]

    @property
    def objection(self) -> str:
        """Why no figure on this test set counts; empty if they do."""
        if not self.breaches:
            return ""
        first = self.breaches[0]
        return f"the test set is not sealed: {len(self.breaches)} texts that were trained on, {first.where} {first.why}"


def sealed_documents(objects: ObjectStore, author: str, dataset: str) -> list[SealedDocument]:
    """The test set of a dataset version."""
    rows = version.test_documents(objects, version.open_version(objects, author, dataset)).to_pylist()
    return [SealedDocument(row["document_id"], row["title"], row["text"]) for row in rows]


def seal(documents: Sequence[SealedDocument], read: Sequence[Read], max_short: float) -> Seal:
    """Neither a sealed document's id nor its words: the rule of decontamination, by 13-grams and 8-grams."""
    ids = {document.document_id for document in documents}
    sealed = Sealed.of(document.text for document in documents)
    breaches = []
    for each in read:
        if each.document_id in ids:
            breaches.append(Breach(each.where, "is of a sealed document"))
        elif reason := sealed.overlap(each.text).reason(max_short):
            breaches.append(Breach(each.where, reason))
    files = dict.fromkeys(each.where.rpartition("#")[0] for each in read)
    return Seal(len(read), tuple(files), tuple(breaches))


def read_by_training(objects: ObjectStore, author: str, tags: Mapping[str, str]) -> list[Read]:
    """Every text that went into a model version, by its tags: samples, preferences, and what its search was run on."""
    datasets = dict.fromkeys([tags["dataset_version"], *_searched_on(objects, author, tags)])
    found = [each for dataset in datasets for each in _samples(objects, author, dataset)]
    if preferences := tags.get("preference_version"):
        found += _preferences(objects, author, preferences)
    return found


def documents_read(objects: ObjectStore, author: str, dataset: str) -> set[str]:
    """Ids of the documents that a model trained on a dataset version has read; none of a version that is gone."""
    try:
        manifest = version.open_version(objects, author, dataset).manifest
    except StorageError:
        return set()
    documents = cast("Mapping[str, Sequence[str]]", manifest["documents"])
    return {key for split in _READ for key in documents[split.value]}


def _searched_on(objects: ObjectStore, author: str, tags: Mapping[str, str]) -> Iterator[str]:
    plan = hyperparameters.find(objects, author, tags.get("parameters_digest", ""))
    origins = plan.origins.values() if plan else ()
    for name in dict.fromkeys(match.group(1) for origin in origins if (match := _SEARCH.match(origin))):
        # A set is found on one author's texts and serves all: another's are not this author's sealed ones.
        found = parameter_sets.named(objects, name)
        if found and objects.find(f"datasets/{author}/{found.dataset}/manifest.json") is not None:
            yield found.dataset


def _samples(objects: ObjectStore, author: str, dataset: str) -> Iterator[Read]:
    opened = version.open_version(objects, author, dataset)
    for split in _READ:
        for row in version.samples_of(objects, opened, split).to_pylist():
            where = f"{opened.prefix}/{split.value}.parquet#{row['sample_id']}"
            yield Read(where, text_of(row["instruction"], row["answer"]), row["document_id"])


def _preferences(objects: ObjectStore, author: str, name: str) -> Iterator[Read]:
    opened = preference_version.open_version(objects, author, name)
    for pair in preference_version.pairs_of(objects, opened):
        where = f"{opened.prefix}/{pair.split.value}.parquet#{pair.pair_id}"
        yield Read(where, text_of(pair.prompt, f"{pair.chosen}\n\n{pair.rejected}"), pair.document_id)
    for thumb in preference_version.thumbs_of(objects, opened):
        yield Read(f"{opened.prefix}/thumbs.parquet#{thumb.answer_id}", text_of(thumb.prompt, thumb.completion))
