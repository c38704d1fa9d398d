"""The test before the switch: the service itself answers one question on the new release, in a process of its own."""

import os
import subprocess
import sys

from llm_twin_assets.domain.release import Release
from resources.errors import TwinError
from resources.settings import Environment


class SmokeFailedError(TwinError):
    """A release that does not answer; the old one goes on serving."""


def smoke_test(release: Release, environment: Environment, seconds: float) -> str:
    """What the service says of it, in a line; raises `SmokeFailedError`.

    A process of its own: what a model takes of memory is given back, and what takes it down takes nothing else.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-m", "bentos.smoke"],
            input=release.model_dump_json(),
            env={**os.environ, "TWIN_HOME": environment.home, "TWIN_CONFIG": str(environment.config)},
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise _failed(release, f"it did not answer within {seconds:.0f} s") from None
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise _failed(release, said[-1] if said else f"the service ended with {done.returncode}")
    return done.stdout.strip().splitlines()[-1]


def _failed(release: Release, why: str) -> SmokeFailedError:
    return SmokeFailedError(
        f"version {release.model_version} with {release.snapshot} failed its test, the old release goes on: {why}",
        where=f"{release.author}",
        mend="Nothing was switched.",
    )
