"""An embedder for one evaluation, which asks the same of it for every model: the same questions, the same passages."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from resources.embedder import Embedder


class RememberingEmbedder:
    """Embeds every text once."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._known: dict[str, NDArray[np.float32]] = {}

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of the texts, as the embedder gives them."""
        unknown = list(dict.fromkeys(text for text in texts if text not in self._known))
        self._known |= dict(zip(unknown, self._embedder.encode(unknown), strict=True))
        return np.array([self._known[text] for text in texts])

    def familiarity(self, text: str) -> float:
        """How much of a text the embedder can read."""
        return self._embedder.familiarity(text)
