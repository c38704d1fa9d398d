"""Turns documents into one stream of tokens and says which windows of it each training step sees."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from llm_twin_assets.training.tiny_llama.corpus import Document
from llm_twin_assets.training.tiny_llama.tokenizer import BOS, EOS

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedTokenizerFast

CHAT_PERCENT = 8  # enough to train the role tokens' embeddings, too little to make a chat model of it
CHAT_MAX_CHARS = 3000
SYSTEM_PROMPT = "You are a technical writer. Answer as the documentation does."
QUESTIONS = ("Explain {name}.", "What is {name}?", "Write about {name}.", "Tell me about {name} in your own words.")


def render(document: Document, tokenizer: PreTrainedTokenizerFast) -> str:
    """The document as training text: plain, or for some, picked by hash, as an answer in the chat template."""
    chance = int.from_bytes(hashlib.sha256(f"chat:{document.text}".encode()).digest()[:4], "big")
    if chance % 100 >= CHAT_PERCENT or len(document.text) > CHAT_MAX_CHARS:
        return f"{BOS}{document.text}{EOS}"
    question = QUESTIONS[chance // 100 % len(QUESTIONS)].format(name=f"`{document.name}`")
    messages = [{"role": "user", "content": question}, {"role": "assistant", "content": document.text}]
    if chance // 1000 % 3 == 0:
        messages.insert(0, {"role": "system", "content": SYSTEM_PROMPT})
    return str(tokenizer.apply_chat_template(messages, tokenize=False)) + EOS


def token_stream(documents: Sequence[Document], tokenizer: PreTrainedTokenizerFast) -> Tensor:
    """All documents, rendered, one after the other in their order."""
    import torch

    texts = [render(document, tokenizer) for document in documents]
    parts: list[Tensor] = []
    for start in range(0, len(texts), 2000):  # in slices: the lists of Python integers are large
        encoded = tokenizer(texts[start : start + 2000], add_special_tokens=False)["input_ids"]
        parts += [torch.tensor(ids, dtype=torch.int16) for ids in encoded]
    return torch.cat(parts)


def batch_for_step(stream: Tensor, step: int, batch: int, context: int, seed: int) -> Tensor:
    """The step's windows (batch, context); each epoch is one seeded permutation, so a step needs no history."""
    import torch

    windows = len(stream) // context
    rows: list[Tensor] = []
    for position in range(step * batch, (step + 1) * batch):
        epoch, index = divmod(position, windows)
        order = torch.randperm(windows, generator=torch.Generator().manual_seed(seed + epoch))
        window = int(order[index])
        rows.append(stream[window * context : (window + 1) * context])
    return torch.stack(rows).long()
