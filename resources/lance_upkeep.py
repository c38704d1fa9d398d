"""What keeps a Lance table quick to read: indices that cover it, few files, no snapshots that nobody needs."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from resources import lance_vectors
from resources.lance_words import index_words, take_up

if TYPE_CHECKING:
    from lancedb.table import Table

# Every write adds a file, and a query opens each. Compaction rewrites them all: seldom enough not to matter.
_FILES = 16
# What a reader has open is read from its files: a version that no snapshot holds keeps them for so long.
_READ_FOR = timedelta(days=1)
_KEPT_FOR = timedelta(days=7)
# Ages are counted from when Lance begins to clean up, which is after it has compacted.
_MEANWHILE = timedelta(hours=1)
# Rows beside an index are searched by brute force: right, but slow. Small tables are indexed whole each time, so that
# BM25 weighs words by all that is there; large ones once a twentieth is new.
_UNINDEXED_SHARE = 0.05
# Tags of a forgetting that is not done (resources/lance_forget.py).
BEFORE, SINCE = "forgetting-before", "forgetting-since"
RESERVED = frozenset({BEFORE, SINCE})
_FILTERED = ("category", "platform", "language")


def tend(table: "Table") -> None:
    """Bring files and indices up to date with the rows; does nothing, and writes no version, where they are."""
    rows = table.count_rows()
    if not rows:
        return
    take_up(table)
    compacted = _scattered(table, rows)
    if compacted:
        # Also folds new rows into the indices, and removes versions that are older than a week.
        _optimize(table, _KEPT_FOR)
    index_words(table, int(rows * _UNINDEXED_SHARE) if rows >= lance_vectors.FLAT_BELOW else 0)
    if rows >= lance_vectors.FLAT_BELOW:
        _index_filters(table)
    have = lance_vectors.recorded(table)
    # An index whose rows were moved by compaction is three times as slow as a new one: 30 ms of processor time, not 9,
    # at 200,000 chunks.
    if lance_vectors.outgrown(have, rows) or (compacted and have.kind != "flat"):
        lance_vectors.build(table)


def untag(table: "Table", keep: Collection[str], days: float) -> tuple[str, ...]:
    """Remove the tags that are neither kept, nor the newest, nor younger than so many days; returns their names."""
    tags = {name: int(tag["version"]) for name, tag in table.tags.list().items() if name not in RESERVED}
    written = {int(each["version"]): each["timestamp"] for each in table.list_versions()}
    newest = max(tags.values(), default=0)
    gone = tuple(
        sorted(
            name
            for name, version in tags.items()
            if name not in keep and version != newest and _age(written.get(version)) >= timedelta(days=days)
        )
    )
    for name in gone:
        try:
            table.tags.delete(name)
        except (RuntimeError, ValueError):
            if name in table.tags.list():  # else another process was quicker
                raise
    return gone


def give_back(table: "Table") -> None:
    """Delete the files of versions that no tag holds; those that a writer may not have committed yet are left alone."""
    _optimize(table, _READ_FOR)


def _optimize(table: "Table", kept: timedelta) -> None:
    """Compact, and remove versions that are older than this and than every tagged one.

    Lance fails where a tagged version is old enough to go, unless told to pass it over, and lancedb 0.40 has no
    argument for that (lance-format/lance#8516: it would not give back the files that came after it, either).
    """
    tagged = {int(tag["version"]) for tag in table.tags.list().values()} - {table.version}  # the newest never goes
    ages = [_age(each["timestamp"]) + _MEANWHILE for each in table.list_versions() if each["version"] in tagged]
    table.optimize(cleanup_older_than=max([kept, *ages]))


def _scattered(table: "Table", rows: int) -> bool:
    """Whether there are many files, or many rows beside the indices of a large table."""
    # Typed as an object, a dictionary in fact (lancedb 0.40).
    if table.stats()["fragment_stats"]["num_fragments"] > _FILES:
        return True
    return rows >= lance_vectors.FLAT_BELOW and (_unindexed(table, "vector") or 0) > rows * _UNINDEXED_SHARE


def _index_filters(table: "Table") -> None:
    """Without them a filtered search reads the whole column first."""
    from lancedb.index import Bitmap, BTree, LabelList

    have = {column for index in table.list_indices() for column in index.columns}
    for column in _FILTERED:
        if column in table.schema.names and column not in have:
            table.create_index(column, config=Bitmap())
    for column in ("published_at", "document_id"):
        if column not in have:
            table.create_index(column, config=BTree())
    if "tags" in table.schema.names and "tags" not in have:
        table.create_index("tags", config=LabelList())


def _unindexed(table: "Table", column: str) -> int | None:
    """How many rows the column's index does not cover; None if it has none."""
    name = next((index.name for index in table.list_indices() if column in index.columns), None)
    statistics = table.index_stats(name) if name else None
    return int(statistics.num_unindexed_rows) if statistics else None


def _age(written: datetime | None) -> timedelta:
    return datetime.now(written.tzinfo) - written if written else timedelta.max
