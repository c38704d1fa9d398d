"""How many bits a model needs for each byte of a text: comparable across tokenizers, lower is better."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from llm_twin_assets.domain.bits_per_byte import bits_per_byte
from llm_twin_assets.evaluation.exam.kept import kept
from llm_twin_assets.evaluation.measure import DocumentValue
from llm_twin_assets.inference.models import load_model

if TYPE_CHECKING:
    from transformers import PreTrainedModel

# Longer windows cost more and tell no more about prose of this length.
_MAX_WINDOW = 1024


def score_documents(folder: Path, texts: Mapping[str, str], file: Path) -> list[DocumentValue]:
    """Score texts by document id with the model in a folder, in order; `file` keeps what is known."""

    def scored(documents: Sequence[str]) -> Iterator[float]:
        tokenizer, model = load_model(folder)
        start = tokenizer.bos_token_id if tokenizer.bos_token_id is not None else tokenizer.eos_token_id
        for document in documents:
            text = texts[document]
            ids = tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]
            yield bits_per_byte(_nats(model, [start, *ids]), len(text.encode()))

    return kept(file, list(texts), scored)


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


def _nats(model: "PreTrainedModel", ids: list[int]) -> float:
    import torch

    limit = getattr(model.config.get_text_config(), "max_position_embeddings", None) or _MAX_WINDOW
    nats = 0.0
    with torch.inference_mode():
        for start, end, first in windows(len(ids), min(int(limit), _MAX_WINDOW)):
            tokens = torch.tensor([ids[start:end]], device=model.device)
            logits = model(input_ids=tokens, use_cache=False).logits[0, first - start - 1 : -1].float()
            nats += float(torch.nn.functional.cross_entropy(logits, tokens[0, first - start :], reduction="sum"))
    return nats
