"""Requests that arrive together are run together: one pass over the weights writes a token of each.

This is the queue they wait in and the thread that runs them; `padded_batches` and `continuous_batches` say how.
"""

import atexit
import queue
import threading
import time
import weakref
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from llm_twin_assets.inference.engine import Cancellation, EngineError, Failure, Sampling

# How often a request that hears nothing looks whether anybody still waits for it. Seconds.
LOOK = 0.05
# So long does a process that ends wait for the worker, which would abort it from within torch. Seconds.
_LAST_STEP = 5.0


@dataclass(frozen=True, slots=True)
class Batching:
    """How many requests run together, and how many may wait. `window` is how long one waits for company, in seconds.

    `deadline` is how long a request may take from its arrival to its last token, in seconds. `kind` is whether a batch
    takes nobody in once it runs (`padded`) or at every token (`continuous`); `auto` is the latter on CUDA.
    """

    size: int = 8
    window: float = 0.003
    waiting: int = 64
    deadline: float = 60.0
    kind: Literal["auto", "padded", "continuous"] = "auto"


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
                signal = self._signals.get(timeout=LOOK)
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


class Batcher(ABC):
    """The queue of an owner's requests and the worker thread that runs them, which ends with the owner.

    `room` is how many tokens a request may take, prompt and all, where not the model limits it but the memory does.
    """

    room: int | None = None

    def __init__(self, batching: Batching, owner: object) -> None:
        self._batching = batching
        self._waiting: deque[Ticket] = deque()
        self._changed = threading.Condition()
        self._closed = False
        # How long what ran last took; what waits is estimated by it.
        self._last_seconds = 0.0
        self._thread: threading.Thread | None = None
        # Nothing here holds the owner, or it would never go.
        weakref.finalize(owner, self.close)

    def submit(self, ticket: Ticket) -> None:
        """Queue a request; raises `EngineError` (saturated) where too many wait already."""
        with self._changed:
            if len(self._waiting) >= self._batching.waiting:
                rounds = 1 + len(self._waiting) // self._batching.size
                raise EngineError(
                    f"{len(self._waiting)} requests are waiting already",
                    kind=Failure.SATURATED,
                    retry_after=max(1.0, rounds * self._last_seconds),
                )
            self._waiting.append(ticket)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="engine", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def close(self) -> None:
        """End what runs, and the thread; comes back before that."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _work(self) -> None:
        atexit.register(self._exit, threading.current_thread())
        try:
            while self._turn():
                pass
        finally:
            atexit.unregister(self._exit)
            # Whatever ended it, the next request starts another.
            with self._changed:
                self._thread = None

    def _exit(self, worker: threading.Thread) -> None:
        self.close()
        worker.join(_LAST_STEP)

    @abstractmethod
    def _turn(self) -> bool:
        """Wait for requests and run what is to be run of them next; False when closed."""
