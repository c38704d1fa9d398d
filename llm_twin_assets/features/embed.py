"""Cleaned documents to rows of the index, at a cost that follows change.

A document is chunked only if it changed; a text is encoded only if this model never encoded it for this author.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from llm_twin_assets.domain.document import CleanedDocument
from llm_twin_assets.features.chunk import chunk_document
from llm_twin_assets.features.index_rows import document_hash, embedding_key, row_of, table_of
from resources.errors import ConfigurationError, EmbeddingError

# Texts that go to the model in one call, between two reports of progress; the model batches them further.
_CALL = 256

Progress = Callable[[int, int], None]


def silent(done: int, total: int) -> None:
    """Report nothing."""


class Spool(Protocol):
    """Where vectors wait for their snapshot, so that a run that is killed is gone on with."""

    def find(self, keys: Collection[str]) -> Mapping[str, NDArray[np.float32]]: ...  # noqa: D102

    def add(self, keys: Sequence[str], vectors: NDArray[np.float32]) -> None: ...  # noqa: D102

    def clear(self) -> None: ...  # noqa: D102


class Encoder(Protocol):
    """The part of an embedding model that embedding needs."""

    @property
    def digest(self) -> str: ...  # noqa: D102

    @property
    def dimension(self) -> int: ...  # noqa: D102

    @property
    def max_tokens(self) -> int: ...  # noqa: D102

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]: ...  # noqa: D102

    def token_count(self, text: str) -> int: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Plan:
    """What has to be done to bring an index up to date with its documents."""

    new: tuple[CleanedDocument, ...]
    changed: tuple[CleanedDocument, ...]
    unchanged: int
    removed: tuple[str, ...]

    @property
    def fresh(self) -> tuple[CleanedDocument, ...]:
        """Documents to be chunked."""
        return self.new + self.changed

    @property
    def replaced(self) -> tuple[str, ...]:
        """Ids of documents whose chunks in the index are not the right ones any more."""
        return (*(document.document_id for document in self.changed), *self.removed)


def plan(
    documents: Sequence[CleanedDocument], indexed: Mapping[str, str], model: str, max_tokens: int, overlap: int = 0
) -> Plan:
    """Compare documents with the index's `document_hashes`; `model` is the embedder's digest."""
    new = tuple(document for document in documents if document.document_id not in indexed)
    known = [document for document in documents if document.document_id in indexed]
    changed = tuple(
        each for each in known if indexed[each.document_id] != document_hash(each, model, max_tokens, overlap)
    )
    present = {document.document_id for document in documents}
    return Plan(new, changed, len(known) - len(changed), tuple(sorted(indexed.keys() - present)))


@dataclass(frozen=True, slots=True)
class Embedded:
    """Rows for the index, and what they cost."""

    rows: pa.Table
    chunks: int
    encoded: int

    @property
    def reused(self) -> int:
        """Chunks whose vector was there already."""
        return self.chunks - self.encoded


def embed(
    documents: Sequence[CleanedDocument],
    encoder: Encoder,
    max_tokens: int,
    known: Callable[[Collection[str]], Mapping[str, Sequence[float] | NDArray[np.float32]]],
    progress: Progress = silent,
    spool: Spool | None = None,
    overlap: int = 0,
) -> Embedded:
    """Chunk the documents and encode what `known` (embedding keys to vectors) does not return.

    Each slice goes to the `spool` as soon as it is encoded, and what an earlier run left there is not encoded again.
    Raises `EmbeddingError` for vectors that are of another dimension than the model says, or not finite.
    """
    if max_tokens > encoder.max_tokens:
        raise ConfigurationError(
            f"chunking.max_tokens is {max_tokens} but the embedding model reads {encoder.max_tokens} tokens at most",
            where="twin.yaml: chunking.max_tokens",
            mend=f"Set it to {encoder.max_tokens} or less, or choose a model that reads more.",
        )
    chunks = [
        (document, chunk)
        for document in documents
        for chunk in chunk_document(document, encoder.token_count, max_tokens, overlap)
    ]
    keys = [embedding_key(encoder.digest, chunk.embedded_text) for _, chunk in chunks]
    texts = {key: chunk.embedded_text for key, (_, chunk) in zip(keys, chunks, strict=True)}
    vectors: dict[str, Sequence[float] | NDArray[np.float32]] = dict(known(texts.keys()))
    if spool:
        vectors.update(spool.find(texts.keys() - vectors.keys()))
    missing = {key: text for key, text in texts.items() if key not in vectors}
    for some, found in _encoded(missing, encoder, progress):
        if spool:
            spool.add(some, found)
        vectors.update(zip(some, found, strict=True))
    model = encoder.digest
    hashes = {each.document_id: document_hash(each, model, max_tokens, overlap) for each in documents}
    rows = [
        {
            **row_of(document, chunk),
            "document_hash": hashes[document.document_id],
            "embedding_key": key,
            "tokens": encoder.token_count(chunk.embedded_text),
        }
        for (document, chunk), key in zip(chunks, keys, strict=True)
    ]
    return Embedded(
        rows=table_of(rows, [vectors[key] for key in keys], encoder.dimension),
        chunks=len(chunks),
        encoded=len(missing),
    )


def _encoded(
    texts: Mapping[str, str], encoder: Encoder, progress: Progress
) -> Iterator[tuple[list[str], NDArray[np.float32]]]:
    """Keys and vectors by slices. Longest first: batches are padded to their longest, and memory peaks at once."""
    keys = sorted(texts, key=lambda key: (-len(texts[key]), key))
    for start in range(0, len(keys), _CALL):
        some = keys[start : start + _CALL]
        yield some, _sound(encoder.encode([texts[key] for key in some]), len(some), encoder.dimension)
        progress(start + len(some), len(keys))


def _sound(vectors: NDArray[np.float32], texts: int, dimension: int) -> NDArray[np.float32]:
    if vectors.shape != (texts, dimension):
        raise EmbeddingError(f"the embedding model made {vectors.shape} of {texts} texts, not ({texts}, {dimension})")
    if bad := int(np.sum(~np.isfinite(vectors).all(axis=1))):
        raise EmbeddingError(f"{bad} of {texts} vectors hold NaN or infinity", mend="Nothing of them was written.")
    return vectors
