"""Questions answered by the service's own code, in a process of its own."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from tempfile import TemporaryFile
from typing import TextIO

from pydantic import TypeAdapter

from llm_twin_assets.domain.release import Release
from llm_twin_assets.inference.batch import BatchAnswer, BatchFailure, BatchQuestion
from resources.errors import TwinError
from resources.settings import Environment

_GIVEN: TypeAdapter[BatchAnswer | BatchFailure] = TypeAdapter(BatchAnswer | BatchFailure)


class BatchError(TwinError):
    """The process that answers ended before it had answered."""


def answered(
    release: Release, questions: Sequence[BatchQuestion], environment: Environment
) -> Iterator[BatchAnswer | BatchFailure]:
    """What the release answers, as it comes, in the order of the questions; raises `BatchError`.

    A process of its own, as before a switch (release/smoke.py): what a model takes of memory is given back, and what
    takes it down takes nothing else. It ends with this iterator, and when nobody reads it any more.
    """
    with TemporaryFile("w+", encoding="utf-8") as said, subprocess.Popen(
        [sys.executable, "-m", "bentos.batch"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=said,
        encoding="utf-8",
        env={**os.environ, "TWIN_HOME": environment.home, "TWIN_CONFIG": str(environment.config)},
    ) as process:  # fmt: skip
        assert process.stdin is not None  # noqa: S101 - for the type checker
        assert process.stdout is not None  # noqa: S101 - as above
        try:
            # It reads to the end before it answers: neither waits for the other.
            process.stdin.writelines(f"{each.model_dump_json()}\n" for each in (release, *questions))
            process.stdin.close()
            for line in process.stdout:
                yield _GIVEN.validate_json(line)
            if process.wait():
                raise BatchError(_last_line(said) or f"it ended with {process.returncode}", where=release.release_id)
        except BrokenPipeError:
            process.wait()
            raise BatchError(_last_line(said), where=release.release_id) from None
        finally:
            process.kill()


def _last_line(said: TextIO) -> str:
    said.seek(0)
    return (said.read().strip().splitlines() or [""])[-1]
