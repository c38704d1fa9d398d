"""Work in a process of its own, which a test lets die.

Processes come from a server that has the works imported and nothing running: forking them costs milliseconds, importing
LanceDB seconds. A Python process has one such server.
"""

import multiprocessing
import os
import signal
from collections.abc import Callable
from functools import wraps
from multiprocessing.context import ForkServerProcess
from typing import Any

PATIENCE = 60

_PROCESSES = multiprocessing.get_context("forkserver")
# The last is loaded when it is first needed, with much of scipy.
_PRELOADED = [*(f"{__package__}.killed_{work}" for work in ("collection", "index", "release")), "datasketch"]
_PROCESSES.set_forkserver_preload(_PRELOADED)

Work = Callable[..., None]


class DyingWrites:
    """Counts writes, and kills its own process right after the n-th."""

    def __init__(self, number: int) -> None:
        self._left = number

    def counted(self, write: Callable[..., Any]) -> Callable[..., Any]:
        """The same write, counted."""

        @wraps(write)
        def call(*given: Any, **named: Any) -> Any:
            done = write(*given, **named)
            self._left -= 1
            if not self._left:
                os.kill(os.getpid(), signal.SIGKILL)
            return done

        return call


def import_for_runs() -> None:
    """Let the server import, too, what `twin run` needs; of no effect, but on time, once the server has started."""
    _PROCESSES.set_forkserver_preload([*_PRELOADED, f"{__package__}.run_libraries"])


def started(work: Work, *given: object) -> ForkServerProcess:
    """Begin the work in a process of its own."""
    process = _PROCESSES.Process(target=work, args=given)
    process.start()
    return process


def ended(work: Work, *given: object) -> int:
    """Do the work in a process of its own; returns its exit code, negative for a signal."""
    [code] = ended_at_once((work, given))
    return code


def ended_at_once(*works: tuple[Work, tuple[object, ...]]) -> list[int]:
    """Do several works at the same time; returns their exit codes."""
    processes = [started(work, *given) for work, given in works]
    for each in processes:
        each.join(timeout=PATIENCE)
    if late := [each for each in processes if each.exitcode is None]:
        for each in late:
            each.kill()
            each.join()
        raise TimeoutError(f"{len(late)} of {works} did not end")
    return [int(each.exitcode or 0) for each in processes]


def killed_after(seconds: float, work: Work, *given: object) -> None:
    """Do the work and kill it after so many seconds, wherever it is then."""
    process = started(work, *given)
    process.join(timeout=seconds)
    process.kill()
    process.join()
