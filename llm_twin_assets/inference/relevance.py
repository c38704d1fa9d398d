"""Does the record hold anything on a question? Measured before a model is asked, which will write something anyhow."""

from collections.abc import Sequence

from llm_twin_assets.domain.chunk import FoundChunk
from llm_twin_assets.inference.words import content_words

DEFAULT_RELEVANCE = 0.2


def relevance(question: str, chunks: Sequence[FoundChunk]) -> float:
    """From 0 to 1: the best passage's likeness by meaning (cosine) or share of the question's content words."""
    asked = set(content_words(question))
    return max((max(chunk.dense_score or 0.0, _share(asked, chunk)) for chunk in chunks), default=0.0)


def _share(asked: set[str], chunk: FoundChunk) -> float:
    return len(asked & set(content_words(f"{chunk.context} {chunk.text}"))) / len(asked) if asked else 0.0
