"""How many bits a model needs for each byte of a text: comparable across tokenizers, lower is better."""

import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from llm_twin_assets.evaluation.statistics import DocumentScore
from llm_twin_assets.inference.models import load_model

if TYPE_CHECKING:
    from transformers import PreTrainedModel

# Longer windows cost more and tell no more about prose of this length.
_MAX_WINDOW = 1024


def score_documents(
    folder: Path, texts: Sequence[tuple[str, str]], progress: Callable[[int], None] = lambda _: None
) -> list[DocumentScore]:
    """Score (document_id, text) pairs with the model in a folder, in order."""
    tokenizer, model = load_model(folder)
    start = tokenizer.bos_token_id if tokenizer.bos_token_id is not None else tokenizer.eos_token_id
    scores = []
    for done, (document_id, text) in enumerate(texts, start=1):
        ids = tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]
        scores.append(DocumentScore(document_id, _bits(model, [start, *ids]), len(text.encode())))
        progress(done)
    return scores


def windows(length: int, window: int) -> Iterator[tuple[int, int, int]]:
    """Ranges (start, end, first) of tokens: read start to end, count what is predicted from `first` on.

    Every token but the very first is counted once, each with at least half a window of context where there is one.
    """
    first = 1
    while first < length:
        start = 0 if first == 1 else first - window // 2
        end = min(start + window, length)
        yield start, end, first
        first = end


def _bits(model: "PreTrainedModel", ids: list[int]) -> float:
    import torch

    limit = getattr(model.config.get_text_config(), "max_position_embeddings", None) or _MAX_WINDOW
    nats = 0.0
    with torch.inference_mode():
        for start, end, first in windows(len(ids), min(int(limit), _MAX_WINDOW)):
            tokens = torch.tensor([ids[start:end]], device=model.device)
            logits = model(input_ids=tokens, use_cache=False).logits[0, first - start - 1 : -1].float()
            nats += float(torch.nn.functional.cross_entropy(logits, tokens[0, first - start :], reduction="sum"))
    return nats / math.log(2)
