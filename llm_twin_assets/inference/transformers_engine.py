"""A model in this process, run by transformers: batches of concurrent requests, streams, seeds, stop strings."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llm_twin_assets.inference.batching import Batcher, Batching, Ticket
from llm_twin_assets.inference.engine import Cancellation, EngineError, Generated, Piece, Sampling
from llm_twin_assets.inference.models import BaseResolver, control_tokens, load_model
from llm_twin_assets.inference.prompt_tokens import TokenizerData
from llm_twin_assets.inference.prompts import Message, harmless
from llm_twin_assets.inference.written import Detokenizer, StopStrings
from resources.bases import shipped_base

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


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
        self._batching = batching
        self._batcher = Batcher(batching, self)

    @property
    def context_tokens(self) -> int:
        """The model's own limit (`max_position_embeddings`, `n_positions`), else its tokenizer's."""
        config = self._model.config.get_text_config()
        for key in ("max_position_embeddings", "n_positions"):
            if limit := getattr(config, key, None):
                return int(limit)
        return int(self._tokenizer.model_max_length)

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
        deadline = self._batching.deadline
        ticket = Ticket(prompt, sampling, deadline=deadline, cancelled=cancelled, hears_each=hears_each)
        self._batcher.submit(ticket, self._run)
        return ticket

    def _run(self, batch: Sequence[Ticket]) -> None:
        """Write all tokens of a batch; each request learns of its own, or of the failure of all."""
        import torch

        error: EngineError | None = EngineError("the model failed")
        try:
            with torch.inference_mode():
                self._model.generate(
                    **self._padded(batch),
                    max_new_tokens=max(ticket.sampling.max_new_tokens for ticket in batch),
                    do_sample=False,
                    logits_processor=_draws(batch),
                    stopping_criteria=[_Taken(batch, self._stops)],
                    eos_token_id=self._stops,
                    pad_token_id=self._pad,
                )
            error = None
        except (RuntimeError, ValueError, IndexError) as caught:  # what torch and transformers raise, memory included
            error = EngineError(f"the model failed ({type(caught).__name__})")
        finally:
            for ticket in batch:
                ticket.end(error)

    def _padded(self, batch: Sequence[Ticket]) -> "dict[str, torch.Tensor]":
        """Padded at the left: the next token stands right of the last one in every row."""
        import torch

        longest = max(len(ticket.prompt) for ticket in batch)
        blanks = [longest - len(ticket.prompt) for ticket in batch]
        rows = [[self._pad] * blank + list(ticket.prompt) for blank, ticket in zip(blanks, batch, strict=True)]
        masks = [[0] * blank + [1] * (longest - blank) for blank in blanks]
        device = self._model.device
        return {
            "input_ids": torch.tensor(rows, device=device),
            "attention_mask": torch.tensor(masks, device=device),
        }

    def _encoded(self, messages: Sequence[Message]) -> list[int]:
        encoded = self._tokenizer.apply_chat_template(
            harmless(messages, self._special), add_generation_prompt=True, return_dict=True
        )
        return list(encoded["input_ids"])

    def _decoded(self, tokens: Sequence[int]) -> str:
        return str(self._tokenizer.decode(list(tokens), skip_special_tokens=True))


class _Taken:
    """A stopping criterion: hands every request its new token, and says which rows are done."""

    def __init__(self, batch: Sequence[Ticket], stops: Sequence[int]) -> None:
        self._batch = batch
        self._stops = frozenset(stops)
        self._done = [False] * len(batch)

    def __call__(self, input_ids: "torch.Tensor", _scores: object, **_: object) -> "torch.Tensor":
        import torch

        for row, token in enumerate(input_ids[:, -1].tolist()):
            if not self._done[row]:
                self._done[row] = self._batch[row].take(token, self._stops)
        return torch.tensor(self._done, device=input_ids.device)


def _draws(batch: Sequence[Ticket]) -> "list[Any]":
    """What draws the tokens of the rows that are not greedy; nothing where all are."""
    import torch

    generators = {}
    for row, ticket in enumerate(batch):
        if ticket.sampling.temperature > 0:
            generators[row] = torch.Generator()
            seed = ticket.sampling.seed
            _ = generators[row].seed() if seed is None else generators[row].manual_seed(seed)

    def draw(_: "torch.Tensor", scores: "torch.Tensor") -> "torch.Tensor":
        for row, generator in generators.items():
            token = _drawn(scores[row].cpu(), batch[row].sampling, generator)
            scores[row] = float("-inf")
            scores[row, token] = 0.0
        return scores

    return [draw] if generators else []


def _drawn(scores: "torch.Tensor", sampling: Sampling, generator: "torch.Generator") -> int:
    """One token by chance, of the likeliest that have `top_p` of the probability together (Holtzman et al., 2020)."""
    import torch

    likely, tokens = torch.softmax(scores / sampling.temperature, dim=-1).sort(descending=True)
    likely[1:][likely.cumsum(dim=-1)[:-1] >= sampling.top_p] = 0.0
    return int(tokens[torch.multinomial(likely, 1, generator=generator)])


def _generated(text: str, ticket: Ticket, *, stopped: bool = False) -> Generated:
    return Generated(text.strip(), len(ticket.prompt), len(ticket.tokens), ticket.finished or stopped)


def _stop_tokens(tokenizer: "PreTrainedTokenizerBase", model: "PreTrainedModel") -> list[int]:
    own = model.generation_config.eos_token_id
    ids = {tokenizer.eos_token_id, *(own if isinstance(own, list) else [own])}
    return sorted(token for token in ids if token is not None)
