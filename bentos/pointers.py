"""What was last read of each author's pointer, and whether there is anything to do about it. For one thread."""

import time
from collections.abc import Set


class Pointers:
    """A pointer is due when it is another than before, and again `retry` seconds after what it led to failed."""

    def __init__(self, retry: float) -> None:
        self._retry = retry
        self._read: dict[str, bytes] = {}
        self._failed_at: dict[str, float] = {}

    @property
    def known(self) -> Set[str]:
        """Authors of whom one was read."""
        return self._read.keys()

    def due(self, author: str, pointer: bytes) -> bool:
        """Whether to act on it."""
        failed_at = self._failed_at.get(author)
        failed_long_ago = failed_at is not None and time.monotonic() - failed_at >= self._retry
        return pointer != self._read.get(author) or failed_long_ago

    def taken_up(self, author: str, pointer: bytes) -> None:
        """It is being acted on."""
        self._read[author] = pointer
        self._failed_at.pop(author, None)

    def failed(self, author: str) -> None:
        """What it leads to could not be had."""
        self._failed_at[author] = time.monotonic()

    def forget(self, author: str) -> None:
        """It was taken away."""
        self._read.pop(author, None)
        self._failed_at.pop(author, None)
