"""A model in this process, run by transformers: batches of concurrent requests, streams, seeds, stop strings."""

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from llm_twin_assets.inference.batching import Batcher, Batching, Ticket
from llm_twin_assets.inference.engine import Cancellation, EngineError, Generated, Piece, Sampling
from llm_twin_assets.inference.models import BaseResolver, control_tokens, load_model
from llm_twin_assets.inference.padded_batches import PaddedBatches
from llm_twin_assets.inference.prompt_tokens import TokenizerData
from llm_twin_assets.inference.prompts import Message, harmless
from llm_twin_assets.inference.written import Detokenizer, StopStrings
from resources.bases import shipped_base

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

_LOG = logging.getLogger(__name__)


class TransformersEngine:
    """A full model folder, or a PEFT adapter folder. Threads may ask at once; what comes together runs together."""

    def __init__(
        self,
        folder: Path,
        *,
        name: str | None = None,
        resolve: BaseResolver = shipped_base,
        batching: Batching = Batching(),  # noqa: B008 - frozen
    ) -> None:
        self.name = name or folder.name
        self._tokenizer, self._model = load_model(folder, resolve)
        self._stops = _stop_tokens(self._tokenizer, self._model)
        self._pad = self._tokenizer.pad_token_id if self._tokenizer.pad_token_id is not None else self._stops[0]
        self._special = tuple(control_tokens(self._tokenizer).values())
        self._deadline = batching.deadline
        self._batches = self._batches_of(batching)

    @property
    def context_tokens(self) -> int:
        """The model's own limit, or what the memory has room for."""
        limit = _context(self._tokenizer, self._model)
        return limit if self._batches.room is None else min(limit, self._batches.room)

    @property
    def tokenizer_data(self) -> TokenizerData | None:
        """What it takes to count as `token_count` does, elsewhere; None where the tokenizer cannot be handed out."""
        return TokenizerData.of(self._tokenizer)

    def token_count(self, messages: Sequence[Message]) -> int:
        """Length of the rendered prompt in tokens."""
        return len(self._encoded(messages))

    def generate(
        self, messages: Sequence[Message], sampling: Sampling, cancelled: Cancellation | None = None
    ) -> Generated:
        """The whole text, with all that is asked at the same time; raises `EngineError`."""
        if sampling.stop:
            *_, whole = self.stream(messages, sampling, cancelled)
            return whole if isinstance(whole, Generated) else Generated("", 0, 0)
        ticket = self._submitted(messages, sampling, cancelled, hears_each=False)
        try:
            for _ in ticket.progress():
                pass
        finally:
            ticket.abandon()
        return _generated(self._decoded(ticket.tokens), ticket)

    def stream(
        self, messages: Sequence[Message], sampling: Sampling, cancelled: Cancellation | None = None
    ) -> Iterator[Piece | Generated]:
        """The text as it is written; raises `EngineError`, also in the middle."""
        ticket = self._submitted(messages, sampling, cancelled, hears_each=True)
        written, stops = Detokenizer(self._decoded), StopStrings(sampling.stop)
        seen, parts = 0, list[str]()
        try:
            for _ in ticket.progress():
                new = ticket.tokens[seen:]
                seen += len(new)
                if piece := stops.add(written.add(new)):
                    parts.append(piece)
                    yield Piece(piece)
                if stops.reached:
                    break
        finally:
            ticket.abandon()
        if rest := stops.add(written.end()) + stops.end():
            parts.append(rest)
            yield Piece(rest)
        yield _generated("".join(parts), ticket, stopped=stops.reached)

    def _submitted(
        self, messages: Sequence[Message], sampling: Sampling, cancelled: Cancellation | None, *, hears_each: bool
    ) -> Ticket:
        prompt = self._encoded(messages)
        if len(prompt) + sampling.max_new_tokens > self.context_tokens:
            raise EngineError(
                f"{len(prompt)} prompt tokens and {sampling.max_new_tokens} new ones exceed {self.context_tokens}"
            )
        ticket = Ticket(prompt, sampling, deadline=self._deadline, cancelled=cancelled, hears_each=hears_each)
        self._batches.submit(ticket)
        return ticket

    def _batches_of(self, batching: Batching) -> Batcher:
        """Continuous on CUDA, or where wanted, as far as the model and the memory allow it."""
        if batching.kind == "continuous" or (batching.kind == "auto" and self._model.device.type == "cuda"):
            from llm_twin_assets.inference.continuous_batches import ContinuousBatches

            context = _context(self._tokenizer, self._model)
            try:
                return ContinuousBatches(self._model, self._stops, context, batching, self)
            except EngineError as error:
                _LOG.warning("%s: padded batches: %s", self.name, error)
        return PaddedBatches(self._model, self._stops, self._pad, batching, self)

    def _encoded(self, messages: Sequence[Message]) -> list[int]:
        encoded = self._tokenizer.apply_chat_template(
            harmless(messages, self._special), add_generation_prompt=True, return_dict=True
        )
        return list(encoded["input_ids"])

    def _decoded(self, tokens: Sequence[int]) -> str:
        return str(self._tokenizer.decode(list(tokens), skip_special_tokens=True))


def _generated(text: str, ticket: Ticket, *, stopped: bool = False) -> Generated:
    return Generated(text.strip(), len(ticket.prompt), len(ticket.tokens), ticket.finished or stopped)


def _context(tokenizer: "PreTrainedTokenizerBase", model: "PreTrainedModel") -> int:
    """The model's own limit (`max_position_embeddings`, `n_positions`), else its tokenizer's."""
    config = model.config.get_text_config()
    for key in ("max_position_embeddings", "n_positions"):
        if limit := getattr(config, key, None):
            return int(limit)
    return int(tokenizer.model_max_length)


def _stop_tokens(tokenizer: "PreTrainedTokenizerBase", model: "PreTrainedModel") -> list[int]:
    own = model.generation_config.eos_token_id
    ids = {tokenizer.eos_token_id, *(own if isinstance(own, list) else [own])}
    return sorted(token for token in ids if token is not None)
