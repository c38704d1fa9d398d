"""Measures bits per byte: comparable between tokenizers, unlike loss or perplexity."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from llm_twin_assets.training.tiny_llama.tokenizer import BOS

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerFast


def bits_per_byte(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, texts: Sequence[str], context: int, batch: int = 16
) -> float:
    """The model's cost of writing `texts`, each from its beginning, over their size in UTF-8.

    A text longer than the context is read in windows that overlap by one token, so every token is paid for once.
    """
    import torch
    from torch.nn.functional import cross_entropy

    windows: list[list[int]] = []
    for text in texts:
        ids = tokenizer(BOS + text, add_special_tokens=False)["input_ids"]
        windows += [ids[start : start + context] for start in range(0, len(ids) - 1, context - 1)]
    windows.sort(key=len)  # windows of like length share a batch, so little is wasted on padding
    total = 0.0
    was_training = model.training
    model.eval()
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        for start in range(0, len(windows), batch):
            group = windows[start : start + batch]
            width = len(group[-1])
            ids = torch.tensor([window + [0] * (width - len(window)) for window in group])
            labels = torch.tensor([window + [-100] * (width - len(window)) for window in group])
            # Right padding under causal attention cannot reach a real token, so no mask is needed.
            logits = model(input_ids=ids).logits[:, :-1].float()
            total += float(cross_entropy(logits.flatten(0, 1), labels[:, 1:].flatten(), reduction="sum"))
    model.train(was_training)
    return total / math.log(2) / sum(len(text.encode()) for text in texts)
