"""A document's words in Dagster's event log: previews of assets, and reports, which it keeps with every run."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from functools import partial
from typing import TYPE_CHECKING, Any

import dagster as dg

from llm_twin_assets.forgetting.quotes import Quoted
from resources.errors import StorageError

if TYPE_CHECKING:
    from dagster._core.storage.event_log import SqlEventLogStorage
    from sqlalchemy import Column, Connection, Table

_NOTICE = "taken out: here were words of a document that was forgotten since"
# Whoever writes to the log meanwhile holds it for less.
_SECONDS_TO_WAIT = 30.0

Connect = Callable[[], "AbstractContextManager[Connection]"]


def forget_events(instance: dg.DagsterInstance, author: str, quoted: Quoted) -> int:
    """Put a notice in the place of every text of the author's runs that quotes a document; returns of how many events.

    Events, data versions and figures stay: what runs by itself must not take it that it has never run.
    """
    # Not public API: Dagster knows how to delete a run, but not how to change what it has said.
    from dagster._core.storage.event_log import SqlEventLogStorage
    from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable as Checks
    from dagster._core.storage.event_log.schema import AssetKeyTable as Assets
    from dagster._core.storage.event_log.schema import SqlEventLogStorageTable as Events

    log = instance.event_log_storage
    if not isinstance(log, SqlEventLogStorage):
        return 0
    changed: dict[str, int] = {}
    for run in instance.get_runs(filters=dg.RunsFilter(tags={"dagster/partition": author})):
        for shard, connect in ((run.run_id, partial(log.run_connection, run.run_id)), ("index", log.index_connection)):
            rewritten = _rewrite(connect, Events, Events.c.event, quoted, Events.c.run_id == run.run_id)
            changed[shard] = changed.get(shard, 0) + rewritten
    for table, column in ((Assets, Assets.c.last_materialization), (Checks, Checks.c.evaluation_event)):
        changed["index"] = changed.get("index", 0) + _rewrite(
            log.index_connection, table, column, quoted, column.is_not(None)
        )
    for shard in (shard for shard, events in changed.items() if events):
        _vacuum(log, shard)
    return sum(changed.values())


def _rewrite(connect: Connect, table: "Table", column: "Column[str]", quoted: Quoted, which: Any) -> int:  # noqa: ANN401 - SQL
    from sqlalchemy import select

    with connect() as connection:
        rows = connection.execute(select(table.c.id, column).where(which)).fetchall()
        new = {key: found for key, event in rows if (found := without(event, quoted)) != event}
        for key, event in new.items():
            connection.execute(table.update().where(table.c.id == key).values({column.name: event}))
    return len(new)


def without(event: str, quoted: Quoted) -> str:
    """An event as Dagster writes it, each text in it that quotes a document replaced; itself if none does."""
    said = json.loads(event)
    left = _left(said, quoted)
    return event if left == said else json.dumps(left)


def _left(value: object, quoted: Quoted) -> object:
    if isinstance(value, dict):
        return {key: _left(each, quoted) for key, each in value.items()}
    if isinstance(value, list):
        return [_left(each, quoted) for each in value]
    # Names of classes, keys and digests are single words.
    return _NOTICE if isinstance(value, str) and " " in value and quoted.on(value) else value


def _vacuum(log: "SqlEventLogStorage", shard: str) -> None:
    """What SQLite has replaced stays in its file, and in the log of writes beside it, until both are written anew."""
    from dagster._core.storage.event_log import SqliteEventLogStorage

    if not isinstance(log, SqliteEventLogStorage):
        return
    file = log.path_for_shard(shard)
    try:
        with closing(sqlite3.connect(file, timeout=_SECONDS_TO_WAIT)) as database:
            database.execute("VACUUM")
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.OperationalError as error:
        raise StorageError(f"cannot be written anew: {error}", where=file, mend="Say it again.") from error
