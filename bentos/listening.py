"""Where this process listens, and whether it may: without keys at this machine's own address alone."""

import ipaddress
import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from resources.errors import ConfigurationError

_MEND = "Make one with `twin keys new NAME`, or serve at 127.0.0.1."


def check_address(*, keys_needed: bool, mend: str = _MEND) -> None:
    """Raise `ConfigurationError` if others could reach the service and nobody had to show a key."""
    if keys_needed:
        return
    if open_to := [address for address in _addresses() if not ipaddress.ip_address(address).is_loopback]:
        _end_supervisor()
        raise ConfigurationError(
            f"it would answer everybody who reaches {open_to[0]}: there are no API keys",
            mend=mend,
        )


def _end_supervisor() -> None:
    """BentoML's supervisor would start a worker that refuses again and again."""
    if "--worker-id" in sys.argv:  # what a supervisor's worker is started with, and no other
        os.kill(os.getppid(), signal.SIGTERM)


def _addresses() -> Iterator[str]:
    """Of every socket that this process was given to listen at: BentoML's worker gets it as a number alone."""
    for number in [int(each.name) for each in Path("/dev/fd").iterdir() if each.name.isdecimal()]:
        # Closed since, no socket, or of no internet.
        with suppress(OSError, ValueError), socket.socket(fileno=os.dup(number)) as found:
            listens = found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
            if listens and found.family in (socket.AF_INET, socket.AF_INET6):
                yield found.getsockname()[0]
