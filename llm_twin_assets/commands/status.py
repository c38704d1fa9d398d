"""`twin status`: every twin and every server on one screen, from the records alone, so that it takes no time."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from rich.markup import escape

from llm_twin_assets.commands.console import OUT
from llm_twin_assets.commands.servers import Server, look
from llm_twin_assets.domain.alarm import Alarm, Severity
from llm_twin_assets.monitoring.overview import Overview, read_overview
from resources.errors import TwinError
from resources.object_store import ObjectStore
from resources.settings import Author, Environment, Settings
from resources.warehouse import Warehouse

_DAY = 86_400
_COLOURS = {Severity.CRITICAL: "red", Severity.WARNING: "yellow", Severity.INFO: "cyan"}


@dataclass(frozen=True, slots=True)
class TwinStatus:
    """An author with what is on record of them, or why it cannot be read."""

    author: str
    name: str
    platforms: tuple[str, ...]
    overview: Overview | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Status:
    """Everything that the screen shows."""

    twins: Sequence[TwinStatus]
    servers: Sequence[Server]


def status(environment: Environment) -> Status:
    """Read every author's records and ask every server."""
    objects = ObjectStore(environment.under("objects"))
    warehouse = Warehouse(environment.under("warehouse"))
    authors = Settings.load(environment.config).authors
    return Status([_twin(key, each, objects, warehouse) for key, each in authors.items()], look(environment))


def as_json(found: Status) -> dict[str, object]:
    """The same for programs; times are instants."""
    return {"authors": [_twin_json(each) for each in found.twins], "servers": [asdict(each) for each in found.servers]}


def show(found: Status, now: datetime | None = None) -> None:
    """A block for each twin, then a line for each server."""
    at = now or datetime.now(UTC)
    for twin in found.twins:
        OUT.print(f"[bold]{escape(twin.name)}[/] ({twin.author})")
        for subject, said in _lines(twin, at):
            OUT.print(f"  {subject:<10} {said}")
        OUT.print()
    OUT.print("[bold]Servers[/]")
    for server in found.servers:
        colour = "green" if server.ready else "yellow"
        OUT.print(f"  {server.name:<10} [{colour}]{server.said}[/] [dim]{server.url}[/]")


def _twin(author: str, configured: Author, objects: ObjectStore, warehouse: Warehouse) -> TwinStatus:
    platforms = tuple(dict.fromkeys(source.platform for source in configured.sources))
    try:
        return TwinStatus(author, configured.name, platforms, read_overview(author, objects, warehouse))
    except TwinError as error:
        return TwinStatus(author, configured.name, platforms, error=str(error))


def _lines(twin: TwinStatus, now: datetime) -> Iterator[tuple[str, str]]:
    overview = twin.overview
    if overview is None:
        yield "records", f"[red]{escape(twin.error or '')}[/]"
        return
    yield "sources", _sources(twin.platforms, overview, now)
    counts = [f"{count} {category}" for category, count in overview.documents.counts.items() if count]
    yield "documents", ", ".join(counts) or "none"
    yield "dataset", _ago(overview.dataset_at, now)
    yield "model", _ago(overview.evaluated_at, now)
    yield "serving", _serving(overview, now)
    if overview.candidate is not None:
        since = _ago(overview.candidate.evaluated_at, now)
        yield "waiting", f"[cyan]model {overview.candidate.model_version} passed the gate {since}[/]: `twin approve`"
    if overview.paused is not None:
        yield "paused", f"[yellow]{_ago(overview.paused.since, now)} by {escape(overview.paused.by)}[/]"
    yield "alarms", "none" if not overview.alarms else ""
    for alarm in overview.alarms:
        yield "", _alarm(alarm, now)


def _sources(platforms: Sequence[str], overview: Overview, now: datetime) -> str:
    newest = overview.documents.collected
    return " · ".join(f"{each}: {_ago(newest.get(each), now)}" for each in platforms)


def _serving(overview: Overview, now: datetime) -> str:
    if (release := overview.release) is None:
        return "nothing is released"
    return (
        f"[green]{release.release_id}[/], model {release.model_version}, {release.snapshot}, "
        f"{_ago(release.released_at, now)} by {escape(release.approver)}"
    )


def _alarm(alarm: Alarm, now: datetime) -> str:
    said = f"[{_COLOURS[alarm.severity]}]{alarm.severity.value}[/] {alarm.rule}: {escape(alarm.reason)}"
    return f"{said} ({alarm.state.value}, {_ago(alarm.opened_at, now)})"


def _ago(instant: datetime | None, now: datetime) -> str:
    if instant is None:
        return "never"
    seconds = max(0.0, (now - instant).total_seconds())
    for unit, length in (("d", _DAY), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds / length:.0f} {unit} ago"
    return "just now"


def _twin_json(twin: TwinStatus) -> dict[str, object]:
    known: dict[str, object] = {"author": twin.author, "name": twin.name, "error": twin.error}
    if (overview := twin.overview) is None:
        return known
    release, candidate, paused = overview.release, overview.candidate, overview.paused
    return known | {
        "collected": {each: _iso(overview.documents.collected.get(each)) for each in twin.platforms},
        "documents": dict(overview.documents.counts),
        "dataset_at": _iso(overview.dataset_at),
        "evaluated_at": _iso(overview.evaluated_at),
        "release": release and release.model_dump(mode="json", include={"release_id", "model_version", "snapshot"}),
        "released_at": _iso(release.released_at if release else None),
        "candidate": candidate and candidate.model_version,
        "paused": paused and paused.model_dump(mode="json"),
        "alarms": [each.model_dump(mode="json") for each in overview.alarms],
    }


def _iso(instant: datetime | None) -> str | None:
    return instant.isoformat() if instant else None
