"""Runs a command with all the processes it starts, and leaves none of them behind."""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from llm_twin_assets.training import lifeline

if TYPE_CHECKING:
    import psutil  # type: ignore[import-untyped]

# Seconds that processes get to end by themselves, between SIGTERM and SIGKILL.
GRACE = 10.0


def run_tree(command: Sequence[str], environment: Mapping[str, str], grace: float = GRACE) -> int:
    """Run a command to its end; returns its exit code.

    Whatever ends the waiting, a cancelled run or Ctrl-C, ends every process that the command has started.
    """
    process = subprocess.Popen(
        command,
        env={**environment, lifeline.VARIABLE: "stdin"},
        stdin=subprocess.PIPE,
        # Ctrl-C in a terminal reaches us alone, and we end the others in order.
        start_new_session=True,
    )
    try:
        return process.wait()
    finally:
        end_tree(process, grace)


def end_tree(process: "subprocess.Popen[bytes]", grace: float = GRACE) -> None:
    """End a process and all its descendants: SIGTERM first, SIGKILL for those that are still there after the grace."""
    import psutil

    ours = _family(process)
    for signal_number in (signal.SIGTERM, signal.SIGKILL):
        for each in ours:
            _send(each, signal_number)
        _, alive = psutil.wait_procs(ours, timeout=grace)
        # A launcher may have started others meanwhile.
        ours = [*alive, *(each for each in _family(process) if each not in alive)]
        if not ours:
            break
    _end_group(process.pid)
    if process.stdin:
        process.stdin.close()  # the lifeline: ends what has left the family
    process.wait()


def _family(process: "subprocess.Popen[bytes]") -> "list[psutil.Process]":
    import psutil

    if process.poll() is not None:  # its number may be another's by now
        return []
    try:
        root = psutil.Process(process.pid)
        return [*root.children(recursive=True), root]
    except psutil.NoSuchProcess:
        return []


def _send(process: "psutil.Process", signal_number: int) -> None:
    import psutil

    try:
        process.send_signal(signal_number)
    except psutil.NoSuchProcess:
        return


def _end_group(group: int) -> None:
    """What the command left behind in its own session when it ended."""
    try:
        os.killpg(group, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):  # nobody there; macOS forbids it for a group of zombies
        return
