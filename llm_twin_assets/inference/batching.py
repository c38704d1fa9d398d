"""Requests that arrive together are run together: one pass over the weights writes a token of each.

Batches are padded and do not take anybody in once they run, which any model can do; a request waits for the batch
before it. See docs/answering.md for what that costs and gains.
"""

import queue
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

from llm_twin_assets.inference.engine import Cancellation, EngineError, Failure, Sampling

# How often a request that hears nothing looks whether anybody still waits for it. Seconds.
_LOOK = 0.05
# A batch waits for company this many windows at most, however many come.
_WINDOWS = 4


@dataclass(frozen=True, slots=True)
class Batching:
    """How many requests run together, and how many may wait. `window` is how long one waits for company, in seconds.

    `deadline` is how long a request may take from its arrival to its last token, in seconds.
    """

    size: int = 8
    window: float = 0.003
    waiting: int = 64
    deadline: float = 60.0


class Ticket:
    """A request under way: the worker writes its tokens, who asked waits for them."""

    def __init__(
        self,
        prompt: Sequence[int],
        sampling: Sampling,
        *,
        deadline: float,
        cancelled: Cancellation | None = None,
        hears_each: bool = False,
    ) -> None:
        self.prompt = prompt
        self.sampling = sampling
        self.tokens: list[int] = []
        self.finished = False
        self._cancelled = cancelled
        self._ends = time.monotonic() + deadline
        self._hears_each = hears_each
        self._abandoned = threading.Event()
        self._signals: queue.SimpleQueue[EngineError | bool] = queue.SimpleQueue()

    @property
    def abandoned(self) -> bool:
        """Whether it need not be run any more."""
        return self._abandoned.is_set() or self._trouble() is not None

    def abandon(self) -> None:
        """Nobody waits any more."""
        self._abandoned.set()

    def take(self, token: int, stops: Collection[int]) -> bool:
        """The next token; returns whether it was the last."""
        if self.abandoned:
            self.end()
            return True
        self.finished = token in stops
        if not self.finished:
            self.tokens.append(token)
            if len(self.tokens) < self.sampling.max_new_tokens:
                if self._hears_each:
                    self._signals.put(False)
                return False
        self.end()
        return True

    def end(self, error: EngineError | None = None) -> None:
        """Say that no token follows; a second end is not heard."""
        self._signals.put(error or True)

    def progress(self) -> Iterator[None]:
        """Comes back when there are new tokens, ends after the last; raises `EngineError`."""
        while True:
            try:
                signal = self._signals.get(timeout=_LOOK)
            except queue.Empty:
                signal = False
                if (trouble := self._trouble()) is None:
                    continue
            else:
                trouble = signal if isinstance(signal, EngineError) else self._trouble()
            if trouble is not None:
                raise trouble
            yield
            if signal:
                return

    def _trouble(self) -> EngineError | None:
        if self._cancelled is not None and self._cancelled.is_set():
            return EngineError("nobody waits for it any more", kind=Failure.CANCELLED)
        if time.monotonic() > self._ends:
            return EngineError("the model took too long", kind=Failure.DEADLINE)
        return None


class Batcher:
    """A worker thread of an owner, which ends with it: it holds the owner only while it runs a batch for it."""

    def __init__(self, batching: Batching, owner: object) -> None:
        self._batching = batching
        self._waiting: deque[tuple[Ticket, Callable[[Sequence[Ticket]], None]]] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._batch_seconds = 0.0
        self._thread: threading.Thread | None = None
        weakref.finalize(owner, self.close)

    def submit(self, ticket: Ticket, run: Callable[[Sequence[Ticket]], None]) -> None:
        """Queue a request for the next batch; raises `EngineError` (saturated) where too many wait already."""
        with self._changed:
            if len(self._waiting) >= self._batching.waiting:
                batches = 1 + len(self._waiting) // self._batching.size
                raise EngineError(
                    f"{len(self._waiting)} requests are waiting already",
                    kind=Failure.SATURATED,
                    retry_after=max(1.0, batches * self._batch_seconds),
                )
            self._waiting.append((ticket, run))
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="engine", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def close(self) -> None:
        """End the thread after the batch it runs."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _work(self) -> None:
        try:
            while self._one_batch():
                pass
        finally:
            # Whatever ended it, the next request starts another.
            with self._changed:
                self._thread = None

    def _one_batch(self) -> bool:
        # A function of its own: what it holds of the owner is gone while the thread waits.
        if not self._gathered():
            return False
        with self._changed:
            taken = [self._waiting.popleft() for _ in range(min(self._batching.size, len(self._waiting)))]
        batch = [ticket for ticket, _ in taken if not ticket.abandoned]
        if batch:
            began = time.monotonic()
            taken[0][1](batch)
            self._batch_seconds = time.monotonic() - began
        return True

    def _gathered(self) -> bool:
        """Wait for a request, then a moment for company; False when closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._waiting)
            latest = time.monotonic() + _WINDOWS * self._batching.window
            count = 0
            while count < len(self._waiting) < self._batching.size and time.monotonic() < latest:
                count = len(self._waiting)
                self._changed.wait(self._batching.window)
            return not self._closed or bool(self._waiting)
