"""What keeps a Lance table quick to read: indices that cover it, few files, no snapshots that nobody needs."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from resources import lance_vectors

if TYPE_CHECKING:
    from lancedb.table import Table

# Every write adds a file, and a query opens each. Compaction rewrites them all: seldom enough not to matter.
_FILES = 16
# Rows beside an index are searched by brute force: right, but slow. Small tables are indexed whole each time, so that
# BM25 weighs words by all that is there; large ones once a twentieth is new.
_UNINDEXED_SHARE = 0.05
# Name of the full-text index: a new one for every change of how words are made, so that old tables are indexed anew.
_WORDS = "words-icu-stem"
_FILTERED = ("category", "platform", "language")


def tend(table: "Table") -> None:
    """Bring files and indices up to date with the rows; does nothing, and writes no version, where they are."""
    rows = table.count_rows()
    if not rows:
        return
    if _scattered(table, rows):
        # Also folds new rows into the indices, and removes versions older than a week that are not tagged.
        table.optimize()
    _index_text(table, rows)
    if rows >= lance_vectors.FLAT_BELOW:
        _index_filters(table)
    if lance_vectors.outgrown(lance_vectors.recorded(table), rows):
        lance_vectors.build(table)


def untag(table: "Table", keep: Collection[str], days: float) -> tuple[str, ...]:
    """Remove the tags that are neither kept, nor the newest, nor younger than so many days; then what they held."""
    tags = {name: int(tag["version"]) for name, tag in table.tags.list().items()}
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
        table.tags.delete(name)
    if gone:
        table.optimize(cleanup_older_than=timedelta(days=max(days, 1.0)))
    return gone


def _scattered(table: "Table", rows: int) -> bool:
    """Whether there are many files, or many rows beside the indices of a large table."""
    # Typed as an object, a dictionary in fact (lancedb 0.40).
    if table.stats()["fragment_stats"]["num_fragments"] > _FILES:
        return True
    return rows >= lance_vectors.FLAT_BELOW and (_unindexed(table, "vector") or 0) > rows * _UNINDEXED_SHARE


def _index_text(table: "Table", rows: int) -> None:
    from lancedb.index import FTS

    names = [index.name for index in table.list_indices() if "indexed_text" in index.columns]
    unindexed = _unindexed(table, "indexed_text") if _WORDS in names else None
    allowed = rows * _UNINDEXED_SHARE if rows >= lance_vectors.FLAT_BELOW else 0
    if unindexed is None or unindexed > allowed:
        # icu/split finds words in Japanese, Chinese and Thai, and cuts everything else as "simple" does, identifiers
        # too. Stemming was better on every set measured. Stop words stay in: text_query leaves them out of questions.
        words = FTS(
            with_position=False, base_tokenizer="icu/split", stem=True, remove_stop_words=False, ascii_folding=True
        )
        table.create_index("indexed_text", config=words, name=_WORDS)
    for former in (name for name in names if name != _WORDS):
        table.drop_index(former)


def _index_filters(table: "Table") -> None:
    """Without them a filtered search reads the whole column first."""
    from lancedb.index import Bitmap, BTree

    have = {column for index in table.list_indices() for column in index.columns}
    for column in _FILTERED:
        if column in table.schema.names and column not in have:
            table.create_index(column, config=Bitmap())
    for column in ("published_at", "document_id"):
        if column not in have:
            table.create_index(column, config=BTree())


def _unindexed(table: "Table", column: str) -> int | None:
    """How many rows the column's index does not cover; None if it has none."""
    name = next((index.name for index in table.list_indices() if column in index.columns), None)
    statistics = table.index_stats(name) if name else None
    return int(statistics.num_unindexed_rows) if statistics else None


def _age(written: datetime | None) -> timedelta:
    return datetime.now(written.tzinfo) - written if written else timedelta.max
