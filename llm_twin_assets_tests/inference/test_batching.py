import gc
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable, Sequence

import pytest

from llm_twin_assets.inference.batching import Batching, Ticket
from llm_twin_assets.inference.engine import EngineError, Failure, Sampling
from llm_twin_assets.inference.padded_batches import PaddedBatches

STOP = frozenset([0])


class Scripted(PaddedBatches):
    """Batches whose every request gets the tokens 1, 2, 3 as soon as the test lets it."""

    def __init__(self, batching: Batching, owner: object) -> None:
        super().__init__(None, [0], 0, batching, owner)
        self.batches: list[int] = []
        self.free = threading.Event()

    def _run(self, batch: Sequence[Ticket]) -> None:
        self.batches.append(len(batch))
        self.free.wait(5)
        for one in batch:
            if not one.prompt:
                raise SystemExit
            for token in (1, 2, 3):
                one.take(token, STOP)
            one.end()


class Writer:
    """An engine in small."""

    def __init__(self, batching: Batching) -> None:
        self._batches = Scripted(batching, self)
        self.batches, self.free = self._batches.batches, self._batches.free

    def ask(self, prompt: Sequence[int] = (7,), **how: object) -> Ticket:
        one = Ticket(prompt, Sampling(3), **{"deadline": 5.0, **how})
        self._batches.submit(one)
        return one


def until(happened: Callable[[], bool]) -> None:
    end = time.monotonic() + 5
    while not happened() and time.monotonic() < end:
        time.sleep(0.002)
    assert happened()


def test_requests_that_arrive_together_run_together_and_the_next_ones_after_them():
    writer = Writer(Batching(size=3, window=0.2))
    tickets = [writer.ask() for _ in range(3)]
    until(lambda: writer.batches == [3])
    tickets += [writer.ask() for _ in range(2)]
    writer.free.set()
    for each in tickets:
        assert [None for _ in each.progress()]
        assert each.tokens == [1, 2, 3]
    assert writer.batches == [3, 2]


def test_what_finds_the_queue_full_is_told_when_to_come_again():
    writer = Writer(Batching(size=1, window=0.0, waiting=1))
    writer.ask()
    until(lambda: writer.batches == [1])
    writer.ask()
    with pytest.raises(EngineError) as refused:
        writer.ask()
    assert refused.value.kind is Failure.SATURATED
    assert refused.value.retry_after
    writer.free.set()


@pytest.mark.parametrize("why", [Failure.CANCELLED, Failure.DEADLINE])
def test_a_request_that_waits_in_vain_is_told_so_and_never_run(why: Failure):
    writer = Writer(Batching(size=1, window=0.0))
    first = writer.ask()
    until(lambda: writer.batches == [1])
    cancelled = threading.Event()
    second = writer.ask(cancelled=cancelled, deadline=0.02 if why is Failure.DEADLINE else 5.0)
    if why is Failure.CANCELLED:
        cancelled.set()
    with pytest.raises(EngineError) as ended:
        list(second.progress())
    assert ended.value.kind is why
    writer.free.set()
    list(first.progress())
    third = writer.ask()
    list(third.progress())
    assert writer.batches == [1, 1]


def test_an_engine_that_nobody_holds_goes_though_its_thread_waits():
    writer = Writer(Batching(window=0.0))
    writer.free.set()
    list(writer.ask().progress())
    thread = next(each for each in threading.enumerate() if each.name == "engine" and each.is_alive())
    gone = weakref.ref(writer)
    del writer
    gc.collect()
    until(lambda: gone() is None)
    assert thread.name == "engine"


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_worker_that_dies_of_something_unforeseen_is_replaced():
    writer = Writer(Batching(window=0.0))
    writer.free.set()
    doomed = writer.ask([], deadline=0.3)
    with pytest.raises(EngineError):
        list(doomed.progress())
    assert [None for _ in writer.ask().progress()]


ENDS = """
import time
from llm_twin_assets.inference.batching import Batcher, Batching, Ticket
from llm_twin_assets.inference.engine import Sampling

class Slow(Batcher):
    def _turn(self):
        with self._changed:
            self._changed.wait_for(lambda: self._closed)
        time.sleep(0.1)
        print("ended")
        return False

class Owner: pass

owner = Owner()
Slow(Batching(), owner).submit(Ticket([7], Sampling(3), deadline=5))
"""


def test_a_process_ends_after_what_it_runs():
    # Killed within torch, a thread takes the process with it: "terminate called without an active exception".
    done = subprocess.run([sys.executable, "-c", ENDS], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "ended"
