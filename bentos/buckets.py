"""Rates: a token bucket for each key, in requests and in the model's tokens."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from resources.access_settings import Access
from resources.api_keys import ApiKey


class Bucket:
    """Fills evenly up to a minute's worth. What is known only afterwards may overdraw it, and is waited for."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_second = per_minute / 60
        self._most = float(per_minute)
        self._held = self._most
        self._clock = clock
        self._at = clock()
        self._lock = threading.Lock()

    def take(self, amount: float) -> float:
        """Seconds to wait until so much can be had; 0 if it was taken."""
        with self._lock:
            self._fill()
            if self._held >= amount:
                self._held -= amount
                return 0.0
            return (amount - self._held) / self._per_second

    def draw(self, amount: float) -> None:
        """Take what was used already."""
        with self._lock:
            self._fill()
            self._held -= amount

    def _fill(self) -> None:
        now = self._clock()
        self._held = min(self._most, self._held + (now - self._at) * self._per_second)
        self._at = now


@dataclass(frozen=True, slots=True)
class Allowance:
    """What one key may use up."""

    requests: Bucket
    tokens: Bucket


class Allowances:
    """One for each key; a key whose record changes begins anew."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._of: dict[str, tuple[ApiKey, Allowance]] = {}

    def of(self, key: ApiKey) -> Allowance:
        """The allowance of a key."""
        known = self._of.get(key.name)
        if known is None or known[0] != key:
            requests = key.requests_per_minute or self._access.requests_per_minute
            tokens = key.tokens_per_minute or self._access.tokens_per_minute
            # Two first requests at once may each make one: a request more for a new key, no lock for all.
            known = self._of[key.name] = (key, Allowance(Bucket(requests), Bucket(tokens)))
        return known[1]
