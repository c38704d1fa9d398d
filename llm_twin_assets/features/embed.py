"""Cleaned documents to rows of the index, at a cost that follows change.

A document is chunked only if it changed; a text is encoded only if this model never encoded it for this author.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from llm_twin_assets.domain.chunk import Chunk
from llm_twin_assets.domain.document import CleanedDocument
from llm_twin_assets.domain.identity import digest, digest_of_set
from llm_twin_assets.features.chunk import chunk_document, chunking_digest
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


def document_hash(document: CleanedDocument, model: str, max_tokens: int, overlap: int = 0) -> str:
    """Digest of all that a document's rows are made from: its text, what is shown with it, chunking and model."""
    published = document.published_at.isoformat() if document.published_at else None
    return digest(
        {
            "text": document.content_hash,
            "shown": [document.title, document.platform, document.url, document.repository, document.path, published],
            "filtered": [_language(document), _tags(document)],
            "chunking": chunking_digest(max_tokens, overlap),
            "model": model,
        }
    )


def embedding_key(model: str, text: str) -> str:
    """Identity of a vector: which model made it of which text."""
    return digest([model, text])


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
            **_row(document, chunk),
            "document_hash": hashes[document.document_id],
            "embedding_key": key,
            "tokens": encoder.token_count(chunk.embedded_text),
        }
        for (document, chunk), key in zip(chunks, keys, strict=True)
    ]
    return Embedded(
        rows=_table(rows, [vectors[key] for key in keys], encoder.dimension),
        chunks=len(chunks),
        encoded=len(missing),
    )


def snapshot_name(contents: pa.Table, model: str) -> str:
    """Name of a snapshot: digest of every chunk, of what its document was embedded from, and of the model.

    `contents` as `VectorStore.contents` gives them; the same contents have the same name on every machine.
    """
    pairs = zip(contents["chunk_id"].to_pylist(), contents["document_hash"].to_pylist(), strict=True)
    return f"snapshot-{digest([model, digest_of_set(f'{chunk} {document}' for chunk, document in pairs)])[:12]}"


def contents_digest(contents: pa.Table, category: str) -> str:
    """Digest of one category's chunks: the data version of its asset."""
    rows = zip(*(contents[name].to_pylist() for name in ("chunk_id", "document_hash", "category")), strict=True)
    return digest_of_set(f"{chunk} {document}" for chunk, document, kind in rows if kind == category)


def rows_schema(dimension: int) -> pa.Schema:
    """Columns of the index."""
    text = ("chunk_id", "document_id", "document_hash", "embedding_key", "category", "platform")
    return pa.schema(
        [
            *(pa.field(name, pa.string(), nullable=False) for name in text),
            pa.field("url", pa.string()),
            *(pa.field(name, pa.string(), nullable=False) for name in ("title", "context", "text", "indexed_text")),
            *(pa.field(name, pa.int64(), nullable=False) for name in ("start", "end", "ordinal", "tokens")),
            pa.field("published_at", pa.timestamp("us", tz="UTC")),
            pa.field("language", pa.string()),
            pa.field("tags", pa.list_(pa.string())),
            pa.field("vector", pa.list_(pa.float32(), dimension), nullable=False),
        ]
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


def _row(document: CleanedDocument, chunk: Chunk) -> dict[str, object]:
    return {
        "chunk_id": chunk.chunk_id,
        "document_id": chunk.document_id,
        "category": document.category.value,
        "platform": document.platform,
        "url": document.url,
        "title": document.title,
        "context": chunk.context,
        "text": chunk.text,
        "indexed_text": chunk.embedded_text,
        "start": chunk.start,
        "end": chunk.end,
        "ordinal": chunk.ordinal,
        "published_at": document.published_at,
        "language": _language(document),
        "tags": _tags(document),
    }


def _language(document: CleanedDocument) -> str | None:
    """What a search is narrowed to: the natural language of prose, the programming language of code."""
    return document.language or document.code_language


def _tags(document: CleanedDocument) -> list[str]:
    return sorted({tag.lower() for tag in document.tags})


def _table(
    rows: Sequence[dict[str, object]], vectors: Sequence[Sequence[float] | NDArray[np.float32]], dimension: int
) -> pa.Table:
    schema = rows_schema(dimension)
    flat = np.asarray(vectors, dtype=np.float32).reshape(-1)
    plain = pa.Table.from_pylist(list(rows), schema=pa.schema([field for field in schema if field.name != "vector"]))
    column = pa.FixedSizeListArray.from_arrays(pa.array(flat, pa.float32()), dimension)
    return pa.Table.from_arrays([*plain.columns, column], schema=schema)
