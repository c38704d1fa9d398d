"""`twin releases`: what was released, and what serves."""

from dataclasses import dataclass

from rich.markup import escape
from rich.table import Table

from llm_twin_assets.commands.console import OUT
from llm_twin_assets.commands.decide import objects
from llm_twin_assets.domain.release import Release
from llm_twin_assets.release.records import current_release, releases, verdict_of
from resources.settings import Environment


@dataclass(frozen=True, slots=True)
class Listed:
    """All releases of an author, oldest first, and the one that serves."""

    releases: list[Release]
    current: Release | None


def listed(author: str, environment: Environment) -> Listed:
    """Read the records."""
    store = objects(environment)
    return Listed(releases(store, author), current_release(store, author))


def show(found: Listed) -> None:
    """A table, newest first; the arrow marks what serves."""
    if not found.releases:
        OUT.print("Nothing has been released yet.")
        return
    table = Table("", "release", "model", "snapshot", "released", "who", "why", "gate", box=None)
    for release in reversed(found.releases):
        serves = found.current is not None and release.release_id == found.current.release_id
        table.add_row(
            "→" if serves else "",
            release.release_id,
            release.model_version,
            release.snapshot,
            f"{release.released_at:%Y-%m-%d %H:%M} UTC",
            escape(release.approver) + (" (roll-back)" if release.decision == "rolled_back" else ""),
            escape(release.reason or ""),
            f"[yellow]{escape(verdict_of(release))}[/]" if release.override else escape(verdict_of(release)),
        )
    OUT.print(table)
