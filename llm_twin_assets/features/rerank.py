"""The best of a fused list in a new order, by a cross-encoder that reads question and chunk together."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from llm_twin_assets.domain.chunk import FoundChunk
from resources.errors import EmbeddingError


class CrossEncoder(Protocol):
    """What scores pairs of texts; higher is better."""

    def scores(self, question: str, texts: Sequence[str]) -> NDArray[np.float32]: ...  # noqa: D102


def reranked(
    question: str, found: Sequence[FoundChunk], cross_encoder: CrossEncoder, candidates: int
) -> list[FoundChunk]:
    """The first `candidates` by the cross-encoder's score, then the others as they were.

    A chunk is read as it was embedded, its context first. Equal scores keep the order they had.
    Raises `EmbeddingError` for scores that are none.
    """
    first, rest = list(found[:candidates]), list(found[candidates:])
    if not first:
        return []
    texts = [f"{each.context}\n\n{each.text}" if each.context else each.text for each in first]
    scores = cross_encoder.scores(question, texts)
    if scores.shape != (len(first),) or not np.isfinite(scores).all():
        raise EmbeddingError("the cross-encoder's scores are not one finite number a text")
    scored = [
        replace(each, score=float(score), rerank_score=float(score)) for each, score in zip(first, scores, strict=True)
    ]
    lowest = min(each.score for each in scored)
    # The others' scores are of another scale: all that is known is that they stand below.
    behind = [replace(each, score=lowest - place) for place, each in enumerate(rest, start=1)]
    return [*sorted(scored, key=lambda each: -each.score), *behind]
