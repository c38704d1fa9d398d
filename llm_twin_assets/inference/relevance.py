"""Does the record hold anything on a question? Measured before a model is asked, which will write something anyhow.

Calibrated on 24 questions on the sample author's articles, each answered by one of them, against 16 everyday questions
and 12 on software that no article is about (`benchmarks.refusal`). AUC of the mean of both likenesses is 1.00 and 0.96;
of meaning alone 1.00 and 0.92, of words alone 0.94 and 0.94. At 0.25 all 24 are kept and 13 and 8 of the others
refused, at 0.30 all 16 and 11; the lower is the default, for what is let through wrongly has still to be supported, and
what is refused wrongly is lost.
"""

from collections.abc import Sequence

from llm_twin_assets.domain.chunk import FoundChunk
from llm_twin_assets.inference.words import content_words

DEFAULT_RELEVANCE = 0.25


def relevance(question: str, chunks: Sequence[FoundChunk]) -> float:
    """From 0 to 1: the mean of the best passage's likeness by meaning (cosine) and by words (share of the question's).

    Where search by meaning had to be done without, words alone; two passages may be best in either.
    """
    asked = set(content_words(question))
    words = max((_share(asked, chunk) for chunk in chunks), default=0.0)
    cosines = [chunk.dense_score for chunk in chunks if chunk.dense_score is not None]
    return (max(cosines) + words) / 2 if cosines else words


def _share(asked: set[str], chunk: FoundChunk) -> float:
    held = {*content_words(chunk.context), *content_words(chunk.text)}
    return len(asked & held) / len(asked) if asked else 0.0
