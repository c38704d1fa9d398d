"""A cross-encoder from a folder or the hub: how well a text answers a question, both read together."""

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from resources.errors import ModelNotFoundError

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder

# Pairs are padded to the longest of their batch.
_BATCH = 16


class SentenceTransformersCrossEncoder:
    """Loaded at first use; safetensors alone, and no code of the model's own."""

    def __init__(self, model: str, revision: str | None = None) -> None:
        self.model = model
        self._revision = revision

    def scores(self, question: str, texts: Sequence[str]) -> NDArray[np.float32]:
        """One score a text, shape (len(texts),); higher is better, comparable for one question."""
        pairs = [(question, text) for text in texts]
        scores = np.asarray(self._loaded.predict(pairs, batch_size=_BATCH, show_progress_bar=False), dtype=np.float32)
        if scores.ndim != 1:
            raise ModelNotFoundError(
                f"'{self.model}' gives {scores.shape[1]} scores a pair: it classifies, it does not rank",
                where="twin.yaml: retrieval.rerank.model",
                mend="Name a cross-encoder with one label.",
            )
        return scores

    @cached_property
    def _loaded(self) -> "CrossEncoder":
        from sentence_transformers import CrossEncoder

        try:
            return CrossEncoder(
                self.model, revision=self._revision, trust_remote_code=False, model_kwargs={"use_safetensors": True}
            )
        except (OSError, ValueError) as error:
            raise ModelNotFoundError(
                f"the cross-encoder '{self.model}' is neither a folder nor to be had from the hub",
                where="twin.yaml: retrieval.rerank.model",
                mend="Name a local folder, allow access to the hub, or leave the key out.",
            ) from error
