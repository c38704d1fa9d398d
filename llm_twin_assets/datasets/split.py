"""Which documents are for training and which are sealed; decided before a single sample is made.

Six properties, for a given seed and shares:

- A document of its own kind is placed by a hash of its identity: on any machine, whatever else there is.
- Documents that say nearly the same are one cluster, and a cluster lies where the most sealed of its members would by
  itself. So when documents come, a cluster grows or two become one, and what was sealed stays sealed: without any
  memory, this is the only rule that can promise it, since each member may have been the first.
- A commit lies in train: it says again what files say, so sealing it would take samples of these files away, and to
  predict a diff is no measure of how an author writes. What it shares with sealed files goes by decontamination.
- A correction of an answer lies in train, too: the author gave it to be learnt, and what it repeats of sealed documents
  goes by decontamination.
- Where the hash seals too few documents to compare models with, others are sealed besides, at most half of all.
- What is sealed for its neighbours' sake or for lack of others is remembered beside the current version: it stays so
  when they are edited or removed, or others come.
"""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from llm_twin_assets.datasets.near_duplicates import clusters, join, members, signature
from llm_twin_assets.domain.document import CleanedDocument
from llm_twin_assets.domain.sample import Split
from resources.settings import Dataset


@dataclass(frozen=True, slots=True)
class Assignment:
    """The split of every document.

    `clusters` are the near-duplicates, two ids and more each; `sealed` the ids that are sealed for good although their
    own hash would not have them so.
    """

    splits: dict[str, Split]
    clusters: tuple[tuple[str, ...], ...] = ()
    sealed: frozenset[str] = frozenset()


def split_of(document_id: str, settings: Dataset) -> Split:
    """Where a document lies by itself: a hash of its identity and the seed, and of nothing else."""
    position = _position(document_id, settings)
    if position < settings.test_share:
        return Split.TEST
    if position < settings.test_share + settings.validation_share:
        return Split.VALIDATION
    return Split.TRAIN


def assign(
    documents: Sequence[CleanedDocument], settings: Dataset, sealed_before: Collection[str] = frozenset()
) -> Assignment:
    """Split documents by cluster; those that are duplicates of others belong in it, too.

    `sealed_before` is what an earlier version says is sealed; give none where seed or shares were others.
    """
    written = [document for document in documents if not _is_for_training(document)]
    ids = sorted(document.document_id for document in written)
    splits = {each: Split.TEST if each in sealed_before else split_of(each, settings) for each in ids}
    found = _clusters(written, settings)
    for cluster in found:
        strictest = min((splits[each] for each in cluster), key=lambda split: split.rank)
        splits.update(dict.fromkeys(cluster, strictest))
    counted = {each.document_id for each in written if _counts(each, settings)}
    by_turns = sorted(ids, key=lambda each: _position(each, settings), reverse=True)
    for split, least in ((Split.TEST, settings.min_test_documents), (Split.VALIDATION, 1)):
        _fill(split, least, splits, [each for each in by_turns if each in counted], found)
    besides = {each for each in ids if splits[each] is Split.TEST and split_of(each, settings) is not Split.TEST}
    splits.update({document.document_id: Split.TRAIN for document in documents if _is_for_training(document)})
    return Assignment(splits, found, frozenset(besides | set(sealed_before)))


def _is_for_training(document: CleanedDocument) -> bool:
    return document.is_commit or document.is_correction


def _position(document_id: str, settings: Dataset) -> float:
    """From 0 to 1, evenly."""
    sha = hashlib.sha256(f"{settings.seed}\n{document_id}".encode()).digest()
    return int.from_bytes(sha[:8], "big") / 2**64


def _counts(document: CleanedDocument, settings: Dataset) -> bool:
    """Whether a document is one to compare models with."""
    return document.duplicate_of is None and not set(document.flags) & set(settings.exclude_flags)


def _fill(
    split: Split, least: int, splits: dict[str, Split], candidates: Sequence[str], together: Sequence[Sequence[str]]
) -> None:
    """Move documents with their clusters from train into a split that has too few; half of all stay in train."""
    clustered = {each: cluster for cluster in together for each in cluster}
    lacking = least - sum(splits[each] is split for each in candidates)
    room = len(candidates) // 2 - sum(splits[each] is not Split.TRAIN for each in candidates)
    counted = set(candidates)
    for each in candidates:
        cluster = clustered.get(each, (each,))
        size = len(counted.intersection(cluster))
        if lacking > 0 and splits[each] is Split.TRAIN and size <= room:
            splits.update(dict.fromkeys(cluster, split))
            lacking, room = lacking - size, room - size


def _clusters(documents: Sequence[CleanedDocument], settings: Dataset) -> tuple[tuple[str, ...], ...]:
    labels = clusters([signature(document.text) for document in documents], settings.near_duplicate)
    places = {document.document_id: place for place, document in enumerate(documents)}
    for place, document in enumerate(documents):
        if document.duplicate_of in places:
            join(labels, place, places[document.duplicate_of])
    return tuple(sorted(tuple(sorted(documents[place].document_id for place in each)) for each in members(labels)))
