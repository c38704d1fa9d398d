"""Time as the client sees it; a test puts its own in its place and never sleeps."""

import asyncio
import time


class Clock:
    """The machine's own time."""

    def now(self) -> float:
        """Unix time, in seconds: what servers' dates are compared with."""
        return time.time()

    def elapsed(self) -> float:
        """Seconds since some fixed moment; never goes back."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Let others run for so long."""
        await asyncio.sleep(seconds)
