"""Bounded concurrency for fetching: many pages at once, few in memory."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


async def as_completed(items: Iterable[T], work: Callable[[T], Awaitable[R]], limit: int) -> AsyncIterator[R]:
    """Results in the order of completion, at most `limit` begun and not yet taken; the first error ends all."""
    waiting = iter(items)
    running: set[asyncio.Task[R]] = set()

    def begin() -> None:
        for item in waiting:
            running.add(asyncio.ensure_future(work(item)))
            if len(running) >= limit:
                return

    try:
        begin()
        while running:
            done, running_now = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            running = running_now
            for task in done:
                yield task.result()
            begin()
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def in_thread(items: Iterator[T], batch: int = 100) -> AsyncIterator[T]:
    """Items of an iterator that computes or waits for a disk, `batch` at a time, beside the event loop."""
    try:
        while some := await asyncio.to_thread(lambda: list(islice(items, batch))):
            for item in some:
                yield item
    finally:
        # What the iterator holds open (a temporary folder) goes with it, and not when it is collected.
        close = getattr(items, "close", None)
        if close:
            await asyncio.to_thread(close)
