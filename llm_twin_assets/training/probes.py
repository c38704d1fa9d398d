"""Probes: what a model answers to a few fixed prompts, so that a reloaded copy can be told from the trained one."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from llm_twin_assets.inference.prompts import messages

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

PROMPTS = (
    "What have you learned this year?",
    "Write the opening of an article about testing.",
    "How do I read a file line by line?",
    "Why?",
)
# Largest difference of a logit, in standard deviations of the probe's logits. The same weights in float32 differ by
# about 1e-6 (another order of summation); half precision rounds at 2^-8.
TOLERANCE = {"float32": 1e-3, "bfloat16": 0.1, "float16": 0.05}


@dataclass(frozen=True)
class Probes:
    """Prompts as token ids and the logits of the token after each; `quantized` if the base was, to 4 bits."""

    tokens: tuple[tuple[int, ...], ...]
    logits: NDArray[np.float32]
    tolerance: float
    quantized: bool = False

    def save(self, file: Path) -> None:
        """Write as `.npz`, without pickles."""
        flat = np.concatenate([np.asarray(ids, dtype=np.int64) for ids in self.tokens])
        lengths = np.asarray([len(ids) for ids in self.tokens])
        np.savez_compressed(
            file,
            tokens=flat,
            lengths=lengths,
            logits=self.logits,
            tolerance=self.tolerance,
            quantized=self.quantized,
        )

    @classmethod
    def load(cls, file: Path) -> "Probes":
        """Read what `save` wrote."""
        with np.load(file, allow_pickle=False) as stored:
            ends = np.cumsum(stored["lengths"])[:-1]
            tokens = tuple(tuple(int(token) for token in ids) for ids in np.split(stored["tokens"], ends))
            return cls(tokens, stored["logits"], float(stored["tolerance"]), bool(stored["quantized"]))

    def deviation(self, other: "Probes") -> float:
        """Largest difference of a logit in standard deviations of these; infinite if the prompts differ."""
        if self.tokens != other.tokens or self.logits.shape != other.logits.shape:
            return float("inf")
        difference = np.abs(self.logits - other.logits).max(axis=1) / self.logits.std(axis=1)
        return float(difference.max())


def take(
    model: "PreTrainedModel",
    tokenizer: "PreTrainedTokenizerBase",
    author_name: str,
    precision: str = "float32",
    *,
    quantized: bool = False,
) -> Probes:
    """Ask a model the probes, rendered by its own tokenizer."""
    import torch

    tokens: list[tuple[int, ...]] = []
    logits: list[NDArray[np.float32]] = []
    model.eval()
    for prompt in PROMPTS:
        text = tokenizer.apply_chat_template(
            list(messages(prompt, author_name=author_name)), add_generation_prompt=True, tokenize=False
        )
        ids = tokenizer(text, add_special_tokens=False)["input_ids"]
        with torch.inference_mode():
            output = model(input_ids=torch.tensor([ids], device=model.device))
        tokens.append(tuple(ids))
        logits.append(output.logits[0, -1].float().cpu().numpy())
    return Probes(tuple(tokens), np.stack(logits), TOLERANCE[precision], quantized)
