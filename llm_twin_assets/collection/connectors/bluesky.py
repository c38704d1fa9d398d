"""Bluesky, from the public API: the author's posts and replies, without a token."""

from collections.abc import AsyncGenerator, AsyncIterator
from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints, TypeAdapter, ValidationError

from llm_twin_assets.collection.connector import Collectable, Connector, Quarantined, SourceOptions, WebUrl
from llm_twin_assets.collection.platforms.bluesky_posts import LISTING, FeedItem, post_of
from llm_twin_assets.collection.platforms.timeline import Page, Post, walked
from llm_twin_assets.collection.reading.api_pages import parsed
from llm_twin_assets.collection.visit import Visit
from llm_twin_assets.domain.document import Category
from resources.http import HttpError, HttpStatusError

_MAX_PAGES = 5_000


class BlueskyOptions(SourceOptions):
    """`handle`: `maya.bsky.social`, one's own domain, or a DID. `api`: another AppView."""

    handle: Annotated[str, StringConstraints(pattern=r"^@?[\w.-]+\.[\w-]+$|^did:[a-z]+:[\w.:%-]+$")]
    api: WebUrl = "https://public.api.bsky.app"

    @property
    def actor(self) -> str:
        """As the API takes it."""
        return self.handle.removeprefix("@")

    def name(self) -> str:
        """The account."""
        return self.actor.lower()


class Feed(BaseModel):
    """One page of `getAuthorFeed`."""

    feed: list[dict[str, object]]
    cursor: Annotated[str, Field(min_length=1)] | None = None


_FEED = TypeAdapter(Feed)


async def collect(options: BlueskyOptions, visit: Visit) -> AsyncIterator[Collectable]:
    """Posts and replies; no reposts. Posts cannot be edited there, deletions show once a week."""
    async for event in walked(visit, LISTING, _pages(options, visit)):
        yield event


CONNECTOR = Connector(
    platform="bluesky",
    categories=frozenset({Category.POST}),
    options=BlueskyOptions,
    collect=collect,
    description="Posts and replies from Bluesky's public API.",
)


async def _pages(options: BlueskyOptions, visit: Visit) -> AsyncGenerator[Page, None]:
    url = f"{options.api}/xrpc/app.bsky.feed.getAuthorFeed"
    asked = {"actor": options.actor, "filter": "posts_with_replies", "limit": "100"}
    cursors: set[str] = set()
    for _ in range(_MAX_PAGES):
        page = await _page(visit, url, asked)
        yield [_read(entry, options.actor, f"{url}#{number}") for number, entry in enumerate(page.feed)]
        if page.cursor is None:
            return
        if page.cursor in cursors:
            break
        cursors.add(page.cursor)
        asked["cursor"] = page.cursor
    raise HttpError("does not come to an end", where=url)


async def _page(visit: Visit, url: str, asked: dict[str, str]) -> Feed:
    try:
        response = await visit.get(url, params=asked, robots=False, conditional=False)
    except HttpStatusError as error:
        if error.status != 400:
            raise
        # "Profile not found", "Account is deactivated": neither says that the posts are deleted.
        mend = f"Check that {asked['actor']} is the handle and that the account is public."
        raise HttpStatusError(400, where=url, mend=mend) from None
    if response.missing:
        raise HttpStatusError(response.status, where=url, mend="Check `api`.")
    return parsed(response, _FEED)


def _read(entry: dict[str, object], actor: str, place: str) -> Post | Quarantined:
    try:
        return post_of(FeedItem.model_validate(entry), actor)
    except ValidationError as error:
        first = error.errors()[0]
        return Quarantined(place, f"is no post as Bluesky describes it: {'.'.join(map(str, first['loc']))}")
