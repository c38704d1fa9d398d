"""The steps of a search as spans, in OpenInference's attribute names."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from llm_twin_assets.domain.chunk import FoundChunk
from llm_twin_assets.inference.twin import Twin
from resources.tracing import Span, Value

_Attributes = dict[str, Value | None]
_Chunks = Sequence[FoundChunk]


class SearchSpans:
    """`features.search_steps.Steps` below a span."""

    def __init__(self, twin: Twin, span: Span) -> None:
        self._twin = twin
        self._span = span

    @contextmanager
    def rewrite(self, question: str) -> Iterator[Callable[[str], None]]:
        """The question in, what is searched for out."""
        with self._span.child("rewrite") as step:
            step.set({"openinference.span.kind": "CHAIN", "input.value": question})
            yield lambda words: step.set({"output.value": words})

    @contextmanager
    def embed(self, texts: Sequence[str]) -> Iterator[Callable[[NDArray[np.float32]], None]]:
        """The vector that is searched with, also where it was known; of several texts it is their mean."""
        with self._span.child("embed") as step:
            name = self._twin.embedding_model
            text = "\n\n".join(texts)
            one = "embedding.embeddings.0.embedding"
            step.set({"openinference.span.kind": "EMBEDDING", "embedding.model_name": name, f"{one}.text": text})
            yield lambda vector: step.set({f"{one}.vector": vector.tolist()})

    @contextmanager
    def retrieve(self, question: str) -> Iterator[Callable[[_Chunks], None]]:
        """What the index holds on it."""
        with self._span.child("retrieve") as step:
            step.set({"openinference.span.kind": "RETRIEVER", "input.value": question})
            yield lambda found: step.set(_documents("retrieval.documents", found))

    @contextmanager
    def rerank(self, question: str, found: _Chunks) -> Iterator[Callable[[_Chunks], None]]:
        """Scores before and after; the texts before stand in the step before."""
        with self._span.child("rerank") as step:
            how = self._twin.retriever.how.rerank
            asked: _Attributes = {
                "openinference.span.kind": "RERANKER",
                "reranker.query": question,
                "reranker.model_name": how.model,
                "reranker.top_k": len(found),
                "input.value": question,
            }
            step.set({**asked, **_scores("reranker.input_documents", found)})
            yield lambda best: step.set({"reranker.top_k": len(best), **_documents("reranker.output_documents", best)})


def _documents(name: str, chunks: _Chunks) -> _Attributes:
    attributes = _scores(name, chunks)
    for at, chunk in enumerate(chunks):
        attributes[f"{name}.{at}.document.content"] = chunk.text
        attributes[f"{name}.{at}.document.metadata"] = json.dumps(
            {
                "document_id": chunk.document_id,
                "title": chunk.title,
                "context": chunk.context,
                "url": chunk.url,
                "category": chunk.category,
                "platform": chunk.platform,
                "start": chunk.start,
                "end": chunk.end,
                "dense_rank": chunk.dense_rank,
                "text_rank": chunk.text_rank,
                "rerank_score": chunk.rerank_score,
            }
        )
    return attributes


def _scores(name: str, chunks: _Chunks) -> _Attributes:
    attributes: _Attributes = {}
    for at, chunk in enumerate(chunks):
        attributes[f"{name}.{at}.document.id"] = chunk.chunk_id
        attributes[f"{name}.{at}.document.score"] = float(chunk.score)
    return attributes
