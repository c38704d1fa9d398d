"""A publication whose API does not answer: posts by the sitemap and their pages, or else by the feed."""

import re
from collections.abc import AsyncIterator

from llm_twin_assets.collection.connector import Collectable, Found, Seen
from llm_twin_assets.collection.platforms.substack_posts import document, preloaded, stable_id
from llm_twin_assets.collection.platforms.substack_site import READ, Publication, SubstackError, failed, same_again
from llm_twin_assets.collection.reading.dates import utc
from llm_twin_assets.collection.reading.feeds import Entry, FeedError, read_feed
from llm_twin_assets.collection.reading.sitemaps import SitemapError, read_sitemap
from llm_twin_assets.collection.reading.web_addresses import path
from llm_twin_assets.collection.visit import Page, Visit
from llm_twin_assets.domain.document import Category
from llm_twin_assets.domain.identity import Json
from resources.http import HttpError

SITEMAP, FEED = "sitemap", "feed"
_MAX_SITEMAPS = 100
_GUID = re.compile(r"substack:post:(\d+)$")
# What ends a paid post in the feed.
_READ_MORE = re.compile(r"<p>\s*<a [^>]*href=\"[^\"]*/p/[^\"]*\"[^>]*>\s*Read more\s*</a>\s*</p>\s*\Z", re.IGNORECASE)


async def read_pages(publication: Publication, visit: Visit) -> AsyncIterator[Collectable]:
    """Events for every post that sitemap or feed show; raises `HttpError` or `FeedError` if neither can be read."""
    entries: dict[str, Entry] = {}
    try:
        listing, dates = SITEMAP, await _mapped(publication, visit)
    except (HttpError, SitemapError, SubstackError):
        entries = await _fed(publication, visit)
        listing, dates = FEED, dict.fromkeys(entries)

    async def read(slug: str) -> list[Collectable]:
        known = _known(publication, slug, dates[slug], visit)
        if known:
            return [Seen(known, listing)]
        return await _page(publication, slug, dates[slug], entries.get(slug), listing, visit)

    async for events in visit.each(dates, read):
        for event in events:
            yield event


async def _mapped(publication: Publication, visit: Visit) -> dict[str, str | None]:
    """Slugs with the day of their last change."""
    waiting = [f"{publication.url}/sitemap.xml"]
    dates: dict[str, str | None] = {}
    for address in waiting:
        response = await visit.get(address, conditional=False)
        if response.missing:
            raise SitemapError(f"answered {response.status}", where=address)
        sitemap = read_sitemap(response.content, response.url)
        dates |= {slug: page.lastmod for page in sitemap.pages if (slug := _slug(page.url))}
        waiting += [each.url for each in sitemap.sitemaps][: _MAX_SITEMAPS - len(waiting)]
    if not dates:
        raise SubstackError("shows no post", where=waiting[0])
    return dates


async def _fed(publication: Publication, visit: Visit) -> dict[str, Entry]:
    response = await visit.get(f"{publication.url}/feed", conditional=False)
    if response.missing:
        raise FeedError(f"answered {response.status}", where=response.url)
    feed = read_feed(response.content, response.url, response.headers.get("content-type", ""))
    return {slug: entry for entry in feed.entries if (slug := _slug(entry.url or ""))}


def _known(publication: Publication, slug: str, lastmod: str | None, visit: Visit) -> str | None:
    """The identity of a post of which nothing says that it changed since it was read."""
    read, fetched = visit.page(publication.page(slug)), visit.page(publication.api(slug))
    if read and lastmod and read.version == lastmod:
        return read.stable_id
    if fetched and (lastmod is None or _older(lastmod, visit.memory.get(READ))):
        return fetched.stable_id
    return None


async def _page(
    publication: Publication, slug: str, lastmod: str | None, entry: Entry | None, listing: str, visit: Visit
) -> list[Collectable]:
    address = publication.page(slug)
    known = visit.page(address)
    try:
        response = await visit.get(address)
    except HttpError as error:
        fed = _document(entry, known, address)
        return [fed or failed(address, error.what)]
    if response.not_modified and known and known.stable_id:
        return [Seen(known.stable_id, listing), *same_again(address, known, lastmod)]
    post = None if response.missing else preloaded(response.text)
    found = document(post, listing) if post else None
    if found:
        return [found, visit.remember(response, stable_id=found.stable_id, version=lastmod)]
    fed = _document(entry, known, address)
    return [fed or failed(address, "carries no post with text in the shape that Substack's pages have")]


def _document(entry: Entry | None, known: Page | None, address: str) -> Found | None:
    """A feed's item as a document; identified by its address where nothing tells its number."""
    if entry is None or not entry.content:
        return None
    number = _GUID.search(entry.id or "")
    identity = stable_id(number.group(1)) if number else (known.stable_id if known else None)
    html = _READ_MORE.sub("", entry.content).strip()
    return (
        Found(
            stable_id=identity or address,
            category=Category.ARTICLE,
            title=entry.title,
            content=html,
            media_type="text/html",
            url=address,
            published_at=entry.published_at,
            dated_by="platform" if entry.published_at else "nothing",
            listing=FEED,
            excerpt=html != entry.content.strip(),
        )
        if html
        else None
    )


def _slug(url: str) -> str | None:
    _, found, slug = path(url).rstrip("/").rpartition("/p/")
    return slug if found and slug and "/" not in slug else None


def _older(lastmod: str, read: Json) -> bool:
    """Whether a post was last changed before the day on which the API showed all of them."""
    changed, seen = utc(lastmod), utc(read)
    return changed is not None and seen is not None and changed.date() < seen.date()
