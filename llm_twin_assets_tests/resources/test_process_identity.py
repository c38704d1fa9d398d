import os
import subprocess
import sys

from resources.process_identity import identity, is_gone


def test_this_process_is_not_gone() -> None:
    assert not is_gone(identity())


def test_a_process_that_ended_is_gone_and_so_is_one_whose_number_another_has() -> None:
    code = "from resources.process_identity import identity; print(identity())"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    host, _, _ = identity().rsplit(":", maxsplit=2)

    assert is_gone(ended)
    assert is_gone(f"{host}:{os.getpid()}:1")


def test_of_another_machine_nothing_is_known() -> None:
    assert not is_gone("another-machine:1:1")


def test_a_process_that_nobody_has_asked_how_it_ended_is_gone() -> None:
    code = "import sys; from resources.process_identity import identity; sys.stdout.write(identity())"
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    said = child.stdout.read()  # to its end: it is ending, and a zombie until we ask
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)

    assert is_gone(said)
    child.wait()
