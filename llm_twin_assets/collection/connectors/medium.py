"""Medium: the feeds of a person and of publications (the ten latest posts), and the account export (all of them)."""

import hashlib
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated

from pydantic import StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from llm_twin_assets.collection.connector import (
    Collectable,
    Connector,
    Found,
    LocalPath,
    Notice,
    Quarantined,
    Remember,
    RobotsSkipped,
    Seen,
    SourceOptions,
    WebUrl,
)
from llm_twin_assets.collection.platforms import medium_export, medium_feed
from llm_twin_assets.collection.reading.dates import utc
from llm_twin_assets.collection.reading.feeds import Entry, Feed, FeedError, read_feed
from llm_twin_assets.collection.reading.watched import Archives
from llm_twin_assets.collection.visit import Visit
from llm_twin_assets.domain.document import Category
from llm_twin_assets.domain.identity import Json
from resources.http import HttpError, RobotsRefusedError

Handle = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^@?[A-Za-z0-9_.-]+$")]

# Raise it when the same export would be read differently.
_READING = 1
_COVERED = "covered by exports"
_EXPORT_HINT = f"Download the account export from {medium_export.DOWNLOAD} and name it as `export`."
# An export's date has no zone.
_MARGIN = timedelta(days=1)


class MediumOptions(SourceOptions):
    """`handle`: the name after the @. `publications`: whose feeds to look for the person's posts in, by address.

    `export`: the zip that Medium mails, or its unpacked folder; `watch`: a folder into which such zips are dropped.
    """

    handle: Handle | None = None
    publications: tuple[WebUrl, ...] = ()
    export: LocalPath | None = None
    watch: LocalPath | None = None
    base: WebUrl = "https://medium.com"

    @model_validator(mode="after")
    def _names_something(self) -> "MediumOptions":
        if not (self.handle or self.publications or self.export or self.watch):
            raise PydanticCustomError("medium", "needs `handle`, `publications`, `export` or `watch`")
        return self

    def name(self) -> str:
        """The handle, which outlives exports."""
        local = self.export or self.watch
        return self.account or (local.name if local else self.publications[0])

    @property
    def account(self) -> str | None:
        """The handle without its @."""
        return self.handle.removeprefix("@") if self.handle else None

    @property
    def feeds(self) -> list[str]:
        """Addresses of the feeds, the person's own first."""
        own = [f"{self.base}/feed/@{self.account}"] if self.account else []
        return [*own, *(self._feed_of(publication) for publication in self.publications)]

    def is_own(self, feed: str, entry: Entry, person: str) -> bool:
        """Whether an item is the person's: all in their own feed, theirs alone in a publication's."""
        own_feed = bool(self.account) and feed == self.feeds[0]
        return own_feed or medium_feed.is_by(entry, person, self.account)

    def _feed_of(self, publication: str) -> str:
        # Publications without a domain of their own live below medium.com, and their feeds elsewhere there.
        if publication.startswith(f"{self.base}/"):
            return f"{self.base}/feed/{publication.removeprefix(self.base).strip('/')}"
        return f"{publication}/feed"


async def collect(options: MediumOptions, visit: Visit) -> AsyncIterator[Collectable]:
    """The export's posts if it is new, then those of the feeds that it does not cover."""
    covered = _Covered.of(visit.memory.get(_COVERED))
    for event in _exported(options, visit, covered):
        yield event
    done: set[str] = set()
    failed: list[HttpError | FeedError] = []
    for url in options.feeds:
        try:
            async for event in _fed(url, options, visit, covered, done):
                yield event
        except RobotsRefusedError:
            yield RobotsSkipped(url)
        except (HttpError, FeedError) as error:
            failed.append(error)
            if len(failed) == len(options.feeds) and not covered:
                raise
            yield Quarantined(error.where or url, f"{error.what}. {error.mend or ''}".rstrip())


CONNECTOR = Connector(
    platform="medium",
    categories=frozenset({Category.ARTICLE, Category.POST}),
    options=MediumOptions,
    collect=collect,
    description="Articles and responses from Medium: feeds of a handle and of publications, account export.",
)


@dataclass
class _Covered:
    """The posts that exports held, and until when."""

    until: datetime | None = None
    ids: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, value: Json) -> "_Covered":
        known = value if isinstance(value, Mapping) else {}
        ids = known.get("ids")
        return cls(utc(known.get("until")), {str(each) for each in ids} if isinstance(ids, list) else set())

    def __bool__(self) -> bool:
        return bool(self.ids)

    def add(self, found: Found) -> None:
        self.ids.add(found.stable_id)
        if found.as_of and (self.until is None or found.as_of > self.until):
            self.until = found.as_of

    def holds(self, identity: str, entry: Entry) -> bool:
        """Whether the export has the post as the feed shows it."""
        moment = utc(entry.version) or entry.published_at
        return bool(identity in self.ids and self.until and moment and moment < self.until - _MARGIN)

    def remember(self) -> Remember:
        return Remember(_COVERED, {"until": self.until.isoformat() if self.until else None, "ids": sorted(self.ids)})


def _exported(options: MediumOptions, visit: Visit, covered: _Covered) -> Iterator[Collectable]:
    if not (options.export or options.watch):
        return
    archives = Archives(
        medium_export.wanted, medium_export.read, export=options.export, watch=options.watch, reading=_READING
    )
    read = False
    for event in archives.visited(visit):
        if isinstance(event, Found):
            covered.add(event)
            read = True
        yield event
    if read:
        yield covered.remember()


async def _fed(
    url: str, options: MediumOptions, visit: Visit, covered: _Covered, done: set[str]
) -> AsyncIterator[Collectable]:
    known = _items(visit.memory.get(f"{url}#items"))
    response = await visit.get(url)
    if response.not_modified:
        for identity in (each for each, version in known.items() if version and each not in done):
            yield Seen(identity, medium_feed.LISTING)
        return
    if response.missing:
        raise FeedError(f"is no feed (answered {response.status})", where=url, mend="Check the name in twin.yaml.")
    feed = read_feed(response.content, response.url, response.headers.get("content-type", ""))
    for what in _gap(url, feed, known, covered):
        yield Notice(what)
    # Others' items, and those that could not be read, are remembered without a version: for the gap alone.
    items: dict[str, str | None] = {}
    for identity, entry in _identified(feed):
        items[identity] = None
        if identity in done or not options.is_own(url, entry, visit.person.name):
            continue
        done.add(identity)
        version = _version(entry)
        same = known.get(identity) == version or covered.holds(identity, entry)
        event = Seen(identity, medium_feed.LISTING) if same else _read(url, identity, entry)
        items[identity] = None if isinstance(event, Quarantined) else version
        yield event
    yield Remember(f"{url}#items", items)
    yield visit.remember(response)


def _identified(feed: Feed) -> Iterator[tuple[str, Entry]]:
    for entry in feed.entries:
        identity = medium_feed.stable_id(entry)
        if identity:
            yield identity, entry


def _read(url: str, identity: str, entry: Entry) -> Collectable:
    found = medium_feed.document(entry)
    return found or Quarantined(identity, f"its item in {url} holds no text. {_EXPORT_HINT}")


def _items(value: Json) -> dict[str, str | None]:
    known = value if isinstance(value, Mapping) else {}
    return {key: each if isinstance(each, str) else None for key, each in known.items()}


def _version(entry: Entry) -> str:
    if entry.version:
        return entry.version
    said = f"{entry.title}\n{entry.content or entry.summary}"
    return hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _gap(url: str, feed: Feed, known: Mapping[str, str | None], covered: _Covered) -> Iterator[str]:
    """What to tell when the feed is full and not one of its items was met before: there may be more behind them."""
    shown = {identity for identity, _ in _identified(feed)}
    if len(shown) < medium_feed.ITEMS or shown & (known.keys() | covered.ids):
        return
    if known or covered:
        yield f"{url}: all {len(shown)} items are new, so there may be others that no visit saw. {_EXPORT_HINT}"
    else:
        yield f"{url}: a feed shows the {len(shown)} latest posts; older ones are not collected. {_EXPORT_HINT}"
