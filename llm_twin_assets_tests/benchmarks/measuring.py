"""What every benchmark uses: commands run by turns, medians, a row for the table."""

import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    what: str
    measured: str
    bound: str = ""
    holds: bool = True


@dataclass(frozen=True, slots=True)
class Cost:
    """Medians in seconds: by the clock, and of processor time, which a busy machine does not change as much."""

    wall: float
    cpu: float


def interleaved(commands: Mapping[str, Sequence[str]], rounds: int = 7) -> dict[str, Cost]:
    """Costs of `python …` commands, run by turns so that whatever else the machine does meets all of them alike."""
    runs: dict[str, list[Cost]] = {name: [] for name in commands}
    for number in range(rounds + 1):
        for name, arguments in commands.items():
            cost = _once(arguments)
            if number:  # the first round warms the file cache
                runs[name].append(cost)
    return {
        name: Cost(statistics.median(run.wall for run in each), statistics.median(run.cpu for run in each))
        for name, each in runs.items()
    }


def _once(arguments: Sequence[str]) -> Cost:
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(arguments)} ended with {done.returncode}: {done.stderr[-500:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(time.perf_counter() - began, cpu)
