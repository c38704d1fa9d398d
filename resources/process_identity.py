"""Which process wrote something down, and whether it still lives."""

import os
import socket
from pathlib import Path


def identity() -> str:
    """This process among all processes of all machines: host, number, and start, as numbers are given out again."""
    return f"{socket.gethostname()}:{os.getpid()}:{_started(os.getpid())}"


def is_gone(process: str) -> bool:
    """Whether a process of this machine has ended; of another machine's nothing is known, so it counts as living."""
    host, number, started = process.rsplit(":", maxsplit=2)
    if host != socket.gethostname():
        return False
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return True
    except PermissionError:  # somebody else's, so not the one that wrote it, or it is: the start says
        pass
    return _started(int(number)) != started


def _started(number: int) -> str:
    """Fields 3 and 22 of /proc/PID/stat (proc(5)): ticks from boot to start; empty on systems without.

    A zombie has ended, whether or not its parent will ever ask how.
    """
    try:
        fields = Path(f"/proc/{number}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return ""
    return "ended" if fields[0] in ("Z", "X") else fields[19]
