"""LinkedIn's Member Data Portability API: a snapshot now and then, and between two of them the log of changes.

https://learn.microsoft.com/en-us/linkedin/dma/member-data-portability/shared/member-snapshot-api and
…/member-changelog-api; for members in the EEA and Switzerland. The snapshot has the rows of the export, without ids,
and may be weeks behind; the log goes back 28 days.
"""

from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from llm_twin_assets.collection.connector import Collectable, Found, Gone, Listed, Quarantined, Remember
from llm_twin_assets.collection.platforms.linkedin_changes import change_of
from llm_twin_assets.collection.platforms.linkedin_export import (
    ARTICLES,
    COMMENT_COLUMNS,
    COMMENTS,
    POST_COLUMNS,
    POSTS,
    comment,
    post,
)
from llm_twin_assets.collection.reading.csv_table import Row
from llm_twin_assets.collection.reading.dates import utc
from llm_twin_assets.collection.visit import Visit
from llm_twin_assets.domain.document import Category
from llm_twin_assets.domain.identity import Json
from resources.http import HttpError, HttpStatusError

MEMORY = "portability"
# The only version that the API takes.
VERSION = "202312"
LOG_REACHES_BACK = timedelta(days=28)
# Sooner than the log forgets, so that whoever is away for longer than it reaches back gets a snapshot, too.
SNAPSHOT_EVERY = timedelta(days=27)
PAGE = 50
_MAX_PAGES = 2_000
_DOMAINS = {"MEMBER_SHARE_INFO": POSTS, "ALL_COMMENTS": COMMENTS, "ARTICLES": ARTICLES}
# LinkedIn takes up to a day to make the first one; a domain that is still empty after that has nothing in it.
_WAIT = timedelta(days=3)
_USE_EXPORT = "Get it from LinkedIn's data export instead (`export` or `watch`)."
_MEND = (
    "Make a new token with the scope r_dma_portability_self_serve at linkedin.com/developers/tools/oauth "
    "and put it into LINKEDIN_TOKEN."
)


@dataclass(frozen=True)
class Portability:
    """One member's account; `visibility` as in `linkedin_export.documents`."""

    visit: Visit
    api: str
    token: str
    visibility: frozenset[str] = frozenset()

    async def visited(self) -> AsyncIterator[Collectable]:
        """What changed since the last visit, and a snapshot where one is due."""
        before = _State.of(self.visit.memory.get(MEMORY))
        since, changes = await self._changes(before.since)
        # A deletion is logged once; the snapshot goes on showing what was deleted.
        recent = (self.visit.now - LOG_REACHES_BACK).timestamp() * 1000
        deleted = {key: at for key, at in before.deleted.items() if at >= recent and key not in changes}
        deleted |= {key: at for key, (event, at) in changes.items() if isinstance(event, Gone)}
        waiting: list[str] = []
        for domain in self._domains(before):
            rows = await self._snapshot(domain)
            if rows is None:
                waiting.append(domain)
            for event in self._documents(domain, rows or []) if rows is not None else ():
                if not (isinstance(event, Found) and event.stable_id in deleted):
                    yield event
        for change, _ in changes.values():
            if isinstance(change, Found):
                yield change
        for stable_id in sorted(deleted):
            yield Gone(stable_id)
        at = self.visit.now if self._due(before) else before.snapshot_at
        yield Remember(MEMORY, _State(since, at, tuple(waiting), deleted).json())

    def _due(self, before: "_State") -> bool:
        return before.snapshot_at is None or self.visit.now - before.snapshot_at >= SNAPSHOT_EVERY

    def _domains(self, before: "_State") -> tuple[str, ...]:
        """What to take a snapshot of: all when it is time, else what LinkedIn had not made ready."""
        if before.snapshot_at is None or self._due(before):
            return tuple(_DOMAINS)
        return before.waiting if self.visit.now - before.snapshot_at < _WAIT else ()

    async def _changes(self, since: int | None) -> tuple[int | None, dict[str, tuple[Found | Gone, int]]]:
        """The last change of each document in the log since a time (epoch ms, inclusive), and the time of the last."""
        latest: dict[str, tuple[Found | Gone, int]] = {}
        start, newest, previous = 0, since, None
        for _ in range(_MAX_PAGES):
            query = {"q": "memberAndApplication", "count": str(PAGE), "start": str(start)}
            body = await self._get("memberChangeLogs", query | ({"startTime": str(since)} if since else {}))
            events = _elements(body)
            if not events or events == previous:
                return newest, latest
            for event in events:
                at = event.get("processedAt")
                at = at if isinstance(at, int) else 0
                newest = max(newest or 0, at) or None
                if change := change_of(event, self.visibility):
                    latest.pop(change.stable_id, None)
                    latest[change.stable_id] = change, at
            start, previous = start + len(events), events
        raise HttpError("does not come to an end", where=f"{self.api}/rest/memberChangeLogs")

    async def _snapshot(self, domain: str) -> list[Mapping[str, object]] | None:
        """All rows of a domain; None while LinkedIn has none, be it that it has not made them yet."""
        rows: list[Mapping[str, object]] = []
        previous = None
        for start in range(_MAX_PAGES):
            body = await self._get("memberSnapshotData", {"q": "criteria", "domain": domain, "start": str(start)})
            elements = _elements(body)
            if not elements or elements == previous:
                return rows if start else None
            for element in elements:
                data = element.get("snapshotData")
                rows.extend(row for row in (data if isinstance(data, list) else ()) if isinstance(row, Mapping))
            previous = elements
        raise HttpError("does not come to an end", where=f"{self.api}/rest/memberSnapshotData?domain={domain}")

    def _documents(self, domain: str, rows: list[Mapping[str, object]]) -> Iterator[Collectable]:
        listing = f"snapshot {_DOMAINS[domain]}"
        # It may be as old as the log is long; whatever the log or a newer export says stands against it.
        as_of = self.visit.now - LOG_REACHES_BACK
        complete = True
        for number, values in enumerate(rows):
            for event in self._document(domain, values, f"{self.api}/rest/memberSnapshotData {domain}:{number}"):
                complete = complete and isinstance(event, Found)
                yield replace(event, listing=listing, as_of=as_of) if isinstance(event, Found) else event
        if complete:
            yield Listed(listing)

    def _document(self, domain: str, values: Mapping[str, object], place: str) -> Iterator[Found | Quarantined]:
        if domain == "ARTICLES":
            yield from _article(values, place)
            return
        columns = POST_COLUMNS if domain == "MEMBER_SHARE_INFO" else COMMENT_COLUMNS
        if missing := [name for name in columns if not isinstance(values.get(name), str)]:
            yield Quarantined(place, f"lacks {', '.join(missing)}. {_USE_EXPORT}")
            return
        row = Row(place, {name: value for name, value in values.items() if isinstance(value, str)})
        yield from post(row, self.visibility) if domain == "MEMBER_SHARE_INFO" else comment(row)

    async def _get(self, resource: str, params: Mapping[str, str]) -> object:
        url = f"{self.api}/rest/{resource}"
        headers = {"authorization": f"Bearer {self.token}", "linkedin-version": VERSION}
        try:
            response = await self.visit.get(url, params=params, headers=headers, robots=False, conditional=False)
        except HttpStatusError as error:
            raise HttpStatusError(error.status, where=url, mend=_MEND if error.status in (401, 403) else None) from None
        # Of the snapshot a 404 says "No data found for this domain and memberId"; the log is always there.
        if response.missing and resource != "memberSnapshotData":
            raise HttpStatusError(response.status, where=url)
        return {} if response.missing else response.json()


@dataclass(frozen=True, slots=True)
class _State:
    """`since`: time of the last change seen (epoch ms); `deleted`: what is gone, and since when (epoch ms)."""

    since: int | None
    snapshot_at: datetime | None
    waiting: tuple[str, ...]
    deleted: Mapping[str, int]

    @classmethod
    def of(cls, value: Json) -> "_State":
        known = value if isinstance(value, Mapping) else {}
        since, waiting, deleted = known.get("since"), known.get("waiting"), known.get("deleted")
        return cls(
            since if isinstance(since, int) else None,
            utc(known.get("snapshot_at")),
            tuple(each for each in (waiting if isinstance(waiting, list) else ()) if each in _DOMAINS),
            {key: at for key, at in (deleted.items() if isinstance(deleted, Mapping) else ()) if isinstance(at, int)},
        )

    def json(self) -> dict[str, Json]:
        return {
            "since": self.since,
            "snapshot_at": self.snapshot_at.isoformat() if self.snapshot_at else None,
            "waiting": list(self.waiting),
            "deleted": dict(self.deleted),
        }


def _elements(body: object) -> list[Mapping[str, object]]:
    elements = body.get("elements") if isinstance(body, Mapping) else None
    return [each for each in (elements if isinstance(elements, list) else ()) if isinstance(each, Mapping)]


def _article(values: Mapping[str, object], place: str) -> Iterator[Found | Quarantined]:
    """LinkedIn documents the domain but not its columns: take those whose names leave no doubt, or none."""
    named = {key.lower().replace(" ", ""): value for key, value in values.items() if isinstance(value, str)}

    def first(*names: str) -> str:
        return next((value.strip() for key, value in named.items() if key.removeprefix("article") in names), "")

    text, url = first("content", "body", "html"), first("link", "url", "permalink")
    if not text or not url.startswith("https://"):
        yield Quarantined(place, f"has no text and address by a known name. {_USE_EXPORT}")
        return
    moment = utc(first("publisheddate", "publishedat", "datepublished", "date"))
    yield Found(
        stable_id=url,
        category=Category.ARTICLE,
        title=first("title", "headline") or None,
        content=text,
        media_type="text/html" if "</" in text else "text/plain",
        url=url,
        published_at=moment,
        dated_by="platform" if moment else "nothing",
    )
