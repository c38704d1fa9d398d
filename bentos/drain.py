"""A process told to stop (SIGTERM) ends what is under way and turns away what comes; then its server hears of it.

uvicorn alone would close its socket at once, and the supervisor's, which is the same, would let callers wait in vain.
"""

import asyncio
import logging
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from bentos.errors import ApiError

_logger = logging.getLogger(__name__)

_LOOK_EVERY = 0.1
# Who is turned away comes back when another process is there.
_RETRY_AFTER = 5.0


class Drain:
    """Counts what is under way. All but the signal itself happens in the event loop's thread."""

    def __init__(self) -> None:
        self.begun = False
        self._turns_away = True
        self._under_way = 0
        self._wait: asyncio.Task[None] | None = None

    def check(self) -> None:
        """Raise `ApiError` (503) where no more requests are taken."""
        if self.begun and self._turns_away:
            raise ApiError(503, "stopping", "the service is being stopped; ask again", retry_after=_RETRY_AFTER)

    @contextmanager
    def request(self) -> Iterator[None]:
        """One request under way."""
        self._under_way += 1
        try:
            yield
        finally:
            self._under_way -= 1

    def before_stop(self, seconds: float, needed: Callable[[], bool] | None = None) -> None:
        """From now on SIGTERM waits for what is under way, `seconds` at most; call it in the event loop.

        With `needed` others are answered as long as that says so: they have to end first.
        """
        if threading.current_thread() is not threading.main_thread():
            return  # no signal comes here
        loop, stop = asyncio.get_running_loop(), signal.getsignal(signal.SIGTERM)
        self._turns_away = needed is None

        async def wait() -> None:
            until = loop.time() + seconds
            while (self._under_way or (needed is not None and needed())) and loop.time() < until:
                await asyncio.sleep(_LOOK_EVERY)
            if callable(stop):
                stop(signal.SIGTERM, None)

        def begin() -> None:
            if not self.begun:
                self.begun = True
                _logger.info("told to stop with %d requests under way", self._under_way)
                self._wait = loop.create_task(wait())

        signal.signal(signal.SIGTERM, lambda *_: loop.call_soon_threadsafe(begin))
