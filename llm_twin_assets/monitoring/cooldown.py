"""An automatic action is one alarm's, once; others that ask for it within the cool-down are told whose it was."""

from datetime import datetime, timedelta

from llm_twin_assets.domain.alarm import Action, Alarm
from llm_twin_assets.domain.chain import parse
from llm_twin_assets.domain.release import Record
from resources.object_store import ObjectStore

PREFIX = "actions"


class Claim(Record):
    """That an action is taken for an author on behalf of an alarm, and since when (UTC)."""

    author: str
    action: Action
    alarm_id: str
    at: datetime


def claimed(objects: ObjectStore, alarm: Alarm, now: datetime, hours: float) -> Claim:
    """The claim that stands: the alarm's own, made now or before, or another's that is no older than `hours`.

    Of several that claim at once exactly one succeeds. Raises `TamperedError` if what lies there is no claim.
    """
    path = _path(alarm.author, alarm.action)
    wanted = Claim(author=alarm.author, action=alarm.action, alarm_id=alarm.alarm_id, at=now)
    while True:
        content = objects.find(path)
        if content is not None:
            standing = parse(Claim, path, content)
            if standing.alarm_id == alarm.alarm_id or now - standing.at < timedelta(hours=hours):
                return standing
        if objects.swap(path, content, wanted.model_dump_json(indent=2).encode()):
            return wanted


def given_back(objects: ObjectStore, claim: Claim) -> None:
    """Nothing was done after all: the next alarm may do it."""
    objects.delete([_path(claim.author, claim.action)])


def claims_since(objects: ObjectStore, moment: datetime) -> list[Claim]:
    """What was claimed after a moment; raises `TamperedError`."""
    written = objects.modified(PREFIX)
    found = [(path, objects.find(path)) for path in sorted(written) if written[path] >= moment]
    return [parse(Claim, path, content) for path, content in found if content is not None]


def _path(author: str, action: Action) -> str:
    return f"{PREFIX}/{author}/{action.value}.json"
