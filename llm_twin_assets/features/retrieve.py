"""Questions to chunks: vectors and BM25, fused by rank. Used by the service, `twin search` and evaluation."""

import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from llm_twin_assets.domain.chunk import FoundChunk
from llm_twin_assets.features.stop_words import STOP_WORDS
from resources.vector_store import Filters, Hit, Index

_WORD = re.compile(r"\w+")
# A question of several pages is no question; Lance's BM25 slows with every term.
_MAX_TERMS = 64


class QuestionEncoder(Protocol):
    """What turns a question into a vector."""

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Retrieval:
    """How the two lists are made and fused.

    `rank_constant` is the k of reciprocal rank fusion: 60, as in Cormack, Clarke and Büttcher (SIGIR 2009).
    """

    candidates: int = 40
    rank_constant: int = 60
    dense_weight: float = 1.0
    text_weight: float = 1.0
    per_document: int = 3


def retrieve(
    index: Index,
    embedder: QuestionEncoder,
    question: str,
    k: int,
    filters: Filters = Filters(),  # noqa: B008 - frozen
    how: Retrieval = Retrieval(),
) -> list[FoundChunk]:
    """The k best chunks for a question, best first; fewer where there are fewer, none for an empty question."""
    if not question.strip() or k < 1:
        return []
    candidates = max(how.candidates, k * how.per_document)
    dense = index.dense(embedder.encode([question])[0].tolist(), candidates, filters)
    text = index.text(text_query(question), candidates, filters)
    return diverse(fuse(dense, text, how), k, how.per_document)


def text_query(question: str) -> str:
    """The words of a question that BM25 should look for: not its stop words, unless there are no others."""
    words = list(dict.fromkeys(_WORD.findall(question.lower())))
    telling = [word for word in words if word not in STOP_WORDS]
    return " ".join((telling or words)[:_MAX_TERMS])


def fuse(dense: Sequence[Hit], text: Sequence[Hit], how: Retrieval = Retrieval()) -> list[FoundChunk]:
    """Both lists as one, by weighted reciprocal rank; each chunk keeps its rank (from 1) in either."""
    dense_ranks, text_ranks = _ranks(dense), _ranks(text)
    rows = {str(hit.row["chunk_id"]): hit.row for hit in (*text, *dense)}
    found = [
        FoundChunk(
            chunk_id=chunk,
            document_id=row["document_id"],
            category=row["category"],
            platform=row["platform"],
            url=row["url"],
            title=row["title"],
            context=row["context"],
            start=row["start"],
            end=row["end"],
            text=row["text"],
            score=_score(dense_ranks.get(chunk), how.dense_weight, how)
            + _score(text_ranks.get(chunk), how.text_weight, how),
            dense_rank=dense_ranks.get(chunk),
            text_rank=text_ranks.get(chunk),
        )
        for chunk, row in rows.items()
    ]
    return sorted(found, key=lambda each: (-each.score, each.dense_rank or len(rows) + 1, each.chunk_id))


def diverse(found: Collection[FoundChunk], k: int, per_document: int) -> list[FoundChunk]:
    """The first k, with at most so many of one document, so that a long one does not crowd out the others."""
    return [chunk for chunk, _ in zip(_limited(found, per_document), range(k), strict=False)]


def _limited(found: Collection[FoundChunk], per_document: int) -> Iterator[FoundChunk]:
    taken: Counter[str] = Counter()
    for chunk in found:
        taken[chunk.document_id] += 1
        if taken[chunk.document_id] <= per_document:
            yield chunk


def _ranks(hits: Sequence[Hit]) -> dict[str, int]:
    return {str(hit.row["chunk_id"]): rank for rank, hit in enumerate(hits, start=1)}


def _score(rank: int | None, weight: float, how: Retrieval) -> float:
    return weight / (how.rank_constant + rank) if rank else 0.0
