"""Tokens by chance: every request of a batch has its own temperature, `top_p` and seed.

To be imported where it is used: it imports torch.
"""

from collections.abc import Sequence
from typing import Self

import torch

from llm_twin_assets.inference.engine import Sampling


class Chance:
    """What draws the tokens of one request; with a seed they are the same whoever else is asked."""

    def __init__(self, sampling: Sampling) -> None:
        self._sampling = sampling
        # On the CPU wherever the model is, so that the order of a device's work does not matter.
        self._generator = torch.Generator()
        _ = self._generator.seed() if sampling.seed is None else self._generator.manual_seed(sampling.seed)

    @classmethod
    def of(cls, sampling: Sampling) -> Self | None:
        """None where the likeliest token is taken."""
        return cls(sampling) if sampling.temperature > 0 else None

    def token(self, scores: torch.Tensor) -> int:
        """One of the likeliest tokens that have `top_p` of the probability together (Holtzman et al., 2020)."""
        likely, tokens = torch.softmax(scores.cpu() / self._sampling.temperature, dim=-1).sort(descending=True)
        likely[1:][likely.cumsum(dim=-1)[:-1] >= self._sampling.top_p] = 0.0
        return int(tokens[torch.multinomial(likely, 1, generator=self._generator)])


def drawn(scores: torch.Tensor, chances: Sequence[Chance | None]) -> torch.Tensor:
    """The scores (rows, vocabulary), where rows that have a chance leave no choice but the token drawn."""
    for row, chance in enumerate(chances):
        if chance is not None:
            token = chance.token(scores[row])
            scores[row] = float("-inf")
            scores[row, token] = 0.0
    return scores
