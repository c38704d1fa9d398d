"""Work in a process of its own, which a test lets die.

Processes come from a server that has the works imported and nothing running: forking them costs milliseconds, importing
LanceDB seconds. A Python process has one such server.
"""

import multiprocessing
import os
import signal
from collections.abc import Callable
from functools import wraps
from typing import Any

PATIENCE = 60

_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload([f"{__package__}.killed_index", f"{__package__}.killed_release"])

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


def ended(work: Work, *given: object) -> int:
    """Do the work in a process of its own; returns its exit code, negative for a signal."""
    [code] = ended_at_once((work, given))
    return code


def ended_at_once(*works: tuple[Work, tuple[object, ...]]) -> list[int]:
    """Do several works at the same time; returns their exit codes."""
    processes = [_PROCESSES.Process(target=work, args=given) for work, given in works]
    for each in processes:
        each.start()
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
    process = _PROCESSES.Process(target=work, args=given)
    process.start()
    process.join(timeout=seconds)
    process.kill()
    process.join()
