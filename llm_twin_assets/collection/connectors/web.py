"""Any site: its pages as feeds, sitemaps and a list show them, each asked for only when it may have changed."""

import hashlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from llm_twin_assets.collection.connector import (
    Collectable,
    Connector,
    DatedBy,
    Found,
    Gone,
    Listed,
    Quarantined,
    Remember,
    RobotsSkipped,
    Seen,
    SourceOptions,
)
from llm_twin_assets.collection.platforms.web_listings import Listings, Wanted
from llm_twin_assets.collection.platforms.web_readings import LIST, Candidate
from llm_twin_assets.collection.reading import web_addresses
from llm_twin_assets.collection.reading.canonical_url import url_key
from llm_twin_assets.collection.visit import Page, Visit
from llm_twin_assets.domain.document import Category
from resources.http import HttpError, Response, RobotsRefusedError, UnavailableError

_HTML = frozenset({"text/html", "application/xhtml+xml", ""})
# A host that fails this often is in trouble, and more requests are no help.
_MAX_FAILURES = 10


def _page_url(url: str) -> str:
    # Unlike the base addresses of other platforms it keeps its last slash: without it some servers answer 404.
    if not url.startswith(("https://", "http://")):
        raise PydanticCustomError("web_url", "should begin with https:// or http://")
    return url


PageUrl = Annotated[str, AfterValidator(_page_url)]


class WebOptions(SourceOptions):
    """`url`: a site, a section of it, a feed or a sitemap. `urls`: single pages, anywhere.

    `include`, `exclude`: shell patterns on the path (`/blog/*`). Without `include`, pages that only list others are
    left out, as far as their address tells, and of a section only what stands below it is taken.
    """

    url: PageUrl | None = None
    urls: tuple[PageUrl, ...] = ()
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    max_pages: int = Field(default=5_000, ge=1, le=100_000)

    @model_validator(mode="after")
    def _names_something(self) -> "WebOptions":
        if not (self.url or self.urls):
            raise PydanticCustomError("web", "needs `url` or `urls`")
        return self

    def name(self) -> str:
        """The site; of a list alone its first site, since pages come and go."""
        return self.url or web_addresses.host(self.urls[0])


async def collect(options: WebOptions, visit: Visit) -> AsyncIterator[Collectable]:
    """Events for every page that may be an article."""
    listings = await _listings(options, visit)
    for event in listings.events:
        yield event
    asked: list[Candidate] = []
    for candidate in listings.candidates.values():
        known = _as_stated(visit.page(candidate.url), candidate)
        if known:
            for event in _seen(known, candidate):
                yield event
        else:
            asked.append(candidate)
    async for events in visit.each(asked, _Pages(visit, listings.candidates).fetch):
        for event in events:
            yield event
    # A page that failed was seen if it had ever been read; if not, there is nothing that could be missed.
    for listing, again in listings.ended.items():
        yield Listed(listing, again)


CONNECTOR = Connector(
    platform="web",
    categories=frozenset({Category.ARTICLE}),
    options=WebOptions,
    collect=collect,
    description="Pages of any site, by feed, sitemap or list.",
)


async def _listings(options: WebOptions, visit: Visit) -> Listings:
    listings = Listings(visit, Wanted(options.include, options.exclude, options.max_pages))
    listings.name(options.urls)
    if options.url:
        await listings.explore(options.url)
    return listings


@dataclass
class _Pages:
    """Fetches pages and tells what became of each."""

    visit: Visit
    candidates: dict[str, Candidate]
    _failures: int = 0
    _found: set[str] = field(default_factory=set)

    async def fetch(self, candidate: Candidate) -> Sequence[Collectable]:
        """Events for one page; raises the error of a host that fails again and again."""
        known = self.visit.page(candidate.url)
        try:
            response = await self.visit.get(candidate.url)
        except RobotsRefusedError:
            return [RobotsSkipped(candidate.url), *_still_there(known, candidate)]
        except HttpError as error:
            self._failures += isinstance(error, UnavailableError)
            if self._failures > _MAX_FAILURES:
                raise
            return _failed(known, candidate, error.what)
        if response.not_modified and known and known.stable_id:
            return [*_seen(known.stable_id, candidate), *_with_version(candidate, known)]
        if response.missing:
            if known and known.stable_id:
                return [Gone(known.stable_id)]
            return [Quarantined(candidate.url, f"answered {response.status}. Mend the link that leads there.")]
        return self._read(response, known, candidate)

    def _read(self, response: Response, known: Page | None, candidate: Candidate) -> Sequence[Collectable]:
        if response.media_type not in _HTML or not response.content.strip():
            return _failed(known, candidate, f"is {response.media_type or 'empty'}, not a web page")
        if LIST not in candidate.listings and not _is_as_asked(response, candidate):
            return _failed(known, candidate, f"leads away to {response.url}")
        # Of a page without validators and dates its own digest says whether it is as it was.
        version = candidate.version or hashlib.sha256(response.content).hexdigest()[:16]
        if known and known.stable_id and known.version == version and not candidate.version:
            return _seen(known.stable_id, candidate)
        return self._document(response, version, candidate)

    def _document(self, response: Response, version: str, candidate: Candidate) -> Sequence[Collectable]:
        from llm_twin_assets.collection.platforms.web_pages import page_facts

        html = response.text
        facts = page_facts(html, response.url)
        address = _canonical(facts.canonical, response.url)
        stable_id = url_key(address)
        remember = self.visit.remember(response, stable_id=stable_id, version=version)
        other = stable_id != url_key(candidate.url) and stable_id in self.candidates
        if other or stable_id in self._found:  # a copy of a page that comes under its own address
            return [remember]
        self._found.add(stable_id)
        published = facts.published_at or candidate.published_at
        dated_by: DatedBy = "page" if facts.published_at else "platform"
        found = Found(
            stable_id=stable_id,
            category=Category.ARTICLE,
            title=facts.title or candidate.title,
            content=html,
            media_type="text/html",
            url=address,
            published_at=published,
            dated_by=dated_by if published else "nothing",
            listing=candidate.listings[0],
        )
        return [found, *(Seen(stable_id, each) for each in candidate.listings[1:]), remember]


def _as_stated(known: Page | None, candidate: Candidate) -> str | None:
    """The identity of a page that is as its listing says that it is: it need not be asked for."""
    same = known is not None and candidate.version is not None and known.version == candidate.version
    return known.stable_id if known and same else None


def _failed(known: Page | None, candidate: Candidate, what: str) -> list[Collectable]:
    broken = Quarantined(candidate.url, f"{what}. It is tried again at the next visit.")
    return [broken, *_still_there(known, candidate)]


def _still_there(known: Page | None, candidate: Candidate) -> list[Collectable]:
    """A page that could not be read, but is listed."""
    return _seen(known.stable_id, candidate) if known and known.stable_id else []


def _seen(stable_id: str, candidate: Candidate) -> list[Collectable]:
    return [Seen(stable_id, listing) for listing in candidate.listings]


def _with_version(candidate: Candidate, known: Page) -> list[Collectable]:
    """A page that stayed as it was although its listing states a change: ask no more until the next one."""
    if not candidate.version or candidate.version == known.version:
        return []
    stated = {"etag": known.validators.etag, "last_modified": known.validators.last_modified}
    value = {**stated, "stable_id": known.stable_id, "version": candidate.version}
    return [Remember(candidate.url, {key: each for key, each in value.items() if each is not None})]


def _is_as_asked(response: Response, candidate: Candidate) -> bool:
    """Whether redirects stayed on the site and did not end at its front page, as they do for what was deleted."""
    if url_key(response.url) == url_key(candidate.url):
        return True
    on_site = web_addresses.same_site(response.url, [web_addresses.host(candidate.url)])
    return on_site and not web_addresses.is_front(response.url)


def _canonical(stated: str | None, url: str) -> str:
    """The page's own word on its address, where it can be believed: on the same site, and not its front page."""
    if not stated or not web_addresses.same_site(stated, [web_addresses.host(url)]):
        return url
    return url if web_addresses.is_front(stated) else stated
