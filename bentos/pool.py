"""Threads that work on answers, and before them a queue that is never longer than it may be.

A call ends when its work is done, when its time is up, when the client has left or when its key was taken back; in all
cases but the first the work is told so by its event, and the thread is free once the engine has looked at it.
"""

import asyncio
import threading
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

from bentos.errors import ApiError, as_api_error

T = TypeVar("T")

# How often somebody looks whether an answer is still wanted. A client that left costs at most so much work.
_LOOK_EVERY = 0.25


class _Done:
    """After the last item of a stream."""


class _Nothing:
    """No item for now."""


_Given: TypeAlias = T | type[_Done] | type[_Nothing] | ApiError


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whether an answer is still wanted: `until` when (event loop's clock), and a look at client and key."""

    until: float
    look: Callable[[], Awaitable[None]]


class Pool:
    """So many threads, and so many more that may wait for one."""

    def __init__(self, name: str, threads: int, queue: int) -> None:
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._threads = threads
        self._room = threads + queue
        self._inside = 0
        self._seconds = 1.0
        self._lock = threading.Lock()

    def begin(self, work: Callable[[threading.Event], Iterator[T]]) -> "Call[T]":
        """Queue the work; raises `ApiError` (429) if the queue is full."""
        with self._lock:
            if self._inside >= self._room:
                wait = self._seconds * (self._inside / self._threads)
                raise ApiError(429, "saturated", "too many questions at once; try again", retry_after=wait)
            self._inside += 1
        call: Call[T] = Call()
        call.future = self._executor.submit(self._run, call, work)
        call.future.add_done_callback(self._leave)
        return call

    @property
    def waiting(self) -> int:
        """How much work nobody has begun."""
        return max(0, self._inside - self._threads)

    @property
    def working(self) -> int:
        """How many threads are at work."""
        return min(self._inside, self._threads)

    def _run(self, call: "Call[T]", work: Callable[[threading.Event], Iterator[T]]) -> None:
        began = time.monotonic()
        call.run(work)
        # What a call has lately taken, for those who are told to come again.
        self._seconds += 0.2 * (time.monotonic() - began - self._seconds)

    def _leave(self, _: "Future[None]") -> None:
        with self._lock:
            self._inside -= 1

    def close(self) -> None:
        """Take no more work."""
        self._executor.shutdown(wait=False, cancel_futures=True)


class Call(Generic[T]):
    """Work under way in a thread, and what it has given so far. Reading slowly holds up nothing but the reader."""

    future: "Future[None]"

    def __init__(self) -> None:
        self.cancelled = threading.Event()
        self._loop = asyncio.get_running_loop()
        # Not bounded: an answer is as long as the model may write, and the thread must not wait for a slow reader.
        self._given: asyncio.Queue[_Given[T]] = asyncio.Queue()

    def run(self, work: Callable[[threading.Event], Iterator[T]]) -> None:
        """In the thread: hand over every item, and at last the end or the error, as a caller may know of it."""
        try:
            for item in work(self.cancelled):
                self._give(item)
            self._give(_Done)
        except Exception as error:  # noqa: BLE001 — nothing is lost: it is logged, and raised where it is waited for
            if not self.cancelled.is_set():
                self._give(as_api_error(error))

    def _give(self, item: _Given[T]) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._given.put_nowait, item)

    async def items(self, wanted: Wanted) -> AsyncGenerator[T, None]:
        """What the work gives; raises `ApiError` if it fails or is no longer wanted. Call `end` afterwards."""
        look = self._loop.time() + _LOOK_EVERY
        while (item := await self._next(wanted.until, look)) is not _Done:
            if isinstance(item, ApiError):
                raise item
            # Also where items come faster than that.
            if self._loop.time() >= look:
                await wanted.look()
                look = self._loop.time() + _LOOK_EVERY
            if item is not _Nothing:
                yield item  # type: ignore[misc]

    async def only(self, wanted: Wanted) -> T:
        """What the work gives, if that is one thing; otherwise as `items`."""
        try:
            return [item async for item in self.items(wanted)][-1]
        finally:
            self.end()

    def end(self) -> None:
        """Nobody waits any more: work that has not begun never does, other work is told."""
        self.cancelled.set()
        self.future.cancel()

    async def _next(self, until: float, look: float) -> _Given[T]:
        if self._loop.time() >= until:
            raise ApiError(504, "deadline", "the answer took too long")
        try:
            async with asyncio.timeout_at(min(until, look)):
                return await self._given.get()
        except TimeoutError:
            return _Nothing
