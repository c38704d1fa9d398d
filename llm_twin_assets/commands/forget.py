"""`twin forget`: what is kept of a document is shown; with `--yes` it goes, and what was made of it with it."""

import getpass
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

import dagster as dg
import httpx
from rich.markup import escape

from llm_twin_assets.commands.console import OUT, PROGRESS
from llm_twin_assets.commands.roll_back import deployed_event
from llm_twin_assets.definitions import embedder
from llm_twin_assets.domain.release import Release
from llm_twin_assets.forgetting.events import forget_events
from llm_twin_assets.forgetting.finding import Findings, UnknownDocumentError, find
from llm_twin_assets.forgetting.forget import Forgetting
from llm_twin_assets.forgetting.places import Places
from llm_twin_assets.forgetting.repointing import Wish
from llm_twin_assets.instance import end_killed_runs, open_instance
from llm_twin_assets.release.records import current_release
from resources.errors import TwinError
from resources.settings import Environment, Settings

# Until a service has loaded a model; one that never does goes on with an index whose files are gone.
_SETTLED_WITHIN = 60.0


class ForgetError(TwinError):
    """What has to be decided or ended before anything can be forgotten."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person said beside the name. `copies` is None if they did not say what shall become of them."""

    who: str | None = None
    why: str | None = None
    copies: bool | None = None
    datasets: bool = False

    def wish(self) -> Wish:
        """For the record."""
        return Wish(self.who or getpass.getuser(), self.why or "the document is to be forgotten", datetime.now(UTC))


def look(name: str, author: str | None, environment: Environment, asked: Asked) -> Findings:
    """What is kept under this name; raises `UnknownDocumentError`, or `ForgetError` if several authors have it."""
    settings, places = Settings.load(environment.config), Places.of(environment)
    authors = [author] if author else list(settings.authors)
    for each in authors:
        settings.author(each)
    found = list(_found(name, authors, places, settings.release.retention.releases, with_copies=bool(asked.copies)))
    if not found:
        raise UnknownDocumentError(
            f"no document of {', '.join(authors)} is called '{name}'",
            mend="Give its URL, its path, or the id that a citation or `twin search --json` shows.",
        )
    if len(found) > 1:
        raise ForgetError(f"'{name}' is known of {' and '.join(each.author for each in found)}", mend="Say --author.")
    return found[0]


def is_over(found: Findings, asked: Asked) -> bool:
    """Whether there is nothing to do, since it was done before."""
    deletable = asked.datasets and any(not each.used for each in found.versions)
    return found.is_done and not found.snapshots and not deletable


def show(found: Findings) -> None:
    """What would go, what would be marked, and what stays."""
    for each in found.documents:
        OUT.print(f"[bold]{escape(str(each))}[/] of {found.author}")
    for each in found.copies:
        OUT.print(f"  [yellow]says the same:[/] {escape(str(each))}")
    OUT.print("  leaves: the warehouse with its history, the index, cached replies, feedback and reports that quote it")
    _list("  snapshots that are published anew without it", found.snapshots)
    _list("  datasets that were made of it", [_said(each.prefix, used=each.used) for each in found.versions])
    _list("  models that learnt it", [f"version {each}" for each in found.learnt])
    _list("  models that were only examined on it", [f"version {each}" for each in found.judged])


def forget(found: Findings, environment: Environment, asked: Asked) -> None:
    """Forget it; raises `ForgetError` while a run goes on, or if nothing was said of its copies."""
    if found.copies and asked.copies is None:
        raise ForgetError(
            f"{len(found.copies)} other documents say the same",
            mend="Say --copies to forget them, too, or --keep-copies.",
        )
    instance = open_instance(environment)
    forgetting = _forgetting(found, environment, asked, instance)
    with PROGRESS.status("forgetting") as status:
        for said, step in forgetting.steps():
            status.update(said)
            # A schedule may have started one meanwhile; whoever says it again goes on here.
            _refuse_while_running(instance, environment)
            step()
            PROGRESS.print(f"[green]✓[/] {said}")
    serves = current_release(forgetting.places.objects, found.author)
    if serves is not None and serves.decision == "forget":
        instance.report_runless_asset_event(deployed_event(serves))


def remains(found: Findings, asked: Asked) -> list[str]:
    """Where something of it still is, and whose it is to take that away."""
    kept = [each.prefix for each in found.versions if each.used or not asked.datasets]
    models = [f"version {each}" for each in found.learnt]
    return [
        *([f"the weights of models that learnt it ({', '.join(models)}), marked as stale"] if models else []),
        *([f"datasets, marked as stale and never trained on again: {', '.join(kept)}"] if kept else []),
        "the source itself (a site, an export, a folder), which is not ours: it is passed over from now on",
        "traces in Phoenix of answers that quoted it: delete them there",
        "copies that were made by others: backups, exported or uploaded datasets, downloaded models",
    ]


def _forgetting(found: Findings, environment: Environment, asked: Asked, instance: dg.DagsterInstance) -> Forgetting:
    return Forgetting(
        findings=found,
        places=Places.of(environment),
        wish=asked.wish(),
        model=embedder(Settings.load(environment.config)).digest,
        settle=partial(_settle, service_url=environment.service_url),
        forget_events=partial(forget_events, instance, found.author),
        delete_versions=asked.datasets,
    )


def _found(name: str, authors: list[str], places: Places, retained: int, *, with_copies: bool) -> Iterator[Findings]:
    for each in authors:
        try:
            yield find(name, each, places, retained, with_copies=with_copies)
        except UnknownDocumentError:
            continue


def _refuse_while_running(instance: dg.DagsterInstance, environment: Environment) -> None:
    """What a run reads or writes now, it would bring back, or lose."""
    end_killed_runs(instance, environment)
    statuses = [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]
    if going := instance.get_runs(filters=dg.RunsFilter(statuses=statuses)):
        raise ForgetError(
            f"{len(going)} runs are going on, the first is {going[0].run_id} ({going[0].job_name})",
            mend="Wait until they are done, or cancel them; then say it again.",
        )


def _settle(release: Release, service_url: str) -> None:
    """Wait for the service, if there is one, to serve a release: files that it reads are about to go."""
    deadline = time.monotonic() + _SETTLED_WITHIN
    while time.monotonic() < deadline:
        try:
            said = httpx.get(f"{service_url}/v1/releases/current", params={"author": release.author}, timeout=5)
        except httpx.HTTPError:
            return  # nobody serves
        if said.status_code == httpx.codes.OK and said.json().get("release") == release.release_id:
            return
        time.sleep(0.5)
    PROGRESS.print(f"[yellow]![/] the service has not taken up {release.release_id}: restart it")


def _said(prefix: str, *, used: bool) -> str:
    return f"{prefix} ({'a kept model was made from it' if used else 'goes with --datasets'})"


def _list(what: str, found: list[str] | tuple[str, ...]) -> None:
    if found:
        OUT.print(f"{what}: {escape(', '.join(found))}")
