"""Turn a model's loss into bits per byte, a unit that no tokenizer can bend."""

from __future__ import annotations

import math
from collections.abc import Iterable


def byte_length(text: str) -> int:
    """Return the length of a text in UTF-8 bytes, in which å, ä and ö take two each."""
    return len(text.encode("utf-8"))


def bits_per_byte(total_nats: float, text: str) -> float:
    """Return the bits a model needs per byte of a text, from its summed negative log-likelihood in nats.

    Sum the loss over the tokens; do not average it. The nats and the bytes must cover the same text.
    """
    length = byte_length(text)
    if length == 0:
        raise ValueError("an empty text has no bits per byte")
    return total_nats / (math.log(2) * length)


def corpus_bits_per_byte(pages: Iterable[tuple[float, str]]) -> float:
    """Return the bits per byte of several pages, each given as (total_nats, text).

    Nats and bytes are summed before they are divided, so a page of 300 bytes does not get the vote of an essay.
    """
    total_nats = 0.0
    total_bytes = 0
    for nats, text in pages:
        total_nats += nats
        total_bytes += byte_length(text)
    if total_bytes == 0:
        raise ValueError("an empty corpus has no bits per byte")
    return total_nats / (math.log(2) * total_bytes)


def perplexity(total_nats: float, token_count: int) -> float:
    """Return the perplexity per token. Compare it only between models that share a tokenizer."""
    if token_count < 1:
        raise ValueError(f"token_count must be at least 1, not {token_count}")
    return math.exp(total_nats / token_count)
