"""`twin pause` and `twin resume`: what an alarm may do, by hand, and its end."""

import getpass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from llm_twin_assets.commands.options import ByOption
from llm_twin_assets.commands.records import records
from resources.errors import StorageError, TwinError

if TYPE_CHECKING:
    from llm_twin_assets.domain.pause import Pause

WhoseArgument = Annotated[str, typer.Argument(metavar="AUTHOR", help="The author's key in twin.yaml.")]


def pause(
    author: WhoseArgument,
    reason: Annotated[str, typer.Option("--reason", help="Why, in a sentence: it goes on record.")],
    by: ByOption = None,
) -> None:
    """Let a twin only quote its author, at once, until `twin resume`. Its answers say that they are degraded."""
    from llm_twin_assets.domain import pause as pauses
    from llm_twin_assets.domain.released import pointer

    objects = records()
    if objects.find(pointer(author)) is None:
        raise TwinError(f"no twin of '{author}' is released", mend="See `twin releases`.")
    wanted = pauses.Pause(author=author, by=by or getpass.getuser(), reason=reason, since=datetime.now(UTC))
    typer.echo(said(pauses.pause(objects, wanted)))


def resume(author: WhoseArgument, by: ByOption = None) -> None:
    """Let the model of a paused twin answer again."""
    from llm_twin_assets.domain import pause as pauses
    from llm_twin_assets.monitoring.actions import stamp
    from llm_twin_assets.monitoring.alarm_records import change, find

    objects = records()
    try:
        found = pauses.read_pause(objects, author)
    except StorageError:
        found = None  # whatever lies there goes
    if not pauses.resume(objects, author):
        raise TwinError(f"the twin of '{author}' is not paused")
    if found and found.alarm_id and find(objects, author, found.alarm_id):
        line = f"resume: by {by or getpass.getuser()} ({stamp(datetime.now(UTC))})"
        change(objects, author, found.alarm_id, lambda one: one.model_copy(update={"acted": (*one.acted, line)}))
    typer.echo(f"The twin of {author} answers again.")


def said(pause: "Pause") -> str:
    """A pause in words, with what ends it."""
    since = f"{pause.since:%Y-%m-%d %H:%M} UTC"
    return (
        f"The twin of {pause.author} only quotes since {since}, by {pause.by}: {pause.reason}\n"
        f"  → twin resume {pause.author}"
    )
