"""Batches padded to their longest prompt, which any model can run: once one runs, it takes nobody in.

A request waits for the batch before it. See docs/answering.md for what that costs and gains.
"""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from llm_twin_assets.inference.batching import Batcher, Batching, Ticket
from llm_twin_assets.inference.engine import EngineError

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

# A batch waits for company this many windows at most, however many come.
_WINDOWS = 4


class PaddedBatches(Batcher):
    """Runs what has come together through the model's own `generate`."""

    def __init__(
        self, model: "PreTrainedModel", stops: Sequence[int], pad: int, batching: Batching, owner: object
    ) -> None:
        super().__init__(batching, owner)
        self._model = model
        self._stops = stops
        self._pad = pad

    def _turn(self) -> bool:
        if not self._gathered():
            return False
        with self._changed:
            taken = [self._waiting.popleft() for _ in range(min(self._batching.size, len(self._waiting)))]
        if batch := [ticket for ticket in taken if not ticket.abandoned]:
            began = time.monotonic()
            self._run(batch)
            self._last_seconds = time.monotonic() - began
        return True

    def _gathered(self) -> bool:
        """Wait for a request, then a moment for company; False when closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._waiting)
            latest = time.monotonic() + _WINDOWS * self._batching.window
            count = 0
            while count < len(self._waiting) < self._batching.size and time.monotonic() < latest:
                count = len(self._waiting)
                self._changed.wait(self._batching.window)
            return not self._closed

    def _run(self, batch: Sequence[Ticket]) -> None:
        """Write all tokens of a batch; each request learns of its own, or of the failure of all."""
        import torch

        from llm_twin_assets.inference.drawing import Chance, drawn

        chances = [Chance.of(ticket.sampling) for ticket in batch]
        error: EngineError | None = EngineError("the model failed")
        try:
            with torch.inference_mode():
                self._model.generate(
                    **self._padded(batch),
                    max_new_tokens=max(ticket.sampling.max_new_tokens for ticket in batch),
                    do_sample=False,
                    logits_processor=[lambda _, scores: drawn(scores, chances)] if any(chances) else [],
                    stopping_criteria=[_Taken(batch, self._stops), self._ends],
                    eos_token_id=list(self._stops),
                    pad_token_id=self._pad,
                )
            error = EngineError("the engine ends") if self._closed else None
        except (RuntimeError, ValueError, IndexError) as caught:  # what torch and transformers raise, memory included
            error = EngineError(f"the model failed ({type(caught).__name__})")
        finally:
            for ticket in batch:
                ticket.end(error)

    def _ends(self, input_ids: "torch.Tensor", _scores: object, **_: object) -> "torch.Tensor":
        """A stopping criterion for all rows."""
        import torch

        return torch.full((len(input_ids),), self._closed, device=input_ids.device)

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
