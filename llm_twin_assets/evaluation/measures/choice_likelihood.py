"""How likely a model finds answers that somebody else gave."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from llm_twin_assets.datasets.preference_generation import load
from llm_twin_assets.inference.prompts import Message

if TYPE_CHECKING:
    from transformers import PreTrainedModel

Tokens = list[int]


class Likelihood:
    """The model of a folder, loaded once; raises `TwinError` if it cannot be."""

    def __init__(self, folder: Path, batch_size: int = 8) -> None:
        self._tokenizer, self._model = load(folder)
        self._batch_size = batch_size

    def nats(self, asked: Sequence[tuple[Sequence[Message], str]]) -> list[float]:
        """For each conversation and answer -ln P(answer | conversation), the end of the turn left out."""
        tokens = [self._tokens(messages, answer) for messages, answer in asked]
        by_length = sorted(range(len(tokens)), key=lambda at: len(tokens[at][0]) + len(tokens[at][1]))
        found = [0.0] * len(tokens)
        for start in range(0, len(tokens), self._batch_size):
            places = by_length[start : start + self._batch_size]
            for place, nats in zip(places, _nats(self._model, [tokens[each] for each in places]), strict=True):
                found[place] = nats
        return found

    def _tokens(self, messages: Sequence[Message], answer: str) -> tuple[Tokens, Tokens]:
        encoded = self._tokenizer.apply_chat_template(list(messages), add_generation_prompt=True, return_dict=True)
        return list(encoded["input_ids"]), self._tokenizer(answer, add_special_tokens=False)["input_ids"]


def _nats(model: "PreTrainedModel", batch: Sequence[tuple[Tokens, Tokens]]) -> Iterator[float]:
    import torch

    longest = max(len(prompt) + len(answer) for prompt, answer in batch)
    # Padded on the right: causal attention never looks there, so what pads does not matter.
    padded = [[*prompt, *answer, *[0] * (longest - len(prompt) - len(answer))] for prompt, answer in batch]
    with torch.inference_mode():
        logits = model(input_ids=torch.tensor(padded, device=model.device), use_cache=False).logits
        for row, (prompt, answer) in zip(logits, batch, strict=True):
            predicted = row[len(prompt) - 1 : len(prompt) + len(answer) - 1].float()
            wanted = torch.tensor(answer, dtype=torch.long, device=model.device)
            yield float(torch.nn.functional.cross_entropy(predicted, wanted, reduction="sum"))
