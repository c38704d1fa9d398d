"""`twin run` in a process of its own, forked with everything imported that a run needs (see `own_process`)."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from llm_twin_assets.cli import main


def run(author: str, variables: Mapping[str, str], log: Path) -> None:
    """What the command does, in a process group that its training process is in too, and can be killed with it."""
    os.setsid()
    os.environ.update(variables)
    with log.open("wb") as output:
        for stream in (sys.stdout, sys.stderr):
            os.dup2(output.fileno(), stream.fileno())
    sys.argv = ["twin", "run", "--author", author]
    main()
