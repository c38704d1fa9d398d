"""Files that list others (feeds, sitemaps, pages that link to feeds), in one shape that can be remembered for a 304."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from llm_twin_assets.collection.reading.dates import utc
from llm_twin_assets.collection.reading.feeds import is_feed, read_feed
from llm_twin_assets.collection.reading.sitemaps import Located, is_sitemap, read_sitemap
from llm_twin_assets.domain.identity import Json
from resources.http import Response

LIST, SITEMAP, FEED, PAGE = "list", "sitemap", "feed", "page"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A page that may be a document. `listings` are those that show all documents, or the feed if it alone shows it.

    `version` changes with the page (a sitemap's `lastmod`, a feed's date of update), None where nothing states it.
    """

    url: str
    listings: tuple[str, ...]
    title: str | None = None
    published_at: datetime | None = None
    version: str | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """One file that lists others, in the shape in which it is remembered for a 304.

    `kind` is feed, sitemap or page (which names feeds); `more` are further files to read; `home` is whose it is.
    """

    kind: str
    entries: tuple[Candidate, ...] = ()
    more: tuple[Located, ...] = ()
    home: str | None = None

    @classmethod
    def of(cls, response: Response) -> "Reading":
        """Read a body as what it is; raises `FeedError` or `SitemapError` if it is broken."""
        data = response.content
        if is_feed(data):
            feed = read_feed(data, response.url, response.headers.get("content-type", ""))
            entries = tuple(
                Candidate(each.url, (FEED,), each.title, each.published_at, each.version)
                for each in feed.entries
                if each.url
            )
            return cls(FEED, entries, home=feed.home)
        if is_sitemap(data) or response.url.endswith("sitemap.txt"):
            sitemap = read_sitemap(data, response.url)
            pages = tuple(Candidate(page.url, (SITEMAP,), version=page.lastmod) for page in sitemap.pages)
            return cls(SITEMAP, pages, sitemap.sitemaps)
        from llm_twin_assets.collection.platforms.web_pages import page_facts

        feeds = page_facts(response.text, response.url).feeds
        return cls(PAGE, more=tuple(Located(feed) for feed in feeds), home=response.url)

    def json(self) -> Json:
        """For the memory; a page of each list is an address with what is known of it."""
        return {
            "kind": self.kind,
            "home": self.home,
            "more": [[each.url, each.lastmod] for each in self.more],
            "entries": [
                [each.url, each.version, each.title, each.published_at.isoformat() if each.published_at else None]
                for each in self.entries
            ],
        }

    @classmethod
    def from_json(cls, value: Json) -> "Reading | None":
        """What an earlier visit remembered, None if it is not that."""
        if not isinstance(value, Mapping) or not isinstance(value.get("kind"), str):
            return None
        kind, home = str(value["kind"]), value.get("home")
        entries = (
            Candidate(url, (kind,), title, utc(published), version)
            for url, version, title, published in _rows(value.get("entries"), 4)
            if url
        )
        more = (Located(url, lastmod) for url, lastmod in _rows(value.get("more"), 2) if url)
        return cls(kind, tuple(entries), tuple(more), home if isinstance(home, str) else None)


def _rows(value: Json, width: int) -> list[list[str | None]]:
    rows = value if isinstance(value, list) else []
    return [
        [each if isinstance(each, str) else None for each in row]
        for row in rows
        if isinstance(row, list) and len(row) == width
    ]
