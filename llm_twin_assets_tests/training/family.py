"""A process that leaves children behind: one in a session of its own, which shrugs SIGTERM off."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from llm_twin_assets.training import lifeline

_STUBBORN = """
import os, signal, sys, time
from llm_twin_assets.training import lifeline
signal.signal(signal.SIGTERM, signal.SIG_IGN)
lifeline._GRACE = 0.2
lifeline.hold(os.environ)
open(sys.argv[1], "w").write(str(os.getpid()))
time.sleep(300)
"""


def main(folder: Path, *, stays: bool) -> None:
    subprocess.Popen([sys.executable, "-c", _STUBBORN, str(folder / "stubborn")], start_new_session=True)
    while not (folder / "stubborn").exists():
        time.sleep(0.05)
    (folder / "ready").touch()
    if stays:
        time.sleep(300)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    lifeline.hold(os.environ)
    main(Path(sys.argv[1]), stays=sys.argv[2] == "stays")
