"""A model in this process, answered by transformers."""

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from llm_twin_assets.inference.engine import Cancellation, EngineError, Generated, Piece, Sampling
from llm_twin_assets.inference.models import BaseResolver, control_tokens, load_model
from llm_twin_assets.inference.prompts import Message, without_tokens
from resources.bases import shipped_base

if TYPE_CHECKING:
    from transformers import BatchEncoding, PreTrainedModel, PreTrainedTokenizerBase


class TransformersEngine:
    """A full model folder, or a PEFT adapter folder, answered greedily in this process, one request at a time."""

    def __init__(self, folder: Path, *, name: str | None = None, resolve: BaseResolver = shipped_base) -> None:
        self.name = name or folder.name
        self._tokenizer, self._model = load_model(folder, resolve)
        self._stops = _stop_tokens(self._tokenizer, self._model)
        self._pad = self._tokenizer.pad_token_id if self._tokenizer.pad_token_id is not None else self._stops[0]
        self._special = tuple(control_tokens(self._tokenizer).values())
        self._lock = threading.Lock()

    @property
    def context_tokens(self) -> int:
        """The model's own limit (`max_position_embeddings`, `n_positions`), else its tokenizer's."""
        config = self._model.config.get_text_config()
        for key in ("max_position_embeddings", "n_positions"):
            if limit := getattr(config, key, None):
                return int(limit)
        return int(self._tokenizer.model_max_length)

    def token_count(self, messages: Sequence[Message]) -> int:
        """Length of the rendered prompt in tokens."""
        return len(self._encoded(messages)["input_ids"][0])

    def generate(
        self, messages: Sequence[Message], sampling: Sampling, cancelled: Cancellation | None = None
    ) -> Generated:
        """Greedy decoding; calls from several threads wait for one another."""
        import torch

        max_new_tokens = sampling.max_new_tokens
        inputs = self._encoded(messages).to(self._model.device)
        length = int(inputs["input_ids"].shape[1])
        if length + max_new_tokens > self.context_tokens:
            raise EngineError(f"{length} prompt tokens and {max_new_tokens} new ones exceed {self.context_tokens}")
        try:
            with self._lock, torch.inference_mode():
                output = self._model.generate(
                    **inputs,
                    max_new_tokens=max_new_tokens,
                    do_sample=False,
                    eos_token_id=self._stops,
                    pad_token_id=self._pad,
                )
        except (RuntimeError, ValueError, IndexError) as error:  # what torch and transformers raise, memory included
            raise EngineError(f"the model failed ({type(error).__name__})") from error
        completion = output[0, length:]
        text = self._tokenizer.decode(completion, skip_special_tokens=True)
        return Generated(text.strip(), length, int(completion.shape[0]))

    def stream(
        self, messages: Sequence[Message], sampling: Sampling, cancelled: Cancellation | None = None
    ) -> Iterator[Piece | Generated]:
        """The answer as it is written."""
        generated = self.generate(messages, sampling, cancelled)
        yield Piece(generated.text)
        yield generated

    def _encoded(self, messages: Sequence[Message]) -> "BatchEncoding":
        # A question or a document must not be able to end its own turn.
        harmless = [{**message, "content": without_tokens(message["content"], self._special)} for message in messages]
        return self._tokenizer.apply_chat_template(
            harmless, add_generation_prompt=True, return_tensors="pt", return_dict=True
        )


def _stop_tokens(tokenizer: "PreTrainedTokenizerBase", model: "PreTrainedModel") -> list[int]:
    own = model.generation_config.eos_token_id
    ids = {tokenizer.eos_token_id, *(own if isinstance(own, list) else [own])}
    return sorted(token for token in ids if token is not None)
