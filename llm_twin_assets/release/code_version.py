"""Which code a release was made with."""

import subprocess
from importlib.metadata import version
from pathlib import Path


def code_version() -> str:
    """The package's version, and the commit where it runs from a checkout; `+changed` if that has uncommitted work."""
    released = version("llm-twin")
    checkout = Path(__file__).parents[2]
    if not (checkout / ".git").exists():
        return released
    try:
        command = ["git", "-C", str(checkout), "describe", "--always", "--exclude=*", "--dirty=.changed"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return released
    return f"{released}+{done.stdout.strip()}"
