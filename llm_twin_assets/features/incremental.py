"""Cleaning and embedding of one author's category, at a cost that follows change. No Dagster here."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pyarrow as pa

from llm_twin_assets.domain.document import Category, CleanedDocument, RawDocument
from llm_twin_assets.domain.identity import digest, digest_of_set
from llm_twin_assets.features.boilerplate import rules_of, without_boilerplate
from llm_twin_assets.features.embed import Embedded, Encoder, Plan, Progress, Spool, embed, plan, silent
from llm_twin_assets.features.errors import CleaningError
from llm_twin_assets.features.index_rows import contents_digest, snapshot_name
from llm_twin_assets.features.near_duplicates import duplicates, signature
from llm_twin_assets.features.quality import quality_flags
from resources.vector_store import VectorStore

if TYPE_CHECKING:
    from llm_twin_assets.features.extract import Backend


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A raw document that could not be cleaned, and why."""

    document_id: str
    place: str
    reason: str


@dataclass(frozen=True, slots=True)
class Cleaned:
    """All cleaned documents of a category, which of them were cleaned now, and which could not be."""

    documents: tuple[CleanedDocument, ...]
    cleaned: int
    quarantined: tuple[Quarantined, ...]

    @property
    def reused(self) -> int:
        """How many documents are as they were cleaned earlier."""
        return len(self.documents) - self.cleaned


def clean_changed(
    raw: Sequence[RawDocument], before: Sequence[CleanedDocument], backend: "Backend" = "cascade"
) -> Cleaned:
    """Clean what is new or changed, or was cleaned by other rules; keep the rest.

    A document that cannot be cleaned any more stays as it was cleaned last, and is quarantined each time.
    """
    # Imported here: lxml and all that extraction draws in are no matter of loading the code location.
    from llm_twin_assets.features.clean import clean, cleaner

    done = {document.document_id: document for document in before}
    documents: list[CleanedDocument] = []
    quarantined: list[Quarantined] = []
    fresh: set[str] = set()
    for each in raw:
        earlier = done.get(each.document_id)
        if earlier and (earlier.raw_hash, rules_of(earlier.cleaner)) == (each.content_hash, cleaner(backend)):
            documents.append(earlier)
            continue
        try:
            documents.append(clean(each, backend))
            fresh.add(each.document_id)
        except CleaningError as error:
            quarantined.append(Quarantined(each.document_id, each.url or each.path or each.title or "", error.what))
            documents += [earlier] if earlier else []
    given = {each.document_id: each for each in raw}
    settled = without_boilerplate(documents, fresh, lambda document: clean(given[document], backend))
    fresh.update(now.document_id for now, earlier in zip(settled, documents, strict=True) if now is not earlier)
    return Cleaned(_judged(settled, done), len(fresh), tuple(quarantined))


def _judged(documents: Sequence[CleanedDocument], before: Mapping[str, CleanedDocument]) -> tuple[CleanedDocument, ...]:
    """Documents with their flags, and with those marked that say what another one says.

    A text is judged once. Duplicates are looked for if any document came, went or changed, among all of them.
    """
    if len(documents) == len(before) and all(each is before.get(each.document_id) for each in documents):
        return tuple(documents)
    judged = [_flagged(each, before.get(each.document_id)) for each in documents]
    found = duplicates(judged)
    return tuple(
        each if each.duplicate_of == (of := found.get(each.document_id)) else replace(each, duplicate_of=of)
        for each in judged
    )


def _flagged(document: CleanedDocument, earlier: CleanedDocument | None) -> CleanedDocument:
    told_by = (document.content_hash, document.cleaner)
    if earlier and (earlier.content_hash, earlier.cleaner) == told_by:
        return replace(document, flags=earlier.flags, signature=earlier.signature, duplicate_of=earlier.duplicate_of)
    return replace(document, flags=quality_flags(document.text, document.category), signature=signature(document))


def documents_digest(documents: Sequence[CleanedDocument]) -> str:
    """Digest of what later stages use of cleaned documents: the data version of a cleaned asset."""
    return digest_of_set(
        digest(
            [
                each.document_id,
                each.content_hash,
                each.title,
                each.url,
                each.language,
                each.published_at.isoformat() if each.published_at else None,
                each.tags,
                each.flags,
                each.duplicate_of,
            ]
        )
        for each in documents
    )


@dataclass(frozen=True, slots=True)
class Indexed:
    """What bringing the index up to date did. `snapshot` is None for an author who has nothing in any category."""

    plan: Plan
    embedded: Embedded
    snapshot: str | None
    chunks: int
    data_version: str
    seconds: float


def index_changed(
    author: str,
    category: Category,
    documents: Sequence[CleanedDocument],
    store: VectorStore,
    encoder: Encoder,
    max_tokens: int,
    progress: Progress = silent,
    spool: Spool | None = None,
    overlap: int = 0,
) -> Indexed:
    """Embed what changed, write it in one commit, publish the author's table under the name of its contents.

    One commit however long encoding takes: readers of the head never see half a corpus. What a killed run had encoded
    is in the `spool`, which is emptied once the commit has it.
    """
    started = time.monotonic()
    todo = plan(documents, store.document_hashes(author, category.value), encoder.digest, max_tokens, overlap)
    embedded = embed(
        todo.fresh, encoder, max_tokens, lambda keys: store.vectors(author, keys), progress, spool, overlap
    )
    if embedded.chunks or todo.replaced:
        store.write(author, embedded.rows, todo.replaced)
    if spool:
        spool.clear()
    contents = store.contents(author)
    return Indexed(
        plan=todo,
        embedded=embedded,
        snapshot=_published(author, contents, store, encoder),
        chunks=contents["category"].to_pylist().count(category.value),
        data_version=contents_digest(contents, category.value),
        seconds=time.monotonic() - started,
    )


def current_snapshot(author: str, store: VectorStore, encoder: Encoder) -> str | None:
    """Name of the snapshot that the head is, None if nothing was ever embedded. This is what a release takes."""
    contents = store.contents(author)
    return snapshot_name(contents, encoder.digest) if contents.num_rows else None


def _published(author: str, contents: pa.Table, store: VectorStore, encoder: Encoder) -> str | None:
    if not contents.num_rows:
        return None
    return store.publish_as(author, lambda head: snapshot_name(head, encoder.digest))
