"""What a site says that it holds: its feeds, its sitemaps, and the addresses that a person listed."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import urljoin

from llm_twin_assets.collection.connector import Collectable, Notice, Quarantined, Remember, RobotsSkipped
from llm_twin_assets.collection.platforms.web_readings import FEED, LIST, SITEMAP, Candidate, Reading
from llm_twin_assets.collection.reading import web_addresses
from llm_twin_assets.collection.reading.canonical_url import url_key
from llm_twin_assets.collection.reading.feeds import FeedError
from llm_twin_assets.collection.reading.sitemaps import Located, SitemapError
from llm_twin_assets.collection.visit import Visit
from resources.http import HttpError, HttpStatusError, RobotsRefusedError

_FEED_PLACES = ("/feed", "/feed.xml", "/rss.xml", "/atom.xml", "/index.xml", "/feed.json")
_SITEMAP_PLACES = ("/sitemap.xml", "/sitemap_index.xml", "/wp-sitemap.xml")
_MAX_FEEDS = 4
_MAX_SITEMAPS = 500
# Sitemaps of listings, as the usual makers name them (`category-sitemap.xml`, `wp-sitemap-users-1.xml`).
_NO_ARTICLES = re.compile(r"(?:category|tag|taxonomy|author|user)[a-z_]*-?sitemap|sitemap-(?:taxonomies|users)-")
_SITEMAP_LINE = re.compile(r"^\s*sitemap\s*:\s*(\S+)", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which of a site's pages are taken: patterns first, then what an address looks like."""

    include: Sequence[str] = ()
    exclude: Sequence[str] = ()
    max_pages: int = 5_000

    def takes(self, candidate: Candidate, below: str) -> bool:
        """Whether a page is to be fetched; `below` is the path that a sitemap's pages have to stand under."""
        if web_addresses.matches(candidate.url, self.exclude):
            return False
        if self.include:
            return web_addresses.matches(candidate.url, self.include)
        if SITEMAP not in candidate.listings:
            return True
        under = web_addresses.path(candidate.url).startswith(f"{below}/")
        return under and web_addresses.looks_like_article(candidate.url)


@dataclass
class Listings:
    """Candidates by key; the listings that were read to their end, and whether the site says that nothing changed."""

    visit: Visit
    wanted: Wanted
    candidates: dict[str, Candidate] = field(default_factory=dict)
    ended: dict[str, bool] = field(default_factory=dict)
    events: list[Collectable] = field(default_factory=list)
    _readings: dict[str, tuple[Reading, bool]] = field(default_factory=dict)
    _full: bool = False

    def name(self, urls: Iterable[str]) -> None:
        """Take the addresses that a person listed, wherever they are."""
        for url in urls:
            self._add(Candidate(url, (LIST,)))
            self.ended[LIST] = False

    async def explore(self, url: str) -> None:
        """Read the site at `url`, or the feed or sitemap that it is; raises a `TwinError` if it cannot be had."""
        first, _ = await self._reading(url)
        home = first.home or url
        sites = [host for each in (url, home) if (host := web_addresses.host(each))]
        if first.kind == FEED:
            self._take(first.entries, sites)
        elif first.kind == SITEMAP:
            await self._read_sitemaps([Located(url)], sites)
        else:
            root = urljoin(home, "/")
            await self._read_feeds([each.url for each in first.more], root, sites)
            sitemaps = await self._stated_sitemaps(root) or await self._usual_sitemap(root)
            await self._read_sitemaps(sitemaps, sites, web_addresses.folder(url))
        if self._full:
            self.ended.pop(SITEMAP, None)
            what = f"{url} shows more than {self.wanted.max_pages} pages; the rest is left out"
            self.events.append(Notice(f"{what} (raise `max_pages` or set `include` in twin.yaml)"))

    async def _read_feeds(self, linked: Sequence[str], root: str, sites: Sequence[str]) -> None:
        feeds = [url for url in linked if web_addresses.same_site(url, sites)]
        for url in feeds[:_MAX_FEEDS] or await self._usual_feed(root):
            reading = await self._readable(url)
            if reading and reading.kind == FEED:
                self._take(reading.entries, sites)

    async def _usual_feed(self, root: str) -> list[str]:
        """A feed to which no link leads. The usual places are tried at the first visit only."""
        note = f"{root}#feed"
        found = self.visit.memory.get(note)
        if not isinstance(found, str):
            found = await self._first(FEED, [urljoin(root, place) for place in _FEED_PLACES]) or ""
            self.events.append(Remember(note, found))
        return [found] if found else []

    async def _stated_sitemaps(self, root: str) -> list[Located]:
        """The sitemaps that robots.txt names."""
        try:
            response = await self.visit.get(urljoin(root, "/robots.txt"), robots=False, conditional=False)
        except HttpError:
            return []
        text = "" if response.missing else response.text
        return [Located(found) for found in dict.fromkeys(_SITEMAP_LINE.findall(text))]

    async def _usual_sitemap(self, root: str) -> list[Located]:
        found = await self._first(SITEMAP, [urljoin(root, place) for place in _SITEMAP_PLACES])
        return [Located(found)] if found else []

    async def _first(self, kind: str, places: Iterable[str]) -> str | None:
        """The first of the places where there is a feed or a sitemap."""
        for url in places:
            reading = await self._readable(url, expected=False)
            if reading and reading.kind == kind:
                return url
        return None

    async def _read_sitemaps(self, stated: Sequence[Located], sites: Sequence[str], below: str = "") -> None:
        waiting = [each for each in stated if web_addresses.same_site(each.url, sites)]
        unchanged: list[bool] = []
        for located in waiting:
            reading = await self._readable(located.url, located.lastmod)
            if reading is None or reading.kind != SITEMAP:
                continue
            unchanged.append(self._readings[located.url][1])
            self._take(reading.entries, sites, below)
            more = [each for each in reading.more if _may_hold_articles(each, sites) and each not in waiting]
            waiting += more[: _MAX_SITEMAPS - len(waiting)]
        if unchanged and len(unchanged) == len(waiting) < _MAX_SITEMAPS:
            self.ended[SITEMAP] = all(unchanged)

    async def _readable(self, url: str, version: str | None = None, *, expected: bool = True) -> Reading | None:
        """A file, None if it cannot be read; a 404 is worth a word only where something leads there."""
        try:
            reading, _ = await self._reading(url, version)
        except RobotsRefusedError:
            self.events.append(RobotsSkipped(url))
        except (HttpError, FeedError, SitemapError) as error:
            if expected or not isinstance(error, HttpStatusError):
                self.events.append(Quarantined(url, f"{error.what}. It is tried again at the next visit."))
        else:
            return reading
        return None

    async def _reading(self, url: str, version: str | None = None) -> tuple[Reading, bool]:
        """A file as it is now, and whether it is as it was."""
        if url not in self._readings:
            self._readings[url] = await self._fetched(url, version)
        return self._readings[url]

    async def _fetched(self, url: str, version: str | None) -> tuple[Reading, bool]:
        note = f"{url}#listing"
        kept = Reading.from_json(self.visit.memory.get(note))
        known = self.visit.page(url)
        if kept and known and version and known.version == version:
            return kept, True
        response = await self.visit.get(url, conditional=kept is not None)
        if response.not_modified and kept:
            return kept, True
        if response.missing or response.not_modified:
            raise HttpStatusError(response.status, where=url)
        reading = Reading.of(response)
        self.events += [Remember(note, reading.json()), self.visit.remember(response, version=version)]
        return reading, False

    def _take(self, entries: Iterable[Candidate], sites: Sequence[str], below: str = "") -> None:
        for entry in entries:
            if web_addresses.same_site(entry.url, sites) and self.wanted.takes(entry, below):
                self._add(entry)

    def _add(self, candidate: Candidate) -> None:
        identity = url_key(candidate.url)
        before = self.candidates.get(identity)
        if before is None and len(self.candidates) >= self.wanted.max_pages:
            self._full = True
            return
        self.candidates[identity] = _merged(before, candidate) if before else candidate


def _may_hold_articles(sitemap: Located, sites: Sequence[str]) -> bool:
    return web_addresses.same_site(sitemap.url, sites) and not _NO_ARTICLES.search(
        web_addresses.path(sitemap.url).lower()
    )


def _merged(one: Candidate, other: Candidate) -> Candidate:
    shown = {*one.listings, *other.listings}
    by_sitemap = other if SITEMAP in other.listings else one
    return replace(
        one,
        # A feed forgets what is old; where another listing shows the page, that one says whether it is still there.
        listings=tuple(each for each in (LIST, SITEMAP) if each in shown) or (FEED,),
        title=one.title or other.title,
        published_at=one.published_at or other.published_at,
        version=by_sitemap.version or one.version or other.version,
    )
