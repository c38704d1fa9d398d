"""The commands by which a person decides on a model: approve, reject, roll back; and the list of what came of it."""

from typing import Annotated

import typer

from llm_twin_assets.commands.options import (
    ApproverOption,
    AuthorOption,
    JsonOption,
    OverrideOption,
    ReasonOption,
    VersionOption,
)
from resources.settings import Environment


def approve(
    author: AuthorOption,
    approver: ApproverOption,
    reason: ReasonOption,
    version: VersionOption = None,
    override: OverrideOption = False,
) -> None:
    """Say yes to a candidate that passed the gate, and release it."""
    from llm_twin_assets.commands import decide as deciding
    from llm_twin_assets.commands.console import OUT

    environment = Environment.current()
    number = version or deciding.candidate_version(author, environment)
    deciding.decide("approve_model", author, number, approver, reason, environment, override=override)
    release = deciding.deploy(author, environment)
    if tried := deciding.on_trial(author, environment):
        return OUT.print(f"{tried.release_id} is on trial: `twin canary show`. {release.release_id} serves beside it.")
    OUT.print(f"Released {release.release_id}: model version {release.model_version}, {release.snapshot}.")
    if release.override:
        OUT.print("[yellow]Against the gate, and on record as such.[/]")
    return None


def reject(author: AuthorOption, approver: ApproverOption, reason: ReasonOption, version: VersionOption = None) -> None:
    """Say no to a candidate; it is not released after this, but by an explicit override."""
    from llm_twin_assets.commands.decide import candidate_version, decide

    environment = Environment.current()
    decide("reject_model", author, version or candidate_version(author, environment), approver, reason, environment)


def rollback(
    author: AuthorOption,
    approver: ApproverOption,
    reason: ReasonOption,
    version: Annotated[
        str | None, typer.Option("--version", help="The model version to return to; the one before if left out.")
    ] = None,
    override: OverrideOption = False,
) -> None:
    """Return at once to a version that was released before, with the snapshot it was released with."""
    from llm_twin_assets.commands import roll_back as returning
    from llm_twin_assets.commands.console import OUT

    environment = Environment.current()
    approval, release = returning.roll_back(author, version, approver, reason, environment, override=override)
    OUT.print(f"Released {release.release_id}: model version {release.model_version}, {release.snapshot}.")
    returning.tell(approval, release, environment)


def releases(author: AuthorOption, json: JsonOption = False) -> None:
    """List an author's releases: which model and snapshot, who approved, why and when, and what the gate said."""
    from llm_twin_assets.commands import releases as listing
    from llm_twin_assets.commands.console import print_json

    listed = listing.listed(author, Environment.current())
    if json:
        return print_json([entry.model_dump(mode="json") for entry in listed.releases])
    return listing.show(listed)
