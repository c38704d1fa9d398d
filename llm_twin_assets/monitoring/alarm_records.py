"""Alarms on record: one object each, written anew with every change of state."""

from collections.abc import Callable
from datetime import UTC, datetime

from pydantic import ValidationError

from llm_twin_assets.domain.alarm import Alarm, State
from resources.errors import StorageError, TwinError
from resources.object_store import ObjectStore


class AlarmStateError(TwinError):
    """The alarm is not in a state that allows it."""


def alarms(objects: ObjectStore, author: str | None = None) -> list[Alarm]:
    """All alarms, or an author's, the newest first; raises `StorageError` naming a record that is none."""
    found = [_read(objects, path) for path in objects.list(_prefix(author)) if path.endswith(".json")]
    return sorted(found, key=lambda each: (each.opened_at, each.alarm_id), reverse=True)


def ringing(objects: ObjectStore, author: str) -> list[Alarm]:
    """An author's alarms that are not over, the newest first."""
    return [alarm for alarm in alarms(objects, author) if not alarm.over]


def changed_since(objects: ObjectStore, moment: datetime) -> list[Alarm]:
    """The alarms whose records were written since then, however many older ones there are; raises `StorageError`."""
    written = objects.modified(_prefix(None))
    return [_read(objects, path) for path in sorted(written) if written[path] >= moment]


def find(objects: ObjectStore, author: str, alarm_id: str) -> Alarm | None:
    """An author's alarm of that name, if there is one; raises `StorageError` if the record is none."""
    path = _path(author, alarm_id)
    return _read(objects, path) if objects.find(path) is not None else None


def put_new(objects: ObjectStore, alarm: Alarm) -> bool:
    """Write an alarm that is not on record; False, and nothing written, if it is."""
    return objects.put_new(_path(alarm.author, alarm.alarm_id), _json(alarm))


def change(objects: ObjectStore, author: str, alarm_id: str, changed: Callable[[Alarm], Alarm]) -> Alarm:
    """Write what `changed` makes of an alarm as its record says at that moment: of two writers at once none is lost.

    Raises `StorageError` if there is no such alarm.
    """
    path = _path(author, alarm_id)
    while True:
        content = objects.get(path)
        after = changed(_parse(path, content))
        if objects.swap(path, content, _json(after)):
            return after


def acknowledged(alarm: Alarm, by: str, note: str | None, now: datetime | None = None) -> Alarm:
    """The alarm, seen by somebody; raises `AlarmStateError` if it is over."""
    if alarm.over:
        raise AlarmStateError("is closed already", where=f"alarm {alarm.alarm_id}")
    return _changed(alarm, State.ACKNOWLEDGED, by, note, now)


def closed(alarm: Alarm, by: str, note: str | None, now: datetime | None = None) -> Alarm:
    """The alarm, over; one that is closed already stays as it is."""
    return alarm if alarm.over else _changed(alarm, State.CLOSED, by, note, now)


def _changed(alarm: Alarm, state: State, by: str, note: str | None, now: datetime | None) -> Alarm:
    at = now or datetime.now(UTC)
    return alarm.model_copy(update={"state": state, "by": by, "note": note, "changed_at": at})


def _prefix(author: str | None) -> str:
    return f"alarms/{author}" if author else "alarms"


def _path(author: str, alarm_id: str) -> str:
    return f"alarms/{author}/{alarm_id}.json"


def _read(objects: ObjectStore, path: str) -> Alarm:
    return _parse(path, objects.get(path))


def _parse(path: str, content: bytes) -> Alarm:
    try:
        return Alarm.model_validate_json(content)
    except ValidationError as error:
        raise StorageError("is not the record of an alarm", where=path, mend="Remove it; it rings no more.") from error


def _json(alarm: Alarm) -> bytes:
    return alarm.model_dump_json(indent=2).encode()
