"""What goes into an embedding model and what has to come out of it."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from resources.errors import EmbeddingError

# A chunk is a few thousand characters, a question at most 2,000. What is longer by far is a document by mistake: half
# a minute and gigabytes of tokens, of which the model would read the first 256.
_MAX_CHARACTERS = 1_000_000


def check_texts(texts: Sequence[str]) -> None:
    """Raises `EmbeddingError` for a text that is no chunk and no question."""
    for text in texts:
        if len(text) > _MAX_CHARACTERS:
            raise EmbeddingError(
                f"a text of {len(text):,} characters is too long to embed", mend="Embed its chunks instead."
            )


def unit(vectors: NDArray[np.float32], dimension: int, maker: str) -> NDArray[np.float32]:
    """The vectors with length 1 in float32, whatever precision they were made in.

    Raises `EmbeddingError` for another shape, and for what is not finite or has no length.
    """
    found = np.asarray(vectors, dtype=np.float32)
    if found.ndim != 2 or found.shape[1] != dimension:
        raise EmbeddingError(f"makes vectors of shape {found.shape}, not of dimension {dimension}", where=maker)
    norms = np.linalg.norm(found, axis=1, keepdims=True)
    if bad := int(np.sum(~(np.isfinite(norms) & (norms > 0)))):
        raise EmbeddingError(
            f"{bad} of {len(found)} vectors are not finite or have no length",
            where=maker,
            mend="Set embedding.backend to torch and embedding.precision to float32; if it stays, the model is broken.",
        )
    return np.asarray(found / norms, dtype=np.float32)
