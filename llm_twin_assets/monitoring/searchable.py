"""How long a document waits from its publication until a release can find it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from llm_twin_assets.domain.document import Category
from llm_twin_assets.domain.release import Release
from resources.vector_store import VectorStore
from resources.warehouse import Warehouse

# What was published before that is history: a mended delay must leave the figure.
RECENT = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Searchable:
    """Of the documents published lately: seconds until a release had them, and how many none has yet.

    A document that none has counts with its waiting until now. Both times are None where nothing was published lately.
    """

    waiting: int = 0
    median: float | None = None
    longest: float | None = None


@dataclass(frozen=True, slots=True)
class Published:
    """A document and when it was published."""

    document_id: str
    at: datetime


def searchable(
    published: Iterable[Published], past: Sequence[Release], held: Callable[[str], frozenset[str]], now: datetime
) -> Searchable:
    """The waits of what was published after the first release and within the last 30 days.

    What is older than the twin did not wait for it. `held` gives the documents of a snapshot; `past` is oldest first.
    """
    if not past:
        return Searchable()
    since = max(past[0].released_at, now - RECENT)
    awaited = {each.document_id: each.at for each in published if since < each.at <= now}
    waits: dict[str, float] = {}
    for release in past if awaited else ():
        if release.released_at < since:
            continue  # too early for any of them
        for document in held(release.snapshot) & (awaited.keys() - waits.keys()):
            waits[document] = max(0.0, (release.released_at - awaited[document]).total_seconds())
    open_ones = {document: (now - at).total_seconds() for document, at in awaited.items() if document not in waits}
    seconds = [*waits.values(), *open_ones.values()]
    if not seconds:
        return Searchable()
    return Searchable(len(open_ones), median(seconds), max(seconds))


def published_documents(author: str, warehouse: Warehouse) -> list[Published]:
    """An author's cleaned documents that stand for themselves and say when they were published."""
    columns = ["document_id", "published_at", "duplicate_of"]
    tables = (warehouse.read(f"cleaned/{category.plural}", author, columns) for category in Category)
    return [
        Published(row["document_id"], row["published_at"])
        for table in tables
        for row in table.to_pylist()
        if row["published_at"] is not None and not row.get("duplicate_of")
    ]


class HeldDocuments:
    """What each snapshot holds, read once: a snapshot never changes."""

    def __init__(self, store: VectorStore) -> None:
        self._store = store
        self._known: dict[tuple[str, str], frozenset[str]] = {}

    def of(self, author: str, snapshot: str) -> frozenset[str]:
        """Documents of a snapshot; none of one that was retired."""
        if (author, snapshot) not in self._known:
            if snapshot not in self._store.snapshots(author):
                return frozenset()
            rows = self._store.open(author, snapshot).rows(["document_id"])
            self._known[author, snapshot] = frozenset(rows["document_id"].to_pylist())
        return self._known[author, snapshot]
