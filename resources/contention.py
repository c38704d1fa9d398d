"""Several writers on one table: what loses against another is repeated."""

import random
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

# Lance retries a MERGE by itself, but not a CreateIndex that met another, and asks for it in the message; two that
# write a column's metadata it calls incompatible (lance 13, io/commit/conflict_resolver.rs). Its Python errors have no
# class of their own.
_CONFLICTS = ("commit conflict", "incompatible transaction")
_ATTEMPTS = 14


def insist(action: Callable[[], T]) -> T:
    """Run `action`, again and with jitter while it loses to another writer; it has to open its table anew each time."""
    for attempt in range(_ATTEMPTS - 1):
        try:
            return action()
        except RuntimeError as error:
            if not any(sign in str(error).lower() for sign in _CONFLICTS):
                raise
            time.sleep(random.uniform(0.02, 0.1) * 2 ** min(attempt, 5))  # noqa: S311 - jitter, not a secret
    return action()
