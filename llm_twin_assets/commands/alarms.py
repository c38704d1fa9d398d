"""`twin alarms`: what rang, what was done about it and what is left to do; who is at it, and that it is over."""

import getpass
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated
from uuid import uuid4

import typer

from llm_twin_assets.commands.failing import in_one_line
from llm_twin_assets.commands.options import ByOption, JsonOption
from llm_twin_assets.commands.pauses import said
from llm_twin_assets.commands.records import records
from resources.errors import TwinError
from resources.settings import Environment

if TYPE_CHECKING:
    from llm_twin_assets.domain.alarm import Alarm
    from resources.object_store import ObjectStore

alarms = typer.Typer(
    name="alarms",
    help="List alarms, open ones first, each with what to run. Exit code 1 while a critical one is open, for cron.",
    epilog=(
        "An alarm is open until somebody acknowledges it (`twin alarms acknowledge ID --note WHAT`: I am at it, take "
        "no automatic action any more) or it is over, which its rule finds out by itself, or a person says: "
        "`twin alarms close ID --note WHY`. What rings, and what it does then, stands in twin.yaml under `monitoring`. "
        "Whether those who are to be told can be: `twin alarms test`."
    ),
)

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="The alarm's id, or the beginning of it.")]
NoteOption = Annotated[str | None, typer.Option("--note", help="What you found or do, for the record.")]

_COLOURS = {"critical": "red", "warning": "yellow", "info": "default"}


class UnknownAlarmError(TwinError):
    """No alarm, or more than one, is called so."""


@alarms.callback(invoke_without_command=True)
@in_one_line
def list_(
    context: typer.Context,
    author: Annotated[str | None, typer.Option("--author", "-a", help="Only this author's.")] = None,
    closed: Annotated[bool, typer.Option("--closed", help="Those that are over, too.")] = False,
    json: JsonOption = False,
) -> None:
    """List alarms, open ones first, each with what to run."""
    if context.invoked_subcommand is not None:
        return
    from llm_twin_assets.commands.console import print_json
    from llm_twin_assets.domain.alarm import Severity, State
    from llm_twin_assets.monitoring import alarm_records

    objects = records()
    found = alarm_records.alarms(objects, author)
    listed = [each for state in State for each in found if each.state is state and (closed or not each.over)]
    if json:
        print_json([_as_json(each) for each in listed])
    else:
        _show(listed)
        _show_pauses(objects, author)
    if any(each.state is State.OPEN and each.severity is Severity.CRITICAL for each in found):
        raise typer.Exit(1)


@alarms.command()
@in_one_line
def acknowledge(alarm_id: IdArgument, by: ByOption = None, note: NoteOption = None) -> None:
    """Say that somebody is at it: no automatic action is taken for it any more."""
    from llm_twin_assets.monitoring.alarm_records import acknowledged, change

    objects, who = records(), by or getpass.getuser()
    alarm = _named(objects, alarm_id)
    change(objects, alarm.author, alarm.alarm_id, lambda present: acknowledged(present, who, note))
    typer.echo(f"{alarm.alarm_id} is acknowledged by {who}.")


@alarms.command()
@in_one_line
def close(alarm_id: IdArgument, by: ByOption = None, note: NoteOption = None) -> None:
    """Say that it is over. Should its rule hold again, it rings again."""
    from llm_twin_assets.monitoring.alarm_records import change, closed

    objects, who = records(), by or getpass.getuser()
    alarm = _named(objects, alarm_id)
    after = change(objects, alarm.author, alarm.alarm_id, lambda present: closed(present, who, note))
    typer.echo(f"{alarm.alarm_id} is closed by {after.by}.")


@alarms.command()
@in_one_line
def test() -> None:
    """Send a message to everybody who would be told of a critical alarm; exit code 1 if one cannot be reached."""
    from llm_twin_assets.commands.console import OUT
    from resources.notice import Notice
    from resources.notify import channels_for, tell
    from resources.settings import Settings

    notify = Settings.load(Environment.current().config).monitoring.notify
    if not (channels := channels_for("critical", notify)):
        raise TwinError("nobody is named in twin.yaml", mend="See docs/alarms.md, `monitoring.notify`.")
    said = "Nothing rings. If you read this, alarms of this twin reach you."
    deliveries = tell(Notice(f"test.{uuid4().hex}", "info", "a test of twin alarms", said), channels, notify)
    for delivery in deliveries:
        OUT.print(str(delivery), markup=False)
    if any(delivery.error for delivery in deliveries):
        raise typer.Exit(1)


def _named(objects: "ObjectStore", alarm_id: str) -> "Alarm":
    from llm_twin_assets.monitoring.alarm_records import alarms as alarms_on_record

    known = alarms_on_record(objects)
    found = [each for each in known if each.alarm_id == alarm_id] or [
        each for each in known if each.alarm_id.startswith(alarm_id)
    ]
    if len(found) == 1:
        return found[0]
    what = "no alarm is" if not found else f"{len(found)} alarms are"
    raise UnknownAlarmError(f"{what} called '{alarm_id}'", mend="See `twin alarms --closed`.")


def _show(listed: "Sequence[Alarm]") -> None:
    from rich.markup import escape
    from rich.table import Table

    from llm_twin_assets.commands.console import OUT
    from llm_twin_assets.monitoring.actions import stamp, what_to_run

    if not listed:
        return OUT.print("No alarm is open.")
    table = Table("state", "severity", "alarm", "opened", box=None)
    # What is pasted into the next command must not be broken over two lines.
    table.columns[2].no_wrap = True
    for alarm in listed:
        colour = "dim" if alarm.over else _COLOURS[alarm.severity]
        state = f"{alarm.state} by {alarm.by}" if alarm.by else str(alarm.state)
        table.add_row(escape(state), f"[{colour}]{alarm.severity}[/]", escape(alarm.alarm_id), stamp(alarm.opened_at))
    OUT.print(table)
    for alarm in listed:
        OUT.print(f"\n{alarm.alarm_id} of {alarm.release}: {alarm.reason}", markup=False)
        for line in (*alarm.acted, *([f"note: {alarm.note}"] if alarm.note else [])):
            OUT.print(f"  · {line}", markup=False)
        if not alarm.over:
            OUT.print(f"  → {what_to_run(alarm)}", markup=False)
    return None


def _show_pauses(objects: "ObjectStore", author: str | None) -> None:
    from llm_twin_assets.commands.console import OUT
    from llm_twin_assets.domain.pause import paused_authors, read_pause

    for each in paused_authors(objects):
        if author in (None, each) and (found := read_pause(objects, each)):
            OUT.print(f"\n{said(found)}", markup=False)


def _as_json(alarm: "Alarm") -> dict[str, object]:
    from llm_twin_assets.monitoring.actions import what_to_run

    return {**alarm.model_dump(mode="json"), "what_to_run": what_to_run(alarm)}
