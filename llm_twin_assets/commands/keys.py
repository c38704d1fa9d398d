"""`twin keys`: who may ask the service. A key is shown once, when it is made; its digest is kept."""

from pathlib import Path
from typing import Annotated

import typer

from llm_twin_assets.commands.failing import in_one_line
from resources.api_keys import ENDPOINTS, keys_file, new_key, read_keys, write_keys
from resources.errors import ConfigurationError
from resources.settings import Environment

keys = typer.Typer(name="keys", no_args_is_help=True, help="Make, list and revoke API keys of the service.")

NameArgument = Annotated[str, typer.Argument(help="Whose key it is: a person, a page, a program.")]


@keys.command()
@in_one_line
def new(
    name: NameArgument,
    author: Annotated[list[str] | None, typer.Option(help="Only this author's twin; may be repeated.")] = None,
    endpoint: Annotated[
        list[str] | None, typer.Option(help=f"Only this of {', '.join(ENDPOINTS)}; may be repeated.")
    ] = None,
    requests: Annotated[int | None, typer.Option(min=1, help="Requests a minute; twin.yaml's if left out.")] = None,
    tokens: Annotated[int | None, typer.Option(min=1, help="The model's tokens a minute.")] = None,
    held_by: Annotated[
        str | None, typer.Option(help="The author whose own key it is: corrections with it are the author's words.")
    ] = None,
) -> None:
    """Make a key and print it, once. A running service knows it at once."""
    path = _path()
    known = read_keys(path)
    if any(each.name == name for each in known):
        raise ConfigurationError(f"there is a key '{name}' already", mend=f"First `twin keys revoke {name}`.")
    token, key = new_key(
        name,
        authors=tuple(author) if author else None,
        endpoints=tuple(endpoint) if endpoint else None,
        requests_per_minute=requests,
        tokens_per_minute=tokens,
        held_by=held_by,
    )
    write_keys(path, [*known, key])
    typer.echo(token)
    typer.echo(f"Kept in {path} as its digest alone: this is the only time it is shown.", err=True)


@keys.command(name="list")
@in_one_line
def list_() -> None:
    """The keys there are, and what each is for."""
    from rich.table import Table

    from llm_twin_assets.commands.console import OUT

    table = Table("name", "authors", "endpoints", "held by", "made", box=None)
    for key in read_keys(_path()):
        table.add_row(
            key.name,
            ", ".join(key.authors) if key.authors is not None else "all",
            ", ".join(key.endpoints) if key.endpoints is not None else "all",
            key.held_by or "",
            f"{key.created_at:%Y-%m-%d %H:%M} UTC",
        )
    OUT.print(table)


@keys.command()
@in_one_line
def revoke(name: NameArgument) -> None:
    """Take a key back. It stops working at once, and so do answers under way with it."""
    path = _path()
    known = read_keys(path)
    kept = [each for each in known if each.name != name]
    if len(kept) == len(known):
        raise ConfigurationError(f"there is no key '{name}'", where=str(path), mend="See `twin keys list`.")
    write_keys(path, kept)


def _path() -> Path:
    if path := keys_file(Environment.current()):
        return path
    raise ConfigurationError("TWIN_HOME is a bucket", mend="Name a file of this machine: TWIN_KEYS_FILE.")
