"""`twin canary`: how a release that is tried on a share of the requests does, and an end to it."""

from typing import TYPE_CHECKING, Annotated

import typer

from llm_twin_assets.commands.failing import in_one_line
from llm_twin_assets.commands.options import AuthorOption, JsonOption, ReasonOption
from llm_twin_assets.commands.records import records

if TYPE_CHECKING:
    from llm_twin_assets.domain.canary import Figures
    from llm_twin_assets.domain.release import Release
    from resources.object_store import ObjectStore

canary = typer.Typer(name="canary", no_args_is_help=True, help="Show or stop a release that is tried on a share.")


@canary.command()
@in_one_line
def show(author: AuthorOption, json: JsonOption = False) -> None:
    """How the canary does beside what serves."""
    from llm_twin_assets.commands.console import OUT, print_json
    from llm_twin_assets.domain.canary_records import ended, read_figures
    from llm_twin_assets.domain.released import read_tried

    store = records()
    tried = read_tried(store, author)
    if tried is None or tried.canary is None:
        return OUT.print(f"No release of '{author}' has been tried as a canary.")
    figures, ending = read_figures(store, tried), ended(store, tried)
    if json:
        return print_json(
            {
                "release": tried.release_id,
                "state": _state(store, tried),
                "terms": tried.canary.model_dump(),
                "figures": figures.model_dump(),
                "ended": ending.model_dump(mode="json") if ending else None,
            }
        )
    OUT.print(f"{tried.release_id} (model version {tried.model_version}) {_state(store, tried)}", markup=False)
    if ending:
        OUT.print(f"by {ending.by}: {ending.reason}", markup=False)
    return _table(figures)


@canary.command()
@in_one_line
def stop(
    author: AuthorOption,
    by: Annotated[str, typer.Option("--by", help="Your name: it goes on record.")],
    reason: ReasonOption,
) -> None:
    """End the canary within a second, and say no to its model."""
    from datetime import UTC, datetime

    from llm_twin_assets.commands.console import OUT
    from llm_twin_assets.release.canary import stop as end

    ended = end(records(), author, by, reason, datetime.now(UTC))
    said = f"{ended.release_id} answers nobody any more." if ended else f"No canary of '{author}' is running."
    OUT.print(said, markup=False)


def _state(store: "ObjectStore", tried: "Release") -> str:
    from llm_twin_assets.domain.canary_records import ended, running_canary

    if ended(store, tried):
        return "was ended"
    if running_canary(store, tried.author) is None or tried.canary is None:
        return "is no canary any more"
    until = (
        f"{tried.canary.minutes:g} minutes and {tried.canary.min_answers} answers from {tried.released_at:%H:%M} UTC, "
        f"{tried.canary.max_days:g} days at most"
    )
    return f"answers {tried.canary.share:.0%} of the requests, for {until}"


def _table(figures: "Figures") -> None:
    from rich.table import Table

    from llm_twin_assets.commands.console import OUT

    table = Table("", "answers", "failed", "degraded", box=None, pad_edge=False)
    for name, seen in (("canary", figures.canary), ("what serves", figures.served)):
        table.add_row(name, str(seen.answers), str(seen.failed), str(seen.degraded))
    OUT.print(table)
