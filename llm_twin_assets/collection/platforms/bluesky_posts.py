"""A post of Bluesky as `app.bsky.feed.getAuthorFeed` shows it, made into a document.

https://docs.bsky.app/docs/api/app-bsky-feed-get-author-feed and https://docs.bsky.app/docs/advanced-guides/post-richtext
"""

from collections.abc import Sequence
from datetime import datetime

from pydantic import BaseModel, Field

from llm_twin_assets.collection.connector import Found
from llm_twin_assets.collection.platforms.timeline import Post
from llm_twin_assets.collection.reading.dates import utc
from llm_twin_assets.domain.document import Category

LISTING = "posts"
_LINK = "app.bsky.richtext.facet#link"
_REPOST = "app.bsky.feed.defs#reasonRepost"


class Span(BaseModel):
    """A range of the text in UTF-8 bytes, its end not included."""

    start: int = Field(alias="byteStart", ge=0)
    end: int = Field(alias="byteEnd", ge=0)


class Feature(BaseModel):
    """What a span is: a link, a mention, a tag."""

    type: str = Field(alias="$type")
    uri: str | None = None


class Facet(BaseModel):
    """A span of the text and what it is."""

    index: Span
    features: list[Feature] = []


class Record(BaseModel):
    """What the author wrote. Link cards, pictures and quoted posts are beside it and not theirs, or not words."""

    text: str
    created_at: str = Field(default="", alias="createdAt")
    facets: list[Facet] = []


class Author(BaseModel):
    """Whose post it is."""

    did: str
    handle: str = ""


class View(BaseModel):
    """A post with what the server adds."""

    uri: str = Field(pattern=r"^at://[^/]+/[^/]+/[^/]+$")
    author: Author
    record: Record
    indexed_at: str = Field(default="", alias="indexedAt")


class Reason(BaseModel):
    """Why somebody else's post is in the feed, or an older one at its top."""

    type: str = Field(alias="$type")
    indexed_at: str = Field(default="", alias="indexedAt")


class FeedItem(BaseModel):
    """One entry of an author's feed."""

    post: View
    reason: Reason | None = None


def post_of(item: FeedItem, actor: str) -> Post:
    """The post; without a document if it is a repost, another's, or has no words. `actor`: handle or DID."""
    view = item.post
    if item.reason is not None and item.reason.type == _REPOST:
        return Post(_order(utc(item.reason.indexed_at)))
    created, indexed = utc(view.record.created_at), utc(view.indexed_at)
    # The server sorts by the earlier of the two: whoever imports old posts dates them back.
    order = _order(min((moment for moment in (created, indexed) if moment), default=None))
    text = with_links(view.record.text, view.record.facets).strip()
    # A handle that no longer checks out is shown as handle.invalid; the feed is its author's all the same.
    is_own = actor.lower() in (view.author.did.lower(), view.author.handle.lower())
    if not text or not (is_own or view.author.handle == "handle.invalid"):
        return Post(order)
    return Post(order, _found(view, text, created or indexed))


def _order(moment: datetime | None) -> str:
    return moment.isoformat(timespec="microseconds") if moment else ""


def _found(view: View, text: str, moment: datetime | None) -> Found:
    return Found(
        stable_id=view.uri,
        category=Category.POST,
        title=None,
        content=text,
        media_type="text/plain",
        # By DID, as a handle may change and then belong to somebody else.
        url=f"https://bsky.app/profile/{view.author.did}/post/{view.uri.rpartition('/')[2]}",
        published_at=moment,
        dated_by="platform" if moment else "nothing",
        listing=LISTING,
    )


def with_links(text: str, facets: Sequence[Facet]) -> str:
    """Text with addresses in full: in place of one that was shortened for show, behind other words of the author's."""
    data = text.encode()
    taken = len(data)
    for facet in sorted(facets, key=lambda each: each.index.start, reverse=True):
        link = next((feature.uri for feature in facet.features if feature.type == _LINK and feature.uri), None)
        span = facet.index
        if not link or not span.start < span.end <= taken:
            continue
        try:
            data[: span.start].decode(), data[span.end :].decode()
            shown = data[span.start : span.end].decode()
        except UnicodeDecodeError:
            continue  # a client that counts characters, not bytes
        data = data[: span.start] + _written_out(shown, link).encode() + data[span.end :]
        taken = span.start
    return data.decode()


def _written_out(shown: str, link: str) -> str:
    bare = link.removeprefix("https://").removeprefix("http://").removeprefix("www.")
    begin = shown.removeprefix("https://").removeprefix("http://").removeprefix("www.").rstrip("…").removesuffix("...")
    return link if begin and bare.startswith(begin) else f"{shown} ({link})"
