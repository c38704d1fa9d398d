"""A paused twin: the service quotes its author until somebody resumes it, and no model speaks in that name.

One object an author, which is there or is not: whoever follows it need not read it.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Protocol

from pydantic import ValidationError

from llm_twin_assets.domain.chain import Reader
from llm_twin_assets.domain.release import Record
from resources.errors import StorageError

PREFIX = "pauses"


class Pause(Record):
    """Who let a twin only quote since when (UTC) and why; `alarm_id` where it was an alarm's action."""

    author: str
    by: str
    reason: str
    since: datetime
    alarm_id: str | None = None


class Writer(Reader, Protocol):
    """Of an object store, what pausing takes."""

    def put_new(self, path: str, content: bytes) -> bool:
        """Write an object that does not exist yet; False if it does."""
        ...

    def delete(self, paths: list[str]) -> None:
        """Remove objects; what is not there is no error."""
        ...


def pause_path(author: str) -> str:
    """Where an author's pause lies."""
    return f"{PREFIX}/{author}.json"


def paused_authors(objects: Reader) -> Iterator[str]:
    """The authors whose twins are paused, whatever the object says: one that cannot be read was meant, too."""
    for path in objects.list(PREFIX):
        yield path.removeprefix(f"{PREFIX}/").removesuffix(".json")


def is_paused(objects: Reader, author: str) -> bool:
    """Whether an author's twin is paused, whatever the object says."""
    return objects.find(pause_path(author)) is not None


def read_pause(objects: Reader, author: str) -> Pause | None:
    """An author's pause, or None; raises `StorageError` if what lies there is none."""
    content = objects.find(pause_path(author))
    if content is None:
        return None
    try:
        return Pause.model_validate_json(content)
    except ValidationError:
        raise StorageError(
            "is no record of a pause", where=pause_path(author), mend=f"`twin resume {author}` removes it."
        ) from None


def pause(objects: Writer, wanted: Pause) -> Pause:
    """Pause a twin; returns the pause that stands, which is an earlier one where there is one."""
    if objects.put_new(pause_path(wanted.author), wanted.model_dump_json(indent=2).encode()):
        return wanted
    return read_pause(objects, wanted.author) or wanted


def resume(objects: Writer, author: str) -> bool:
    """Let the model answer again; False if the twin was not paused."""
    was_paused = is_paused(objects, author)
    objects.delete([pause_path(author)])
    return was_paused
