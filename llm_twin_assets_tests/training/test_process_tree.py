import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from llm_twin_assets.training.process_tree import run_tree

FAMILY = [sys.executable, str(Path(__file__).with_name("family.py"))]
STARTER = """
import os, sys
from llm_twin_assets.training.process_tree import run_tree
run_tree(sys.argv[1:], os.environ, 0.5)
"""


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return False


def is_gone(file: Path) -> bool:
    pid = int(file.read_text())
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_a_command_ends_with_its_exit_code() -> None:
    assert run_tree([sys.executable, "-c", "raise SystemExit(7)"], os.environ) == 7


def test_an_interrupted_wait_ends_every_process_even_one_that_ignores_sigterm(tmp_path: Path) -> None:
    def interrupt() -> None:
        wait_for(lambda: (tmp_path / "ready").exists())
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    # Tests that a shell runs in the background inherit that SIGINT is ignored.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    threading.Thread(target=interrupt).start()
    try:
        with pytest.raises(KeyboardInterrupt):
            run_tree([*FAMILY, str(tmp_path), "stays"], os.environ, grace=0.5)
    finally:
        signal.signal(signal.SIGINT, before)

    assert is_gone(tmp_path / "stubborn")


def test_what_a_command_leaves_behind_ends_with_it(tmp_path: Path) -> None:
    assert run_tree([*FAMILY, str(tmp_path), "leaves"], os.environ, grace=0.5) == 0

    assert wait_for(lambda: is_gone(tmp_path / "stubborn"), 10)


def test_all_end_when_the_starter_itself_is_killed(tmp_path: Path) -> None:
    starter = subprocess.Popen([sys.executable, "-c", STARTER, *FAMILY, str(tmp_path), "stays"])
    assert wait_for(lambda: (tmp_path / "ready").exists())

    starter.send_signal(signal.SIGKILL)
    starter.wait()

    assert wait_for(lambda: is_gone(tmp_path / "stubborn"), 10)
