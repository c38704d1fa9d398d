"""The commands that say where things come from and go to: the lineage of anything on record, the bento of a release."""

from typing import Annotated

import typer

from llm_twin_assets.commands.options import JsonOption
from resources.settings import Environment, Settings


def lineage(
    name: Annotated[
        str, typer.Argument(help="Release, model, dataset, snapshot; a document's id, URL or path; an answer's trace.")
    ],
    author: Annotated[str | None, typer.Option("--author", "-a", help="Look at this author only.")] = None,
    up: Annotated[bool, typer.Option("--up", help="Only what it came of.")] = False,
    down: Annotated[bool, typer.Option("--down", help="Only what it led to.")] = False,
    everything: Annotated[bool, typer.Option("--all", help="Every one of many documents, too.")] = False,
    json: JsonOption = False,
) -> None:
    """What a thing came of, and what came of it: from an answer to the raw documents and back."""
    from llm_twin_assets.commands import lineage as tracing
    from llm_twin_assets.commands.console import print_json
    from llm_twin_assets.lineage.reading import trace

    environment = Environment.current()
    authors = [author] if author else sorted(Settings.load(environment.config).authors)
    both = up == down
    traced = trace(name, authors, environment, up=up or both, down=down or both)
    if json:
        return print_json(tracing.as_json(traced))
    return tracing.show(traced, up=up or both, down=down or both, limit=None if everything else tracing.SHOWN)


def bento(
    release: Annotated[str | None, typer.Argument(help="A release; whatever this code makes if left out.")] = None,
    json: JsonOption = False,
) -> None:
    """Build the bento of a release: the service with its packages pinned, without what collects and trains."""
    from llm_twin_assets.commands import bento as building
    from llm_twin_assets.commands.console import print_json

    built = building.build(release, Environment.current())
    if json:
        return print_json(building.as_json(built))
    return building.show(built)
