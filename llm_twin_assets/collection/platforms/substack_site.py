"""A publication's archive by the API that Substack's own pages use: a listing, then each new or changed post."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from urllib.parse import quote

from llm_twin_assets.collection.connector import (
    Collectable,
    Gone,
    Listed,
    Notice,
    Quarantined,
    Remember,
    RobotsSkipped,
    Seen,
)
from llm_twin_assets.collection.platforms.substack_posts import Shown, document
from llm_twin_assets.collection.reading.dates import utc
from llm_twin_assets.collection.visit import Page, Visit
from resources.errors import TwinError
from resources.http import HttpError, Response, RobotsRefusedError

LISTING = "archive"
# When the archive was read to its end: posts that were last changed before are known as they are.
READ = "archive read"
_PAGE = 12
_MAX_PAGES = 2_000
# A listing shows a change of title, preview or length. Corrections that change none of these come soon after posting.
_RECENT = timedelta(days=14)


class SubstackError(TwinError):
    """A publication that answers otherwise than Substack does."""


@dataclass(frozen=True, slots=True)
class Publication:
    """A publication by its address."""

    url: str

    def api(self, slug: str) -> str:
        """Where the API answers with a post; what is known of the post is remembered under it."""
        return f"{self.url}/api/v1/posts/{quote(slug, safe='')}"

    def page(self, slug: str) -> str:
        """A post's page."""
        return f"{self.url}/p/{quote(slug, safe='')}"


async def archive(publication: Publication, visit: Visit) -> list[Shown]:
    """Every post that the archive lists; raises `HttpError` or `SubstackError` if it cannot be read to its end."""
    address = f"{publication.url}/api/v1/archive"
    posts: dict[str, Shown] = {}
    met: set[str] = set()
    offset = 0
    for _ in range(_MAX_PAGES):
        asked = {"sort": "new", "search": "", "offset": str(offset), "limit": str(_PAGE)}
        items = _items(await visit.get(address, params=asked, conditional=False))
        new = {key for item in items if (key := _key(item))} - met
        # The end is a page with nothing new. A short one is not: to stop too early would make the rest look deleted.
        if not new:
            return list(posts.values())
        met |= new
        posts |= {post.stable_id: post for item in items if (post := Shown.of(item))}
        offset += len(items)
    raise SubstackError(f"lists more than {_MAX_PAGES * _PAGE} posts", where=address)


def own(posts: Sequence[Shown], author: str, where: str) -> Sequence[Shown]:
    """The person's posts; raises `SubstackError` where several people write and none of them has the name."""
    name = _name(author)
    signed = [post for post in posts if post.authors]
    if any(name in map(_name, post.authors) for post in signed):
        return [post for post in posts if not post.authors or name in map(_name, post.authors)]
    others = sorted({post.authors[0] for post in signed})
    if len(others) <= 1:  # the only author, under whatever name
        return posts
    raise SubstackError(
        f"none of its posts is by {author}, but by {', '.join(others[:10])}",
        where=where,
        mend="Name the author as Substack does: `byline` in twin.yaml.",
    )


async def changed(publication: Publication, posts: Sequence[Shown], visit: Visit) -> AsyncIterator[Collectable]:
    """Events for listed posts: new and changed ones are fetched, recent ones asked for again."""
    asked: list[Shown] = []
    for post in posts:
        known = visit.page(publication.api(post.slug))
        posted = utc(post.posted)
        recent = posted is not None and visit.now - posted < _RECENT
        if known is None or known.version != post.version or recent:
            asked.append(post)
        elif known.stable_id:
            yield Seen(known.stable_id, LISTING)

    async def fetch(post: Shown) -> list[Collectable]:
        return await _post(publication, post, visit)

    complete = True
    async for events in visit.each(asked, fetch):
        complete = complete and not _hides(events)
        for event in events:
            yield event
    if complete:
        yield Listed(LISTING)
        yield Remember(READ, visit.now.isoformat())


async def _post(publication: Publication, post: Shown, visit: Visit) -> list[Collectable]:
    address = publication.api(post.slug)
    known = visit.page(address)
    seen: list[Collectable] = [Seen(known.stable_id, LISTING)] if known and known.stable_id else []
    try:
        response = await visit.get(address)
        if response.not_modified and known:
            return [*seen, *same_again(address, known, post.version)]
        if response.missing:
            return [Gone(post.stable_id)] if known else [failed(address, f"answered {response.status}")]
        said = response.json()
    except RobotsRefusedError:
        return [RobotsSkipped(address), *seen]
    except HttpError as error:
        return [failed(address, error.what), *seen]
    found = document(said, LISTING) if isinstance(said, Mapping) else None
    if found is None:
        nothing = Notice(f"{publication.page(post.slug)} holds no text (audio, video), so it is not collected")
        stable_id = known.stable_id if known else None
        return [nothing, *seen, visit.remember(response, stable_id=stable_id, version=post.version)]
    url = found.url or publication.page(post.slug)
    return [replace(found, url=url), visit.remember(response, stable_id=found.stable_id, version=post.version)]


def same_again(address: str, known: Page, version: str | None) -> list[Collectable]:
    """What to remember of a page that stayed as it was: its new version, if the listing states another."""
    if version is None or known.version == version:
        return []
    stated = {"etag": known.validators.etag, "last_modified": known.validators.last_modified}
    value = {**stated, "stable_id": known.stable_id, "version": version}
    return [Remember(address, {key: each for key, each in value.items() if each is not None})]


def failed(address: str, what: str) -> Quarantined:
    """One address that could not be read."""
    return Quarantined(address, f"{what}. It is tried again at the next visit.")


def _hides(events: Sequence[Collectable]) -> bool:
    """Whether a post that is listed is neither found nor seen."""
    skipped = any(isinstance(event, Quarantined | RobotsSkipped) for event in events)
    return skipped and not any(isinstance(event, Seen) for event in events)


def _items(response: Response) -> list[object]:
    items = None if response.missing else response.json()
    if not isinstance(items, list):
        raise SubstackError("does not answer as Substack's API does", where=response.asked or response.url)
    return items


def _key(item: object) -> str | None:
    return str(item.get("id")) if isinstance(item, Mapping) and item.get("id") else None


def _name(text: str) -> str:
    return " ".join(text.removeprefix("@").split()).casefold()
