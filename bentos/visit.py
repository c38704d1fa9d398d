"""A visit: one request with who sent it, until when it is answered, and the threads that work on it."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Annotated, TypeVar

from fastapi import Depends, Request, Security
from fastapi.security import HTTPBearer

from bentos.desk import Asked, Desk
from bentos.door import Caller
from bentos.errors import ApiError
from bentos.pool import Pool, Wanted
from bentos.releases import Released
from bentos.sse import EventStream
from llm_twin_assets.inference.answer import Answer, Delta
from resources.access_settings import Access
from resources.api_keys import Endpoint

T = TypeVar("T")

# A search takes some 20 ms of a processor; more at once would only make each slower.
_SEARCHES = 4
_SEARCHES_WAITING = 256

# nginx's word for it; nobody reads it.
_CLIENT_LEFT = 499

_KEY = Security(HTTPBearer(auto_error=False, description="A key of `twin keys new`; none is needed at 127.0.0.1."))


@dataclass(frozen=True, slots=True)
class Pools:
    """Who works: an answer may take a minute, and a search must not wait for it."""

    answers: Pool
    searches: Pool

    @classmethod
    def of(cls, access: Access) -> "Pools":
        """As the settings say."""
        return cls(Pool("answer", access.threads, access.queue), Pool("search", _SEARCHES, _SEARCHES_WAITING))

    def close(self) -> None:
        """Begin nothing more."""
        self.answers.close()
        self.searches.close()


@dataclass(frozen=True, slots=True)
class Visit:
    """What a route needs to answer a request."""

    desk: Desk
    caller: Caller
    request: Request = field(repr=False)
    pools: Pools = field(repr=False)
    until: float

    def released(self, author: str | None, endpoint: Endpoint) -> Released:
        """The release that serves; raises `ApiError` if the key is not for that."""
        self.caller.check_may(endpoint)
        return self.desk.released(author, self.caller.authors)

    def answering(self, author: str | None, endpoint: Endpoint, session: str | None = None) -> Released:
        """The release that is to answer: the one that serves, or a canary beside it; a session's is always the same."""
        return self.desk.releases.canaries.answering(self.released(author, endpoint), session)

    def who(self, user: str | None = None) -> tuple[str, ...]:
        """Names of who asks: the key's, and the user's whom its holder asks for; none without either."""
        key = self.caller.key.name if self.caller.key is not None else None
        return (key or "", user) if user else (key,) if key else ()

    @property
    def cached(self) -> bool:
        """Whether what is remembered may be said: not where the request says `Cache-Control: no-cache`."""
        return "no-cache" not in self.request.headers.get("cache-control", "").lower()

    async def answer(self, released: Released, asked: Asked) -> Answer:
        """An answer that was worked out in a thread; its tokens are counted."""
        given = await self._only(self.pools.answers, lambda cancelled: self.desk.answer(released, asked, cancelled))
        self._count(given)
        return given

    async def found(self, work: Callable[[], T]) -> T:
        """What a search finds."""
        return await self._only(self.pools.searches, lambda _: work())

    def stream(
        self,
        released: Released,
        asked: Asked,
        written: Callable[[AsyncIterator[Delta | Answer]], AsyncIterator[bytes]],
    ) -> EventStream:
        """An answer as events; whether there is room for it is known before the response begins."""
        call = self.pools.answers.begin(lambda cancelled: self.desk.answer_stream(released, asked, cancelled))
        parts = call.items(Wanted(self.until, self._look_at_key))
        return EventStream(written(self._counted(parts)), self.until, call.end)

    async def _counted(self, parts: AsyncIterator[Delta | Answer]) -> AsyncIterator[Delta | Answer]:
        async for part in parts:
            if isinstance(part, Answer):
                self._count(part)
            yield part

    def _count(self, given: Answer) -> None:
        self.caller.used(given.prompt_tokens + given.completion_tokens)

    async def _only(self, pool: Pool, work: Callable[[threading.Event], T]) -> T:
        call = pool.begin(lambda cancelled: iter([work(cancelled)]))
        return await call.only(Wanted(self.until, self._look))

    async def _look_at_key(self) -> None:
        self.caller.check_still_welcome()

    async def _look(self) -> None:
        self.caller.check_still_welcome()
        if await self.request.is_disconnected():
            raise ApiError(_CLIENT_LEFT, "client_left", "the client has left")


async def _visit(request: Request, _: Annotated[object, _KEY]) -> Visit:
    state = request.app.state
    desk = getattr(state, "desk", None)
    if not isinstance(desk, Desk):
        raise ApiError(503, "not_ready", "the service is starting", retry_after=5)
    until = asyncio.get_running_loop().time() + state.door.access.deadline_seconds
    return Visit(desk, request.state.caller, request, state.pools, until)


Visiting = Annotated[Visit, Depends(_visit)]
