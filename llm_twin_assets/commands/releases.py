"""`twin releases`: what was released, and what serves."""

from dataclasses import dataclass

from rich.markup import escape
from rich.table import Table

from llm_twin_assets.commands.console import OUT
from llm_twin_assets.commands.decide import objects
from llm_twin_assets.datasets.version import stale
from llm_twin_assets.domain.canary_records import ended
from llm_twin_assets.domain.release import Release
from llm_twin_assets.release.records import current_release, releases, verdict_of
from resources.settings import Environment

_HOW = {"rolled_back": " (roll-back)", "forget": " (forgetting)"}


@dataclass(frozen=True, slots=True)
class Listed:
    """All releases of an author, oldest first, the one that serves, the ids of those whose model learnt from a document
    that was forgotten since, and of those that were tried and never served."""

    releases: list[Release]
    current: Release | None
    stale: frozenset[str] = frozenset()
    only_tried: frozenset[str] = frozenset()


def _how(release: Release, found: Listed) -> str:
    return " (canary, ended)" if release.release_id in found.only_tried else _HOW.get(release.decision, "")


def listed(author: str, environment: Environment) -> Listed:
    """Read the records."""
    store = objects(environment)
    past = releases(store, author)
    stale_ones = frozenset(each.release_id for each in past if stale(store, f"datasets/{author}/{each.dataset}"))
    only_tried = frozenset(each.release_id for each in past if each.canary and ended(store, each))
    return Listed(past, current_release(store, author), stale_ones, only_tried)


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
            escape(release.approver) + _how(release, found),
            escape(release.reason or ""),
            f"[yellow]{escape(verdict_of(release))}[/]" if release.override else escape(verdict_of(release)),
        )
    OUT.print(table)
    if found.stale:
        OUT.print(
            f"[yellow]stale[/]: a dataset with a document that was forgotten since ({', '.join(sorted(found.stale))})"
        )
