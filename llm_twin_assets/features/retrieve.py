"""Questions to chunks: by meaning and by words, fused. Used by the service, `twin search` and evaluation."""

import logging
import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from llm_twin_assets.domain.chunk import FoundChunk
from llm_twin_assets.features.fusion import fuse as fuse
from llm_twin_assets.features.rerank import CrossEncoder, reranked
from llm_twin_assets.features.retrieve_sections import whole_sections
from llm_twin_assets.features.search_steps import Steps, Unwatched
from llm_twin_assets.features.stop_words import STOP_WORDS
from resources.errors import TwinError
from resources.identifiers import with_parts
from resources.settings import Retrieval as Retrieval
from resources.vector_store import Filters, Hit, Index

_LOG = logging.getLogger(__name__)

_WORD = re.compile(r"\w+")
# A question of several pages is no question; Lance's BM25 slows with every term.
_MAX_TERMS = 64
# Searches by words at once; beside a busy machine's own number more would only wait inside the index.
_BESIDE = 4


class QuestionEncoder(Protocol):
    """What turns a question into a vector."""

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]: ...  # noqa: D102


@runtime_checkable
class Reader(Protocol):
    """An embedding model that knows what it cannot read."""

    def familiarity(self, text: str) -> float: ...  # noqa: D102


class Rewriter(Protocol):
    """What says a question in other words."""

    def __call__(self, question: str) -> "Rewritten": ...  # noqa: D102


class Rewritten(Protocol):
    """What to search for in a question's stead: the texts whose mean is its meaning, and the words for BM25."""

    @property
    def meanings(self) -> Sequence[str]: ...  # noqa: D102

    @property
    def words(self) -> str: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Retrieved:
    """What was found, best first; `lacking` says which parts of the search failed, and why."""

    chunks: tuple[FoundChunk, ...] = ()
    lacking: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Retriever:
    """Everything that a search needs, opened: one for the service, batch, evaluation and `twin search` alike.

    `lacking` names what the configuration asks for and could not be had; every search passes it on. Threads that search
    `beside` the one that asks end with it.
    """

    index: Index
    embedder: QuestionEncoder
    how: Retrieval = field(default_factory=Retrieval)
    cross_encoder: CrossEncoder | None = None
    rewriter: Rewriter | None = None
    lacking: tuple[str, ...] = ()
    beside: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(_BESIDE, "search-words"), repr=False)

    def find(
        self,
        question: str,
        k: int,
        filters: Filters = Filters(),  # noqa: B008 - frozen
        steps: Steps = Unwatched(),  # noqa: B008 - has no state
    ) -> Retrieved:
        """The k best chunks for a question; fewer where there are fewer, none for an empty question.

        A rewriter, an embedding model or a cross-encoder that fails costs quality and no answer (DESIGN.md §1.4).
        """
        if not question.strip() or k < 1:
            return Retrieved()
        how = self.how.model_copy(update={"candidates": max(self.how.candidates, k * self.how.per_document)})
        lacking = list(self.lacking)
        meanings, words = self._said(question, lacking, steps)
        # Words need no vector: the index looks for them while the model reads the question.
        text = self.beside.submit(self._by_words, words, how, filters)
        vector = self._vector(meanings, lacking, steps)
        with steps.retrieve(words) as told:
            dense = self.index.dense(vector.tolist(), how.candidates, filters) if vector is not None else []
            found = fuse(dense, text.result(), _weighed(how, self.embedder, question))
            if self.cross_encoder is None:
                found = _finished(self.index, found, k, how)
            told(found[: self._read(k)])
        if self.cross_encoder is not None:
            found = self._reranked(self.cross_encoder, question, found, k, lacking, steps)
        return Retrieved(tuple(found), tuple(lacking))

    def _by_words(self, words: str, how: Retrieval, filters: Filters) -> list[Hit]:
        return self.index.text(text_query(words), how.candidates, filters) if how.text_weight else []

    def _said(self, question: str, lacking: list[str], steps: Steps) -> tuple[Sequence[str], str]:
        """The texts whose mean is the meaning to search for, and the words."""
        if self.rewriter is None:
            return [question], question
        try:
            with steps.rewrite(question) as told:
                rewritten = self.rewriter(question)
                told(rewritten.words)
        except TwinError as error:
            lacking.append(_failed("query rewriting", error))
            return [question], question
        return rewritten.meanings, rewritten.words

    def _vector(self, meanings: Sequence[str], lacking: list[str], steps: Steps) -> NDArray[np.float32] | None:
        """The direction to search in; None where there is no search by meaning."""
        if not self.how.dense_weight:
            return None
        try:
            with steps.embed(meanings) as told:
                mean = self.embedder.encode(meanings).mean(axis=0)
                vector: NDArray[np.float32] = mean / (np.linalg.norm(mean) or 1.0)
                told(vector)
                return vector
        except TwinError as error:
            if not self.how.text_weight:
                raise
            lacking.append(_failed("search by meaning", error))
            return None

    def _reranked(
        self,
        cross_encoder: CrossEncoder,
        question: str,
        found: list[FoundChunk],
        k: int,
        lacking: list[str],
        steps: Steps,
    ) -> list[FoundChunk]:
        try:
            with steps.rerank(question, found[: self._read(k)]) as told:
                best = _finished(self.index, reranked(question, found, cross_encoder, self._read(k)), k, self.how)
                told(best)
                return best
        # RuntimeError: what torch raises for a model that does not fit into memory or is not what it says.
        except (TwinError, RuntimeError) as error:
            lacking.append(_failed("reranking", error))
            return _finished(self.index, found, k, self.how)

    def _read(self, k: int) -> int:
        """How many of what was found a cross-encoder reads."""
        return max(self.how.rerank.candidates, k)


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
    """`Retriever.find`, for whoever searches once and does not ask what was lacking."""
    return list(Retriever(index, embedder, how, cross_encoder, rewriter).find(question, k, filters).chunks)


def text_query(question: str) -> str:
    """The words of a question that BM25 should look for: not its stop words, unless there are no others."""
    words = list(dict.fromkeys(_WORD.findall(with_parts(question).lower())))
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


def _weighed(how: Retrieval, embedder: QuestionEncoder, question: str) -> Retrieval:
    """The weight of meaning by how much of the question the model can read, squared; words count as they did.

    A model trained on English alone places other languages by the letters they share. Measured on 14 sets
    (docs/search.md): without it, fusion lost to BM25 on Japanese by .06 nDCG@10, and by .02 on French.
    """
    if not isinstance(embedder, Reader) or not how.text_weight:
        return how
    return how.model_copy(update={"dense_weight": how.dense_weight * embedder.familiarity(question) ** 2})


def _finished(index: Index, found: Sequence[FoundChunk], k: int, how: Retrieval) -> list[FoundChunk]:
    if not how.section_characters:
        return diverse(found, k, how.per_document)
    # Two chunks of one section become one: look among more than k for k sections.
    spare = diverse(found, 2 * k, how.per_document)
    return whole_sections(index, spare, how.section_characters)[:k]


def _failed(part: str, error: Exception) -> str:
    # What a model or a store says of itself may name a host or quote the question: that is for the log.
    _LOG.warning("%s failed, the search goes on without it: %s", part, error)
    return f"{part} failed"
