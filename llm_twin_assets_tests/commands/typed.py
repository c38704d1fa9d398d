"""What a person types and what `twin` says to it."""

from collections.abc import Callable
from pathlib import Path

from typer.testing import Result

# `twin("run", "--author", "maya")`
Twin = Callable[..., Result]
# `configure(training={"base": "./mine"})` writes twin.yaml.
Configure = Callable[..., Path]


def said(result: Result) -> str:
    """The one error line of a command that failed as it should."""
    assert result.exit_code == 1, result.output
    assert "Traceback" not in result.output
    errors = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1, result.stderr
    assert result.stderr.splitlines()[-1] == errors[0]
    return errors[0]
