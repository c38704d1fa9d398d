"""How a command fails: an expected error is one line on stderr and exit code 1, never a traceback."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

import typer

from resources.errors import TwinError

P = ParamSpec("P")


def in_one_line(function: Callable[P, None]) -> Callable[P, None]:
    """The command, with its expected errors said in one line."""

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            function(*args, **kwargs)
        except TwinError as error:
            typer.secho(f"error: {error}", fg="red", err=True)
            raise typer.Exit(1) from None

    return run
