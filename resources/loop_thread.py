"""An event loop in a thread of its own, for callers that are threads themselves and wait."""

import asyncio
import threading
import weakref
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")
Last = Callable[[], Coroutine[object, object, None]]


class LoopThread:
    """Runs coroutines until its owner is gone, and `last` then. The thread knows nothing of the owner, so it may go."""

    def __init__(self, owner: object, name: str, last: Last) -> None:
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=_run, args=(self._loop, last), name=name, daemon=True).start()
        weakref.finalize(owner, self._loop.call_soon_threadsafe, self._loop.stop)

    def submit(self, coroutine: Coroutine[object, object, T]) -> "Future[T]":
        """Begin to run it; cancelling the future cancels it, wherever it waits."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop)


def _run(loop: asyncio.AbstractEventLoop, last: Last) -> None:
    try:
        loop.run_forever()
        loop.run_until_complete(last())
    finally:
        loop.close()
