"""A service that keeps failing is left alone for a while; then one request at a time tries whether it is back."""

import threading
from collections.abc import Callable


class CircuitBreaker:
    """Open after so many `failures` in a row, for `pause` seconds by `clock`; then half open: one may try.

    Nygard, "Release It!" (2007), chapter 5.
    """

    def __init__(self, failures: int, pause: float, clock: Callable[[], float]) -> None:
        self._most = failures
        self._pause = pause
        self._clock = clock
        self._failures = 0
        self._opened = 0.0
        self._tries = False
        self._lock = threading.Lock()

    def wait(self) -> float:
        """Seconds to wait before asking; 0 lets the caller ask, who has to say then how it went."""
        with self._lock:
            if self._failures < self._most:
                return 0.0
            left = self._opened + self._pause - self._clock()
            if left > 0 or self._tries:
                return max(left, 1.0)
            self._tries = True
            return 0.0

    @property
    def is_open(self) -> bool:
        """Whether the service is being left alone; to look changes nothing."""
        with self._lock:
            return self._failures >= self._most and self._opened + self._pause > self._clock()

    def succeeded(self) -> None:
        """The service answered."""
        with self._lock:
            self._failures, self._tries = 0, False

    def failed(self) -> None:
        """The service did not answer."""
        with self._lock:
            self._failures += 1
            self._opened, self._tries = self._clock(), False

    def unknown(self) -> None:
        """Nobody waited for how it went: it counts neither way."""
        with self._lock:
            self._tries = False
