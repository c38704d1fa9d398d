"""Releases that searched in a snapshot with a forgotten document go on with the same one without it.

Nothing is rewritten: the chain gets a record for each model version that can be rolled back to, the serving one last,
and one switch of the pointer makes all of them count.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from llm_twin_assets.domain.release import Release
from llm_twin_assets.domain.released import releases_prefix
from llm_twin_assets.release.records import append, current_release, releases, switch
from resources.object_store import ObjectStore


@dataclass(frozen=True, slots=True)
class Wish:
    """Who wants it, why, and when."""

    who: str
    why: str
    at: datetime


def last_releases(objects: ObjectStore, author: str) -> list[Release]:
    """Of each model version what it would serve again with, the serving release last; raises `TamperedError`."""
    past, serving = releases(objects, author), current_release(objects, author)
    last = {each.model_version: each for each in past}
    if serving is not None:
        last.pop(serving.model_version)
        last[serving.model_version] = serving
    return list(last.values())


def repoint(objects: ObjectStore, author: str, renamed: Mapping[str, str], wish: Wish) -> None:
    """Record the releases anew whose snapshot has another name now, and switch to the one that serves, if it is one.

    Done again after a kill it records nothing twice.
    """
    serving = current_release(objects, author)
    record = None
    for before in last_releases(objects, author):
        if before.snapshot in renamed:
            record = _recorded(objects, before, renamed[before.snapshot], wish)
    if record is not None and serving is not None and serving.snapshot in renamed:
        switch(objects, releases_prefix(author), record)


def _recorded(objects: ObjectStore, before: Release, snapshot: str, wish: Wish) -> Release:
    past = releases(objects, before.author)
    said = {"snapshot": snapshot, "decision": "forget", "approver": wish.who, "reason": wish.why}
    # A process that was killed between this and the switch has left it already.
    for each in reversed(past):
        if each.sequence > before.sequence and _says(each, before, said):
            return each
    return append(
        objects,
        releases_prefix(before.author),
        lambda sequence: before.model_copy(
            update={
                **said,
                "sequence": sequence,
                "release_id": f"{before.author}-{sequence:06d}",
                "smoke": None,
                "released_at": wish.at,
            }
        ),
        expected=len(past),
    )


def _says(record: Release, before: Release, said: Mapping[str, str]) -> bool:
    return record.model_version == before.model_version and all(
        getattr(record, name) == it for name, it in said.items()
    )
