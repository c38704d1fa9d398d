"""Questions to chunks: by meaning and by words, fused. Used by the service, `twin search` and evaluation."""

import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from llm_twin_assets.domain.chunk import FoundChunk
from llm_twin_assets.features.fusion import fuse as fuse
from llm_twin_assets.features.rerank import CrossEncoder, reranked
from llm_twin_assets.features.retrieve_sections import whole_sections
from llm_twin_assets.features.stop_words import STOP_WORDS
from resources.settings import Retrieval as Retrieval
from resources.vector_store import Filters, Hit, Index

_WORD = re.compile(r"\w+")
# A question of several pages is no question; Lance's BM25 slows with every term.
_MAX_TERMS = 64


class QuestionEncoder(Protocol):
    """What turns a question into a vector."""

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]: ...  # noqa: D102


class Rewriter(Protocol):
    """What says a question in other words."""

    def __call__(self, question: str) -> "Rewritten": ...  # noqa: D102


class Rewritten(Protocol):
    """What to search for in a question's stead: the texts whose mean is its meaning, and the words for BM25."""

    @property
    def meanings(self) -> Sequence[str]: ...  # noqa: D102

    @property
    def words(self) -> str: ...  # noqa: D102


def retrieve(
    index: Index,
    embedder: QuestionEncoder,
    question: str,
    k: int,
    filters: Filters = Filters(),  # noqa: B008 - frozen
    how: Retrieval = Retrieval(),  # noqa: B008 - frozen
    *,
    cross_encoder: CrossEncoder | None = None,
    rewriter: Rewriter | None = None,
) -> list[FoundChunk]:
    """The k best chunks for a question, best first; fewer where there are fewer, none for an empty question."""
    if not question.strip() or k < 1:
        return []
    how = how.model_copy(update={"candidates": max(how.candidates, k * how.per_document)})
    meanings, words = [question], question
    if rewriter is not None:
        rewritten = rewriter(question)
        meanings, words = list(rewritten.meanings), rewritten.words
    dense = _dense(index, embedder, meanings, filters, how)
    text = index.text(text_query(words), how.candidates, filters) if how.text_weight else []
    found = fuse(dense, text, how)
    if cross_encoder is not None:
        found = reranked(question, found, cross_encoder, max(how.rerank.candidates, k))
    if how.section_characters:
        # Two chunks of one section become one: look among more than k for k sections.
        spare = diverse(found, 2 * k, how.per_document)
        return whole_sections(index, spare, how.section_characters)[:k]
    return diverse(found, k, how.per_document)


def text_query(question: str) -> str:
    """The words of a question that BM25 should look for: not its stop words, unless there are no others."""
    words = list(dict.fromkeys(_WORD.findall(question.lower())))
    telling = [word for word in words if word not in STOP_WORDS]
    return " ".join((telling or words)[:_MAX_TERMS])


def diverse(found: Collection[FoundChunk], k: int, per_document: int) -> list[FoundChunk]:
    """The first k, with at most so many of one document, so that a long one does not crowd out the others."""
    return [chunk for chunk, _ in zip(_limited(found, per_document), range(k), strict=False)]


def _limited(found: Collection[FoundChunk], per_document: int) -> Iterator[FoundChunk]:
    taken: Counter[str] = Counter()
    for chunk in found:
        taken[chunk.document_id] += 1
        if taken[chunk.document_id] <= per_document:
            yield chunk


def _dense(
    index: Index, embedder: QuestionEncoder, meanings: Sequence[str], filters: Filters, how: Retrieval
) -> list[Hit]:
    if not how.dense_weight:
        return []
    vector = embedder.encode(meanings).mean(axis=0)
    return index.dense((vector / (np.linalg.norm(vector) or 1.0)).tolist(), how.candidates, filters)
