"""Progress lines of a training process: to Dagster where it launched us, else to stderr."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from dagster_pipes import DAGSTER_PIPES_CONTEXT_ENV_VAR, open_dagster_pipes

Report = Callable[[str], None]

_SECONDS_BETWEEN_LINES = 5.0


@contextmanager
def reporting(*, quiet: bool = False) -> Iterator[Report]:
    """A way to say something to whoever launched this process; `quiet` for all but the first of several processes."""
    if quiet:
        yield lambda _line: None
    elif DAGSTER_PIPES_CONTEXT_ENV_VAR in os.environ:
        with open_dagster_pipes() as pipes:
            yield pipes.log.info
    else:
        yield _to_stderr


def _to_stderr(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


class Pace:
    """Turns steps into a line every few seconds: how far, at what loss, how long still."""

    def __init__(
        self, report: Report, total_steps: int, done: int = 0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._report = report
        self._total = total_steps
        self._resumed = done
        self._clock = clock
        self._started = self._last = clock()

    def step(self, done: int, loss: float | None, tokens: int = 0) -> None:
        """Say where the training is, if the last line is some seconds old or this is the last step."""
        now = self._clock()
        if now - self._last < _SECONDS_BETWEEN_LINES and done < self._total:
            return
        self._last = now
        left = (now - self._started) / max(1, done - self._resumed) * (self._total - done)
        said = "" if loss is None else f", loss {loss:.3f}"
        if tokens:
            said += f", {tokens / max(now - self._started, 1e-6):,.0f} tokens/s"
        self._report(f"step {done}/{self._total}{said}, {now - self._started:.0f} s gone, about {left:.0f} s left")
