"""Rows of the index, and the digests that name them: of a document's rows, of a category's, of a snapshot."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from llm_twin_assets.domain.chunk import Chunk
from llm_twin_assets.domain.document import CleanedDocument
from llm_twin_assets.domain.identity import digest, digest_of_set
from llm_twin_assets.features.chunk import chunking_digest


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


def row_of(document: CleanedDocument, chunk: Chunk) -> dict[str, object]:
    """What the index holds of a chunk beside its vector and what that was made from."""
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


def table_of(
    rows: Sequence[dict[str, object]], vectors: Sequence[Sequence[float] | NDArray[np.float32]], dimension: int
) -> pa.Table:
    """Rows and their vectors, in the same order, as a table of `rows_schema`."""
    schema = rows_schema(dimension)
    flat = np.asarray(vectors, dtype=np.float32).reshape(-1)
    plain = pa.Table.from_pylist(list(rows), schema=pa.schema([field for field in schema if field.name != "vector"]))
    column = pa.FixedSizeListArray.from_arrays(pa.array(flat, pa.float32()), dimension)
    return pa.Table.from_arrays([*plain.columns, column], schema=schema)
