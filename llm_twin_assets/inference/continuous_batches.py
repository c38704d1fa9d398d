"""Continuous batches (Yu et al., Orca, OSDI 2022): who arrives joins what runs at the next token, who ends leaves it.

Transformers' own manager runs them, on a paged key-value cache. How many may enter is decided here, so that its cache
never runs full: once it has had to put requests off, it lets nobody in before one of the others has finished, and
where those are cancelled instead that is never (seen on 5.23). To be imported where it is used: it imports torch.
"""

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from transformers import ContinuousBatchingConfig, GenerationConfig, LogitsProcessorList
from transformers.generation.continuous_batching.cb_logits_processors import (
    ContinuousBatchingLogitsProcessor,
    ContinuousBatchingLogitsProcessorList,
)

from llm_twin_assets.inference.batching import LOOK, Batcher, Batching, Ticket
from llm_twin_assets.inference.drawing import Chance, drawn
from llm_twin_assets.inference.engine import EngineError

if TYPE_CHECKING:
    from transformers import ContinuousBatchingManager, PreTrainedModel
    from transformers.generation.continuous_batching import GenerationOutput

# The cache is handed out in pages of so many tokens.
_PAGE = 64
# The cache has room for so many tokens of each request on average, and for one of the model's whole context.
_TOKENS_EACH = 4096
# … if that fits into this share of the memory that is free: the next release is loaded beside this one.
_MEMORY = 0.5
# Less is not worth it.
_LEAST_TOKENS = 1024
# So many tokens go through the model at once; longer prompts in parts, between which the others write.
_AT_ONCE = 1024


@dataclass(frozen=True, slots=True)
class _Running:
    ticket: Ticket
    pages: int
    chance: Chance | None
    began: float = field(default_factory=time.monotonic)


class ContinuousBatches(Batcher):
    """Runs as many requests as there is room for; raises `EngineError` where the model or the memory forbids it.

    The same runs on CUDA and on the CPU, where it is tested: `sdpa` attention, one step after the other. Captured
    graphs, steps prepared ahead and flash attention (which the manager would fetch from the Hub) are left off.
    """

    def __init__(
        self, model: "PreTrainedModel", stops: Sequence[int], context: int, batching: Batching, owner: object
    ) -> None:
        _check(model)
        self._running: dict[str, _Running] = {}
        self._manager = _manager(model, context, batching.size, self._running)
        self._free_pages: int = self._manager.batch_processor.cache.num_blocks
        self.room = self._free_pages * _PAGE
        self._stops = list(stops)
        self._names = map(str, count())
        super().__init__(batching, owner)

    def _turn(self) -> bool:
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._waiting or self._running)
            closed, entering = self._closed, self._entering()
        if closed:
            self._stop()
            return False
        for each in entering:
            self._enter(each)
        if self._running:
            self._hear()
        return True

    def _entering(self) -> list[_Running]:
        """Those in front of the queue that there is room for."""
        found: list[_Running] = []
        while self._waiting and len(self._running) + len(found) < self._batching.size:
            ticket = self._waiting[0]
            pages = math.ceil((len(ticket.prompt) + ticket.sampling.max_new_tokens) / _PAGE)
            if not ticket.abandoned:
                if pages > self._free_pages:
                    break
                self._free_pages -= pages
                found.append(_Running(ticket, pages, Chance.of(ticket.sampling)))
            self._waiting.popleft()
        return found

    def _enter(self, running: _Running) -> None:
        if not self._manager.is_running():
            self._manager.start()  # in a daemon's thread, so that its own is one and ends with the process
        name = next(self._names)
        self._running[name] = running
        ticket = running.ticket
        accepted = self._manager.add_request(
            list(ticket.prompt),
            request_id=name,
            max_new_tokens=ticket.sampling.max_new_tokens,
            streaming=True,
            eos_token_id=self._stops,
        )
        if accepted is None:
            self._leave(name, EngineError("the model failed"))

    def _hear(self) -> None:
        """What the manager has to say next, or what is to be done about its silence."""
        output = self._manager.get_result(timeout=LOOK)
        if output is None:
            failed = None if self._manager.is_running() else EngineError("the model failed")
            for name in [name for name, each in self._running.items() if failed or each.ticket.abandoned]:
                self._leave(name, failed)
        elif output.request_id in self._running:  # what left may still be spoken of
            self._take(output)

    def _take(self, output: "GenerationOutput") -> None:
        ticket = self._running[output.request_id].ticket
        new = output.generated_tokens[len(ticket.tokens) :]
        ended = any(ticket.take(token, self._stops) for token in new)
        if ended or output.is_finished():
            self._leave(output.request_id, EngineError("the model failed") if output.error else None)

    def _leave(self, name: str, error: EngineError | None) -> None:
        """Its room is free for others, which the manager hears after this."""
        running = self._running.pop(name)
        self._manager.cancel_request(name)
        self._free_pages += running.pages
        self._last_seconds = time.monotonic() - running.began
        running.ticket.end(error)

    def _stop(self) -> None:
        for name in list(self._running):
            self._leave(name, EngineError("the engine ends"))
        if self._manager.is_running():
            self._manager.stop(hard_stop=True)


def _check(model: "PreTrainedModel") -> None:
    """Raises `EngineError` for a model whose text would be another than with padded batches, or might be."""
    config = model.config.get_text_config()
    layers = getattr(config, "layer_types", None)
    whole = set(layers) == {"full_attention"} if layers else getattr(config, "sliding_window", None) is None
    attention = config._attn_implementation  # noqa: SLF001 - nothing public tells
    # The cache reaches the layers among the arguments that compatible models hand through to them.
    if not (whole and attention == "sdpa" and model.is_backend_compatible()):
        raise EngineError("continuous batches need a model of full attention by sdpa in all layers")


def _manager(
    model: "PreTrainedModel", context: int, size: int, running: Mapping[str, _Running]
) -> "ContinuousBatchingManager":
    """With the largest cache that is of use and fits, allocated but not started; raises `EngineError`."""
    tokens = min(size * context, max(context, size * _TOKENS_EACH))
    while tokens >= min(context, _LEAST_TOKENS):
        try:
            return _sized(model, tokens, size, running)
        except MemoryError:  # by its own account of what there is, before it takes any
            tokens //= 2
        except (RuntimeError, ValueError) as error:  # what it was not made for, and what the device says
            raise EngineError(f"continuous batches cannot be run ({type(error).__name__})") from error
    raise EngineError("continuous batches need more memory than there is")


def _sized(
    model: "PreTrainedModel", tokens: int, size: int, running: Mapping[str, _Running]
) -> "ContinuousBatchingManager":
    generation = GenerationConfig.from_dict({**model.generation_config.to_dict(), "do_sample": False})
    manager = model.init_continuous_batching(
        generation,
        ContinuousBatchingConfig(
            page_size=_PAGE,
            num_blocks=math.ceil(tokens / _PAGE),
            max_batch_tokens=max(_AT_ONCE, size),
            max_requests_per_batch=size,
            max_memory_percent=_MEMORY,
            safety_margin=0.0,  # who enters has room to its end
            allow_block_sharing=False,  # so that what one request leaves behind is no other's business
            use_cuda_graph=False,
            use_async_batching=False,
            auto_switch_to_flash=False,
            drop_unsupported_processors=False,
        ),
    )
    if asked := manager.logit_processor.logits_processor:
        # A penalty for repetition, say: the manager knows the last token only and would leave it out.
        raise EngineError(f"continuous batches lack {type(asked[0]).__name__}, which the model's settings ask for")
    manager.logit_processor = ContinuousBatchingLogitsProcessorList(LogitsProcessorList([_Draws(running)]))
    manager.logit_processor.tensors_required = 1
    manager.warmup()
    # One stream for all: the manager does not wait for what it last wrote on the device's own before it computes on
    # another, which only pays where steps are prepared ahead.
    manager.batch_processor.inputs_and_outputs.compute_stream = None
    return manager


class _Draws(ContinuousBatchingLogitsProcessor):  # type: ignore[misc]
    """Draws the tokens of those that are not greedy; the manager's own draws have one seed for all."""

    supported_kwargs: ClassVar[dict[str, type]] = {}
    ignored_kwargs: ClassVar[tuple[str, ...]] = ()

    def __init__(self, running: Mapping[str, _Running]) -> None:
        self._running = running
        self._chances: list[Chance | None] = []

    def fill_defaults(self, int32_tensor: torch.Tensor) -> None:
        """Nothing is handed over on the device."""
        int32_tensor.zero_()

    def prepare_tensor_args(self, requests_with_new_token: list[Any]) -> torch.Tensor:
        """Note whose token is in which row of the scores that come next."""
        found = [self._running.get(request.state.request_id) for request in requests_with_new_token]
        self._chances = [None if each is None else each.chance for each in found]
        return torch.zeros(len(found), dtype=torch.int32)

    def __call__(self, scores: torch.Tensor, _: torch.Tensor) -> torch.Tensor:
        """Of shape (tokens, vocabulary)."""
        return drawn(scores, self._chances)
