"""A person's posts as an API lists them, newest first: what is new at every visit, all of it now and then."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from llm_twin_assets.collection.connector import Collectable, Found, Listed, Notice, Quarantined, Remember
from llm_twin_assets.collection.reading.dates import utc
from llm_twin_assets.collection.visit import Visit
from llm_twin_assets.domain.identity import Json

MEMORY = "timeline"
# Only a walk to the end shows what is deleted, and what was edited long after it was written.
COMPLETE_EVERY = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Post:
    """One entry of a timeline; `order` grows with time and is compared as text; no document if it is not kept."""

    order: str
    document: Found | None = None


Page: TypeAlias = Sequence[Post | Quarantined]


async def walked(visit: Visit, listing: str, pages: AsyncGenerator[Page, None]) -> AsyncIterator[Collectable]:
    """Documents of the pages, up to the first page that holds nothing new, or of all of them when a walk is due.

    `Listed` comes after a walk to the end without a fault. `pages` raises where a page cannot be had.
    """
    before = _State.of(visit.memory.get(MEMORY))
    due = before.complete_at is None or visit.now - before.complete_at >= COMPLETE_EVERY
    newest, found, faulty = before.newest, False, False
    async with aclosing(pages):
        async for page in pages:
            for entry in page:
                if isinstance(entry, Quarantined):
                    faulty = True
                    yield entry
                    continue
                newest = max(newest, entry.order)
                if entry.document:
                    found = True
                    yield entry.document
            if not due and page and all(_known(entry, before.newest) for entry in page):
                break
    complete = due and not faulty
    if complete and before.newest and not found:
        # Whoever deletes everything is rarer than a server that forgets or hides everything.
        yield Notice("the timeline is empty, though it was not at an earlier visit: nothing is taken for deleted")
    elif complete:
        yield Listed(listing)
    yield Remember(MEMORY, _State(newest, visit.now if due else before.complete_at).json())


def _known(entry: Post | Quarantined, newest: str) -> bool:
    return isinstance(entry, Quarantined) or entry.order <= newest


@dataclass(frozen=True, slots=True)
class _State:
    newest: str
    complete_at: datetime | None

    @classmethod
    def of(cls, value: Json) -> "_State":
        known = value if isinstance(value, Mapping) else {}
        return cls(str(known.get("newest") or ""), utc(known.get("complete_at")))

    def json(self) -> dict[str, Json]:
        return {"newest": self.newest, "complete_at": self.complete_at.isoformat() if self.complete_at else None}
