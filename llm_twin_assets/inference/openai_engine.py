"""A model behind any OpenAI-compatible address: asked again until its first word, and left alone where it fails."""

import asyncio
import logging
import queue
import random
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from llm_twin_assets.inference.engine import Cancellation, EngineError, Failure, Generated, Piece, Sampling
from llm_twin_assets.inference.prompt_tokens import PromptTokens
from llm_twin_assets.inference.prompts import Message
from resources.circuit_breaker import CircuitBreaker
from resources.http.retry import backoff
from resources.llm_errors import LlmError, RefusedError, TransientError
from resources.llm_stream import ChatPiece, ChatStream
from resources.llm_usage import estimated_tokens
from resources.loop_thread import LoopThread
from resources.serving_settings import ServingModel

_logger = logging.getLogger(__name__)

# How often a request that hears nothing looks whether anybody still waits for it. Seconds.
_LOOK = 0.05
# What a chat template puts around a turn, about.
_TURN_TOKENS = 8

# How the service `Engine` names what ended a stream (bentos/engine_api.py), and what callers hear of it.
_NAMED = {each.value: each for each in (Failure.DEADLINE, Failure.SATURATED, Failure.REFUSED)}
_SAID = {
    Failure.DEADLINE: "the chat model took too long",
    Failure.SATURATED: "the chat model has too much to do",
    Failure.REFUSED: "the chat model refused the question",
}

_Heard = ChatPiece | EngineError | None


@dataclass(frozen=True, slots=True)
class Known:
    """What else is known of a chat model: how traces call it, how it counts, the socket it listens at as a neighbour.

    `whole` goes into a request whose text is not read as it is written.
    """

    name: str
    tokens: PromptTokens | None = None
    socket: str | None = None
    whole: Mapping[str, object] = field(default_factory=dict)


class OpenAIEngine:
    """Asks the chat model that twin.yaml names; `waiting` more than its `concurrency` may be under way.

    Where its tokenizer is not known, tokens are estimated from bytes, rather too many than too few.
    """

    def __init__(self, endpoint: ServingModel, *, waiting: int = 64, known: Known | None = None) -> None:
        known = known or Known(endpoint.model)
        self.name = known.name
        self.context_tokens = endpoint.context_tokens
        self._endpoint = endpoint
        self._tokens = known.tokens
        self._whole = known.whole
        self._stream = ChatStream(endpoint, known.socket)
        self._loop = LoopThread(self, "chat-model", self._stream.aclose)
        self._breaker = CircuitBreaker(endpoint.patience.failures, endpoint.pause_seconds, time.monotonic)
        self._free = threading.BoundedSemaphore(endpoint.concurrency + waiting)

    @property
    def left_alone(self) -> bool:
        """Whether it failed so often that nobody asks it for a while."""
        return self._breaker.is_open

    def token_count(self, messages: Sequence[Message]) -> int:
        """Length of the prompt, estimated where its tokenizer is not known."""
        if self._tokens is not None:
            return self._tokens.count(messages)
        return sum(estimated_tokens(len(turn["content"].encode())) + _TURN_TOKENS for turn in messages)

    def generate(
        self, messages: Sequence[Message], sampling: Sampling, cancelled: Cancellation | None = None
    ) -> Generated:
        """The whole text; raises `EngineError`."""
        body = {**_body(self._endpoint, messages, sampling), **self._whole}
        return next(each for each in self._answer(messages, body, cancelled) if isinstance(each, Generated))

    def stream(
        self, messages: Sequence[Message], sampling: Sampling, cancelled: Cancellation | None = None
    ) -> Iterator[Piece | Generated]:
        """The text as it is written; raises `EngineError`, also in the middle."""
        yield from self._answer(messages, _body(self._endpoint, messages, sampling), cancelled)

    def _answer(
        self, messages: Sequence[Message], body: dict[str, object], cancelled: Cancellation | None
    ) -> Iterator[Piece | Generated]:
        if wait := self._breaker.wait():
            raise EngineError("the chat model failed too often and is left alone", retry_after=wait)
        if not self._free.acquire(blocking=False):
            self._breaker.unknown()
            raise EngineError("too many requests are under way", kind=Failure.SATURATED, retry_after=1.0)
        heard: queue.SimpleQueue[_Heard] = queue.SimpleQueue()
        asking = self._loop.submit(_ask(self._stream, self._endpoint, body, heard))
        try:
            yield from self._written(heard, cancelled, messages)
        finally:
            # Frees the connection of a request that is not waited for; one that has ended takes no notice.
            asking.cancel()
            self._free.release()

    def _written(
        self, heard: "queue.SimpleQueue[_Heard]", cancelled: Cancellation | None, messages: Sequence[Message]
    ) -> Iterator[Piece | Generated]:
        parts, finish = list[str](), None
        counted: tuple[int, int] | None = None
        went = self._breaker.unknown
        try:
            while (piece := _next(heard, cancelled)) is not None:
                if piece.text:
                    parts.append(piece.text)
                    yield Piece(piece.text)
                finish = piece.finish or finish
                if piece.prompt_tokens is not None and piece.completion_tokens is not None:
                    counted = (piece.prompt_tokens, piece.completion_tokens)
            went = self._breaker.succeeded
        except EngineError as error:
            # A refusal is about this question alone, and it is an answer.
            went = {Failure.CANCELLED: went, Failure.REFUSED: self._breaker.succeeded}.get(
                error.kind, self._breaker.failed
            )
            raise
        finally:
            went()
        text = "".join(parts)
        prompt, completion = counted or (self.token_count(messages), estimated_tokens(len(text.encode())))
        yield Generated(text.strip(), prompt, completion, finish != "length")


def _body(endpoint: ServingModel, messages: Sequence[Message], sampling: Sampling) -> dict[str, object]:
    asked = endpoint.model_copy(update={"temperature": sampling.temperature, "max_tokens": sampling.max_new_tokens})
    further: dict[str, object] = {"stream_options": {"include_usage": True}}
    if sampling.top_p < 1:
        further["top_p"] = sampling.top_p
    if sampling.stop:
        further["stop"] = list(sampling.stop)
    # What twin.yaml names goes before: it may take out what a service does not know.
    taken_out = {key for key, value in endpoint.parameters.items() if value is None}
    body = {**further, **asked.request([dict(turn) for turn in messages], sampling.seed)}
    return {key: value for key, value in body.items() if key not in taken_out}


def _next(heard: "queue.SimpleQueue[_Heard]", cancelled: Cancellation | None) -> ChatPiece | None:
    """What comes next, None after the last; raises what went wrong."""
    while True:
        if cancelled is not None and cancelled.is_set():
            raise EngineError("nobody waits for it any more", kind=Failure.CANCELLED)
        try:
            piece = heard.get(timeout=_LOOK)
        except queue.Empty:
            continue
        if isinstance(piece, EngineError):
            raise piece
        return piece


async def _ask(
    stream: ChatStream, endpoint: ServingModel, body: dict[str, object], heard: "queue.SimpleQueue[_Heard]"
) -> None:
    """Put the pieces into the queue, then None or the error that ended them."""
    patience = endpoint.patience
    try:
        async with asyncio.timeout(patience.deadline):
            await _insist(stream, endpoint, body, heard)
        heard.put(None)
    except TimeoutError:
        heard.put(EngineError(f"it took longer than {patience.deadline:g} s", kind=Failure.DEADLINE))
    except TransientError as error:
        # What the service says of itself may name its host or quote the prompt: that is for the log.
        _logger.warning("the chat model cannot be asked: %s", error)
        kind = _NAMED.get(error.named) or (Failure.SATURATED if error.wait is not None else Failure.FAILED)
        heard.put(_failed(kind, error.wait))
    except LlmError as error:
        _logger.warning("%s", error)
        heard.put(_failed(Failure.REFUSED if isinstance(error, RefusedError) else Failure.FAILED))


def _failed(kind: Failure, retry_after: float | None = None) -> EngineError:
    return EngineError(_SAID.get(kind, "the chat model cannot be asked"), kind=kind, retry_after=retry_after)


async def _insist(
    stream: ChatStream, endpoint: ServingModel, body: dict[str, object], heard: "queue.SimpleQueue[_Heard]"
) -> None:
    """Ask again until the first word has come; from then on there is no way back."""
    patience, attempt = endpoint.patience, 0
    while True:
        began = False
        try:
            async for piece in stream.pieces(body, time.time()):
                began = began or bool(piece.text)
                heard.put(piece)
            return
        except TransientError as error:
            attempt += 1
            # Who was refused, or heard that time is up, would hear it again.
            if began or error.named in _NAMED or attempt >= patience.attempts:
                raise
            wait = max(error.wait or 0.0, backoff(attempt, patience.backoff, patience.longest_wait, random.random))
            if error.wait is not None and error.wait > patience.longest_wait:
                raise
        await asyncio.sleep(wait)
