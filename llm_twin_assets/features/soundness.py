"""Whether cleaned documents and their index are what they should be. Each function lists what is wrong."""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pyarrow as pa

from llm_twin_assets.domain.document import CleanedDocument, RawDocument
from llm_twin_assets.features.errors import CleaningError
from llm_twin_assets.features.index_rows import document_hash, embedding_key
from llm_twin_assets.features.retrieve import text_query
from resources.vector_store import Filters, Index

# float32 sums over some hundred dimensions.
_NORM_TOLERANCE = 1e-3


def empty_texts(documents: Sequence[CleanedDocument]) -> list[str]:
    """Documents without text or title."""
    return [each.document_id for each in documents if not each.text.strip() or not each.title.strip()]


def duplicates(ids: Sequence[str]) -> list[str]:
    """Ids that occur more than once."""
    return [each for each, times in Counter(ids).items() if times > 1]


def without_original(documents: Sequence[CleanedDocument]) -> list[str]:
    """Duplicates of a document that is not there, or that is a duplicate itself."""
    standing = {each.document_id for each in documents if each.duplicate_of is None}
    return [each.document_id for each in documents if each.duplicate_of and each.duplicate_of not in standing]


def lost(raw: Sequence[RawDocument], documents: Sequence[CleanedDocument]) -> tuple[list[str], list[str]]:
    """Raw documents that are not among the cleaned: those for no reason, and those that cannot be cleaned."""
    from llm_twin_assets.features.clean import clean

    present = {each.document_id for each in documents}
    unexplained, quarantined = [], []
    for each in raw:
        if each.document_id in present:
            continue
        try:
            clean(each)
        except CleaningError as error:
            quarantined.append(f"{each.url or each.path or each.document_id}: {error.what}")
        else:
            unexplained.append(each.document_id)
    return unexplained, quarantined


def too_long(rows: pa.Table, limit: int, count: Callable[[Sequence[str]], Sequence[int]]) -> list[str]:
    """Chunks that the model would truncate."""
    tokens = count(_column(rows, "indexed_text"))
    return [chunk for chunk, length in zip(_column(rows, "chunk_id"), tokens, strict=True) if length > limit]


def bad_vectors(rows: pa.Table, dimension: int) -> list[str]:
    """Chunks whose vector is of another length, not finite, or not a unit vector."""
    if not rows.num_rows:
        return []
    vectors = rows["vector"].combine_chunks()
    if vectors.type.list_size != dimension:
        return _column(rows, "chunk_id")
    norms = np.linalg.norm(vectors.flatten().to_numpy(zero_copy_only=False).reshape(-1, dimension), axis=1)
    wrong = ~(np.abs(norms - 1.0) <= _NORM_TOLERANCE)  # written so that NaN is wrong
    return [chunk for chunk, is_wrong in zip(_column(rows, "chunk_id"), wrong, strict=True) if is_wrong]


def foreign_vectors(rows: pa.Table, model: str) -> list[str]:
    """Chunks whose vector another model made, or made of another text."""
    return [
        row["chunk_id"]
        for row in rows.select(["chunk_id", "embedding_key", "indexed_text"]).to_pylist()
        if row["embedding_key"] != embedding_key(model, row["indexed_text"])
    ]


def not_as_documents(
    rows: pa.Table, documents: Sequence[CleanedDocument], model: str, max_tokens: int, overlap: int = 0
) -> Mapping[str, list[str]]:
    """Where index and documents differ: documents by what is wrong with their chunks."""
    expected = {each.document_id: each for each in documents}
    chunks: dict[str, list[dict[str, object]]] = defaultdict(list)
    columns = ("document_id", "document_hash", "start", "end", "text")
    for row in rows.select(list(columns)).to_pylist() if rows.num_rows else []:
        chunks[row["document_id"]].append(row)
    shared = [(expected[key], chunks[key]) for key in expected.keys() & chunks.keys()]
    return {
        "missing": sorted(expected.keys() - chunks.keys()),
        "superfluous": sorted(chunks.keys() - expected.keys()),
        "outdated": sorted(
            each.document_id
            for each, its in shared
            if {row["document_hash"] for row in its} != {document_hash(each, model, max_tokens, overlap)}
        ),
        "not covered": sorted(each.document_id for each, its in shared if not _covered(each.text, its)),
    }


def unfindable(rows: pa.Table, index: Index) -> list[str]:
    """The chunk with the most words, if full-text search does not find it by them."""
    queries = {
        chunk: text_query(text) for chunk, text in zip(_column(rows, "chunk_id"), _column(rows, "text"), strict=True)
    }
    known = max(queries, key=lambda chunk: len(queries[chunk]), default=None)
    if known is None or not queries[known]:
        return []
    category = rows["category"][0].as_py()
    hits = index.text(queries[known], 10, Filters(categories=(category,)))
    texts = {row["chunk_id"]: row["text"] for row in rows.select(["chunk_id", "text"]).to_pylist()}
    # The same words may stand in a second chunk, which is as good.
    return [] if any(hit.row["text"] == texts[known] for hit in hits) else [known]


def _covered(text: str, rows: Sequence[Mapping[str, object]]) -> bool:
    """Whether each chunk is the text at its span, and nothing but blanks is in no chunk."""
    position = 0
    for row in sorted(rows, key=lambda row: int(str(row["start"]))):
        start, end = int(str(row["start"])), int(str(row["end"]))
        if text[start:end] != row["text"] or text[position:start].strip():
            return False
        position = end
    return not text[position:].strip()


def _column(rows: pa.Table, name: str) -> list[str]:
    return list(rows[name].to_pylist()) if rows.num_rows else []
