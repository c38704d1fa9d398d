"""How often and how many at once: each host has its own pace, and all of them together a limit."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from resources.http.clock import Clock
from resources.http.errors import UnavailableError
from resources.http.policy import HttpPolicy
from resources.http.response import HttpCounts
from resources.http.retry import retry_at

# Shorter waits than this are not worth a turn of the event loop; they add up until they are.
_RESOLUTION = 0.001


class _Host:
    __slots__ = ("next", "paused_until", "room")

    def __init__(self, concurrency: int) -> None:
        self.room = asyncio.Semaphore(concurrency)
        self.next = 0.0
        self.paused_until = 0.0


class Pace:
    """Turns at asking. A host is a name: whatever its ports and schemes, it is probably one machine."""

    def __init__(self, policy: HttpPolicy, clock: Clock, counts: HttpCounts) -> None:
        self._policy = policy
        self._clock = clock
        self._counts = counts
        self._hosts: dict[str, _Host] = {}
        self._all = asyncio.Semaphore(policy.concurrency)

    @asynccontextmanager
    async def turn(self, name: str, delay: float, where: str) -> AsyncIterator[None]:
        """Wait for this host's next turn and take it; `delay` is the host's own (`Crawl-delay`), in seconds.

        Raises `UnavailableError` at once where the wait that the host asks for is longer than the policy's `max_wait`.
        """
        host = self._host(name)
        async with host.room:
            await self._wait(host, max(delay, 1 / self._policy.requests_per_second), where)
            # Taken last: who waits for a slow host must not keep the others from their turns.
            async with self._all:
                yield

    def pause(self, name: str, seconds: float) -> None:
        """Leave a host alone for so long: every request to it, not only the one that was told so."""
        host = self._host(name)
        host.paused_until = max(host.paused_until, self._clock.elapsed() + seconds)

    def _host(self, name: str) -> _Host:
        host = self._hosts.get(name)
        if host is None:
            host = self._hosts[name] = _Host(self._policy.concurrency_per_host)
        return host

    async def _wait(self, host: _Host, delay: float, where: str) -> None:
        now = self._clock.elapsed()
        start = max(now, host.next)
        if min(delay, start - now) > self._policy.max_wait:
            raise self._too_long(f"asks for {delay:,.0f} s between requests", start - now, where)
        host.next = start + delay
        while (left := max(start, host.paused_until) - self._clock.elapsed()) > _RESOLUTION:
            paused = host.paused_until - self._clock.elapsed()
            if paused > self._policy.max_wait + _RESOLUTION:
                raise self._too_long(f"asks not to be asked for {paused:,.0f} s", paused, where)
            self._counts.waited += left
            await self._clock.sleep(left)

    def _too_long(self, what: str, wait: float, where: str) -> UnavailableError:
        return UnavailableError(what, where=where, retry_at=retry_at(self._clock.now(), wait))
