"""A chat model asked many questions at once: cached, bounded, retried, counted, and stopped at its budget."""

import asyncio
import json
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import TracebackType

from resources.http.clock import Clock
from resources.http.retry import backoff
from resources.llm_cache import Reply, ReplyCache
from resources.llm_errors import LlmError, RefusedError, TransientError, UnansweredError
from resources.llm_exchange import ChatExchange
from resources.llm_settings import ChatEndpoint
from resources.llm_trace import answered, asked
from resources.llm_usage import Meter, Reservation, Usage
from resources.tracing import NoTracer, Project

ChatMessages = Sequence[Mapping[str, object]]


class ChatClient:
    """Use as `async with ChatClient(endpoint, cache) as chat`. Time and chance can be replaced by a test's own.

    Clients that share a `meter` share its budget. With a `project` every question is a trace in it.
    """

    def __init__(
        self,
        endpoint: ChatEndpoint,
        cache: ReplyCache,
        *,
        meter: Meter | None = None,
        project: Project | None = None,
        clock: Clock | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.endpoint = endpoint
        self._cache = cache
        self._project = project or Project(NoTracer(), "", str)
        self._clock = clock or Clock()
        self._chance = chance
        self._meter = meter or Meter.of(endpoint)
        self._turns = asyncio.Semaphore(endpoint.concurrency)
        self._paused_until = 0.0
        self._failures = 0
        self._has_answered = False
        self._exchange: ChatExchange | None = None

    @property
    def usage(self) -> Usage:
        """What was asked for so far."""
        return self._meter.usage

    async def __aenter__(self) -> "ChatClient":
        self._exchange = ChatExchange(self.endpoint)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._exchange:
            exchange, self._exchange = self._exchange, None
            await exchange.aclose()

    async def complete(self, messages: ChatMessages, *, scope: str, seed: int | None = None) -> Reply:
        """What the model answers; `scope` is the document asked about.

        Raises `UnansweredError` where this question has no answer, and where no other will have one either: `LlmError`
        (refused, gone) and `BudgetExceededError`.
        """
        body = self.endpoint.request(messages, seed)
        question = {"url": self.endpoint.url, **body}
        with self._project.trace("chat completion") as span:
            span.set(asked(body, messages))
            reply = await asyncio.to_thread(self._cache.find, scope, question)
            if reply is not None:
                self.usage.cached += 1
            else:
                async with self._turns:
                    reply = await self._answered(body)
                    await self._kept(scope, question, reply)
            span.set(answered(reply))
        return reply

    async def _kept(self, scope: str, question: Mapping[str, object], reply: Reply) -> None:
        """Store what was paid for, also where another question's failure ends this one meanwhile."""
        keeping = asyncio.ensure_future(asyncio.to_thread(self._cache.keep, scope, question, reply))
        try:
            await asyncio.shield(keeping)
        except asyncio.CancelledError:
            await keeping
            raise

    async def _answered(self, body: Mapping[str, object]) -> Reply:
        """Ask until there is an answer, or patience or the whole model is at an end."""
        try:
            reply = await self._insist(body)
        except UnansweredError as error:
            # Ten refusals among a thousand answers are about those ten; without a single answer they are about us.
            self._failures += not (isinstance(error, RefusedError) and self._has_answered)
            if self._failures >= self.endpoint.patience.failures:
                raise self._gone(error) from error
            raise
        self._failures = 0
        self._has_answered = True
        return reply

    async def _insist(self, body: Mapping[str, object]) -> Reply:
        patience = self.endpoint.patience
        end = self._clock.elapsed() + patience.deadline
        attempt = 0
        while True:
            await self._pause(end)
            try:
                return await self._attempt(body)
            except TransientError as error:
                attempt += 1
                wait = max(error.wait or 0.0, backoff(attempt, patience.backoff, patience.longest_wait, self._chance))
                if error.wait is not None:
                    # What a service asks of one request, it asks of all.
                    self._paused_until = max(self._paused_until, self._clock.elapsed() + error.wait)
                if attempt >= patience.attempts or self._clock.elapsed() + wait > end:
                    raise self._unanswered(f"{error} at attempt {attempt}") from error
            self.usage.retries += 1
            await self._clock.sleep(wait)

    async def _pause(self, end: float) -> None:
        wait = self._paused_until - self._clock.elapsed()
        if self._clock.elapsed() + max(wait, 0.0) > end:
            raise self._unanswered(f"asks to be left alone for {wait:.0f} s")
        if wait > 0:
            await self._clock.sleep(wait)

    async def _attempt(self, body: Mapping[str, object]) -> Reply:
        if self._exchange is None:
            raise RuntimeError("use the client as a context manager")
        with self._reserved(body) as held:
            self.usage.requests += 1
            try:
                reply = await self._exchange.ask(body, self._clock.now())
            except TransientError as error:
                if error.charged:
                    self.usage.estimated += 1
                    self._meter.spend(held.prompt_tokens, held.completion_tokens)
                raise
            self.usage.estimated += reply.estimated
            self._meter.spend(reply.prompt_tokens, reply.completion_tokens)
            return reply

    @contextmanager
    def _reserved(self, body: Mapping[str, object]) -> Iterator[Reservation]:
        held = self._meter.reserve(len(json.dumps(body, ensure_ascii=False).encode()), self.endpoint.max_tokens)
        try:
            yield held
        finally:
            self._meter.release(held)

    def _unanswered(self, what: str) -> UnansweredError:
        return UnansweredError(f"the chat model has no answer: {what}", where=self.endpoint.url)

    def _gone(self, last: UnansweredError) -> LlmError:
        return LlmError(
            f"{self._failures} questions in a row had no answer; the last one: {last.what}",
            where=self.endpoint.url,
            mend="Is it up, and is the model's name right? What was answered is kept: run again to go on.",
        )
