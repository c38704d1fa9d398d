from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from llm_twin_assets.collection.connector import Collectable, Found, Listed, Notice
from llm_twin_assets.collection.connectors.bluesky import CONNECTOR, BlueskyOptions
from llm_twin_assets.collection.platforms.bluesky_posts import Facet, with_links
from llm_twin_assets_tests.collection.contract import NOW, assert_connector, quarantined, remembered, visited
from llm_twin_assets_tests.collection.web import Asked, Reply, Web
from resources.http import HttpError

PATH = "/xrpc/app.bsky.feed.getAuthorFeed"
DID = "did:plc:maya"
MAYA = {"did": DID, "handle": "maya.example", "displayName": "Maya"}


def at(number: int) -> str:
    return f"2025-{number // 28 % 12 + 1:02}-{number % 28 + 1:02}T10:00:00.000Z"


def item(number: int, text: str, *, author: dict[str, str] = MAYA, **more: object) -> dict[str, object]:
    record = {"$type": "app.bsky.feed.post", "text": text, "createdAt": at(number), "langs": ["en"]}
    return {
        "post": {
            "uri": f"at://{author['did']}/app.bsky.feed.post/3k{number}",
            "cid": f"bafy{number}",
            "author": author,
            "record": record | more,
            "likeCount": 3,
            "indexedAt": at(number),
        }
    }


class Bluesky:
    """An author's feed, newest first, `size` entries a page."""

    def __init__(self, web: Web, size: int = 2) -> None:
        self.feed: list[dict[str, object]] = []
        self.size = size
        self.fails_at: int | None = None
        web.serve(PATH, self._page)

    def _page(self, asked: Asked) -> Reply:
        if asked.query["actor"] not in (DID, "maya.example"):
            return Reply({"error": "InvalidRequest", "message": "Profile not found"}, 400)
        assert (asked.query["limit"], asked.query["filter"]) == ("100", "posts_with_replies")
        start = int(asked.query.get("cursor", "0"))
        if self.fails_at is not None and start >= self.fails_at:
            return Reply("bad", 400)
        page: dict[str, object] = {"feed": self.feed[start : start + self.size]}
        if start + self.size < len(self.feed):
            page["cursor"] = str(start + self.size)
        return Reply(page)


@pytest.fixture
def bluesky(web) -> Bluesky:
    return Bluesky(web)


def options(web: Web, handle: str = "maya.example") -> BlueskyOptions:
    return BlueskyOptions(handle=handle, api=web.url)


def contents(events: list[Collectable]) -> list[str]:
    return [event.content for event in events if isinstance(event, Found)]


def test_every_page_of_the_feed_becomes_posts(web, bluesky) -> None:
    bluesky.feed = [item(number, f"Post {number}") for number in (5, 4, 3, 2, 1)]
    events = assert_connector(CONNECTOR, options(web), web)
    assert contents(events) == ["Post 5", "Post 4", "Post 3", "Post 2", "Post 1"]
    assert Listed("posts") in events
    first = next(event for event in events if isinstance(event, Found))
    assert first.stable_id == "at://did:plc:maya/app.bsky.feed.post/3k5"
    assert first.url == "https://bsky.app/profile/did:plc:maya/post/3k5"
    assert first.published_at is not None
    assert first.published_at.isoformat() == "2025-01-06T10:00:00+00:00"


def test_an_unchanged_feed_costs_one_request_until_a_walk_is_due(web, bluesky) -> None:
    bluesky.feed = [item(number, f"Post {number}") for number in (5, 4, 3, 2, 1)]
    memory = remembered(visited(CONNECTOR, options(web), web=web))
    web.requests.clear()
    second = visited(CONNECTOR, options(web), memory, web, now=NOW + timedelta(days=1))
    assert len(web.requests) == 1
    assert not any(isinstance(event, Listed) for event in second)
    third = visited(CONNECTOR, options(web), remembered(second, memory), web, now=NOW + timedelta(days=8))
    assert Listed("posts") in third


def test_new_posts_are_found_behind_a_page_of_reposts(web, bluesky) -> None:
    bluesky.feed = [item(1, "Old"), item(0, "Older")]
    memory = remembered(visited(CONNECTOR, options(web), web=web))
    somebody = {"did": "did:plc:other", "handle": "other.example"}
    reason = {"$type": "app.bsky.feed.defs#reasonRepost", "by": MAYA}
    reposts = [
        item(number - 30, "Theirs", author=somebody) | {"reason": reason | {"indexedAt": at(number)}}
        for number in (40, 39)
    ]
    bluesky.feed = [*reposts, item(38, "New"), *bluesky.feed]
    second = visited(CONNECTOR, options(web), memory, web, now=NOW + timedelta(days=1))
    assert contents(second) == ["New", "Old", "Older"]


def test_replies_count_and_reposts_pictures_and_cards_do_not(web, bluesky) -> None:
    card = {"$type": "app.bsky.embed.external", "external": {"uri": "https://e.example", "title": "A card"}}
    answer = {"root": {"uri": "at://x/y/z", "cid": "b"}, "parent": {"uri": "at://x/y/z", "cid": "b"}}
    bluesky.feed = [
        item(4, "", embed={"$type": "app.bsky.embed.images", "images": []}),
        item(3, "Look at this", embed=card),
        item(2, "I disagree", reply=answer),
        item(1, "Mine again") | {"reason": {"$type": "app.bsky.feed.defs#reasonRepost", "indexedAt": at(5)}},
    ]
    assert contents(visited(CONNECTOR, options(web), web=web)) == ["Look at this", "I disagree"]


def test_an_error_in_the_middle_is_no_end_and_is_tried_again(web, bluesky) -> None:
    bluesky.feed = [item(number, f"Post {number}") for number in (3, 2, 1)]
    bluesky.fails_at = 2
    with pytest.raises(HttpError, match=r"400.*maya\.example"):
        visited(CONNECTOR, options(web), web=web)


def test_a_server_that_asks_to_wait_is_asked_again(web, bluesky) -> None:
    bluesky.feed = [item(1, "Post")]
    answers = iter([Reply("slow down", 429, {"Retry-After": "0"})])
    page = web.pages[PATH]
    web.serve(PATH, lambda asked: next(answers, None) or page(asked))
    assert contents(visited(CONNECTOR, options(web), web=web)) == ["Post"]


def test_a_profile_that_is_not_found_is_an_error_and_no_absence(web, bluesky) -> None:
    with pytest.raises(HttpError, match=r"nobody\.example"):
        visited(CONNECTOR, options(web, "nobody.example"), web=web)


def test_a_feed_that_is_suddenly_empty_deletes_nothing(web, bluesky) -> None:
    bluesky.feed = [item(1, "Post")]
    memory = remembered(visited(CONNECTOR, options(web), web=web))
    bluesky.feed = []
    events = visited(CONNECTOR, options(web), memory, web, now=NOW + timedelta(days=8))
    assert any(isinstance(event, Notice) for event in events)
    assert not any(isinstance(event, Listed) for event in events)


def test_an_empty_account_is_empty(web, bluesky) -> None:
    events = visited(CONNECTOR, options(web), web=web)
    assert not contents(events)
    assert Listed("posts") in events


def test_an_entry_of_another_shape_is_quarantined_and_hides_nothing(web, bluesky) -> None:
    bluesky.feed = [item(2, "Post"), {"post": {"uri": "nonsense"}}]
    events = visited(CONNECTOR, options(web), web=web)
    assert contents(events) == ["Post"]
    assert len(quarantined(events)) == 1
    assert not any(isinstance(event, Listed) for event in events)


@pytest.mark.parametrize("body", ["<html>", {"feed": "no"}, {"error": "x"}, []])
def test_an_answer_that_is_no_feed_is_an_error(web, body) -> None:
    web.serve(PATH, Reply(body))
    with pytest.raises(HttpError):
        visited(CONNECTOR, options(web), web=web)


def test_a_cursor_that_goes_round_in_a_circle_is_an_error(web) -> None:
    web.serve(PATH, {"feed": [], "cursor": "again"})
    with pytest.raises(HttpError, match="end"):
        visited(CONNECTOR, options(web), web=web)


@pytest.mark.parametrize("handle", ["@maya.bsky.social", "maya.example", "did:plc:abc123", "did:web:example.com"])
def test_handles_and_dids_are_taken(handle) -> None:
    options = BlueskyOptions(handle=handle)
    assert options.actor == options.name() == handle.removeprefix("@")


@pytest.mark.parametrize("handle", ["maya", "https://bsky.app/profile/maya", ""])
def test_anything_else_is_refused(handle) -> None:
    with pytest.raises(ValidationError):
        BlueskyOptions(handle=handle)


def facet(start: int, end: int, uri: str) -> Facet:
    feature = {"$type": "app.bsky.richtext.facet#link", "uri": uri}
    return Facet.model_validate({"index": {"byteStart": start, "byteEnd": end}, "features": [feature]})


def test_a_shortened_link_is_written_out_and_other_words_keep_theirs_beside_them() -> None:
    text = "Grüße 👋 example.com/a/lo... and here"
    start = len("Grüße 👋 ".encode())
    end = start + len("example.com/a/lo...")
    here = len(text.encode()) - 4
    facets = [facet(start, end, "https://example.com/a/long/one"), facet(here, here + 4, "https://b.example/?q=1")]
    assert with_links(text, facets) == "Grüße 👋 https://example.com/a/long/one and here (https://b.example/?q=1)"


@given(st.text(alphabet="aé👋 ."), st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40))))
def test_any_spans_leave_the_words_outside_them_alone(text: str, spans: list[tuple[int, int]]) -> None:
    written = with_links(text, [facet(start, end, "https://e.example/x") for start, end in spans])
    assert with_links(text, []) == text
    if not any(start < end <= len(text.encode()) for start, end in spans):
        assert written == text
