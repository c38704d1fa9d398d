"""What was worked out once for a release: vectors of questions, and whole answers. Bounded by count and by bytes."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from llm_twin_assets.features.retrieve import QuestionEncoder, Reader
from llm_twin_assets.inference.engine import Cancellation

V = TypeVar("V")

# How long to wait for what somebody else is working out, and how often to look whether it is still wanted. Seconds.
_PATIENCE, _LOOK = 60.0, 0.05


class LruCache(Generic[V]):
    """The values used last, for several threads. One that alone is larger than `max_bytes` is not kept."""

    def __init__(self, max_items: int, max_bytes: int, size: Callable[[V], int]) -> None:
        self._max_items = max_items
        self._max_bytes = max_bytes
        self._size = size
        self._values: OrderedDict[str, tuple[V, int]] = OrderedDict()
        self._bytes = 0
        self.hits = 0
        self.misses = 0
        self._under_way: dict[str, threading.Event] = {}
        self._lock = threading.Lock()

    @contextmanager
    def alone(self, key: str, cancelled: Cancellation | None = None) -> Iterator[None]:
        """Work on a value that nobody else is working on: whoever comes meanwhile waits, and mostly finds it then.

        If it is not there even then, those who waited all work on it: they wait once, whatever fails. So does who has
        waited for a minute, or need not any more.
        """
        if not self._max_items or not self._max_bytes:  # nothing is kept that would be worth the wait
            yield
            return
        mine = threading.Event()
        with self._lock:
            theirs = self._under_way.setdefault(key, mine)
        if theirs is not mine:
            until = time.monotonic() + _PATIENCE
            while not theirs.wait(_LOOK) and time.monotonic() < until and not (cancelled and cancelled.is_set()):
                pass
            yield
            return
        try:
            yield
        finally:
            with self._lock:
                del self._under_way[key]
            mine.set()

    def get(self, key: str) -> V | None:
        """The value, which is now the one used last."""
        with self._lock:
            if (kept := self._values.get(key)) is None:
                self.misses += 1
                return None
            self.hits += 1
            self._values.move_to_end(key)
            return kept[0]

    def put(self, key: str, value: V) -> None:
        """Keep a value; those not used for longest go."""
        size = self._size(value) + len(key.encode())
        with self._lock:
            if (before := self._values.pop(key, None)) is not None:
                self._bytes -= before[1]
            self._values[key] = (value, size)
            self._bytes += size
            while self._values and (len(self._values) > self._max_items or self._bytes > self._max_bytes):
                _, (_, freed) = self._values.popitem(last=False)
                self._bytes -= freed


class CachedEncoder:
    """An embedding model that remembers what it was asked; for one retriever, so for one release."""

    def __init__(self, encoder: QuestionEncoder, max_items: int, max_bytes: int) -> None:
        self.encoder = encoder
        self.vectors: LruCache[NDArray[np.float32]] = LruCache(max_items, max_bytes, lambda vector: vector.nbytes)

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """A vector a text; only those that are new cost anything."""
        known = {text: vector for text in texts if (vector := self.vectors.get(text)) is not None}
        new = [text for text in dict.fromkeys(texts) if text not in known]
        if new:
            for text, vector in zip(new, self.encoder.encode(new), strict=True):
                known[text] = vector.copy()  # a row alone, not the whole batch behind it
                self.vectors.put(text, known[text])
        return np.stack([known[text] for text in texts])

    def familiarity(self, text: str) -> float:
        """How much of a text the model can read, from 0 to 1; all of it where it does not say."""
        return self.encoder.familiarity(text) if isinstance(self.encoder, Reader) else 1.0
