"""A training process ends with the process that started it, however that ended.

Its standard input is a pipe whose other end the starting process holds. The kernel closes that end when its holder
dies, be it by SIGKILL; every process of a training, also those that torchrun starts in sessions of their own, inherits
the pipe and sees its end.
"""

import os
import signal
import threading
import time
from collections.abc import Mapping

VARIABLE = "TWIN_LIFELINE"
_GRACE = 5.0


def hold(environment: Mapping[str, str]) -> None:
    """From now on end with the starter, if it said that it holds the other end; a terminal's input is left alone."""
    if environment.get(VARIABLE) == "stdin":
        threading.Thread(target=_end_with_starter, name="lifeline", daemon=True).start()


def _end_with_starter() -> None:
    while os.read(0, 1):  # nobody writes into it
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_GRACE)
    os._exit(128 + signal.SIGTERM)
