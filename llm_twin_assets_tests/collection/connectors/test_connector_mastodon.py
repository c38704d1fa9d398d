from datetime import timedelta

import pytest
from pydantic import ValidationError

from llm_twin_assets.collection.connector import Collectable, Found, Listed
from llm_twin_assets.collection.connectors.mastodon import CONNECTOR, MastodonOptions
from llm_twin_assets_tests.collection.contract import NOW, assert_connector, quarantined, remembered, visited
from llm_twin_assets_tests.collection.web import Asked, Reply, Web
from resources.errors import ConfigurationError
from resources.http import HttpError

LOOKUP = "/api/v1/accounts/lookup"
STATUSES = "/api/v1/accounts/109/statuses"


def status(number: int, content: str, **more: object) -> dict[str, object]:
    return {
        "id": str(113_000_000_000_000_000 + number),
        "created_at": f"2025-05-{number:02}T08:00:00.123Z",
        "edited_at": None,
        "uri": f"https://example.social/users/maya/statuses/{number}",
        "url": f"https://example.social/@maya/{number}",
        "account": {"id": "109", "username": "maya", "acct": "maya"},
        "content": content,
        "spoiler_text": "",
        "visibility": "public",
        "reblog": None,
        "in_reply_to_id": None,
        "media_attachments": [],
        **more,
    }


class Mastodon:
    """An instance with one account; statuses newest first, `size` a page, linked by `Link`."""

    def __init__(self, web: Web, size: int = 2) -> None:
        self.web = web
        self.statuses: list[dict[str, object]] = []
        self.size = size
        self.token: str | None = None
        self.next_host = web.url
        self.fails_at: int | None = None
        web.serve(LOOKUP, self._lookup)
        web.serve(STATUSES, self._page)

    def _refusal(self, asked: Asked) -> Reply | None:
        if self.token and asked.headers.get("authorization") != f"Bearer {self.token}":
            return Reply({"error": "This API requires an authenticated user"}, 422)
        return None

    def _lookup(self, asked: Asked) -> Reply:
        if asked.query["acct"] != "maya":
            return Reply({"error": "Record not found"}, 404)
        return self._refusal(asked) or Reply({"id": "109", "username": "maya", "acct": "maya"})

    def _page(self, asked: Asked) -> Reply:
        assert (asked.query["limit"], asked.query["exclude_reblogs"]) == ("40", "true")
        before = asked.query.get("max_id", "9" * 20)
        rest = [each for each in self.statuses if int(str(each["id"])) < int(before)]
        if self.fails_at is not None and len(self.statuses) - len(rest) >= self.fails_at:
            return Reply("gone", 404)
        page = rest[: self.size]
        query = f"limit=40&exclude_reblogs=true&max_id={page[-1]['id']}" if page else ""
        links = f'<{self.next_host}{STATUSES}?{query}>; rel="next", <{self.web.url}{STATUSES}?min_id=1>; rel="prev"'
        return self._refusal(asked) or Reply(page, headers={"Link": links} if page else {})


@pytest.fixture
def mastodon(web) -> Mastodon:
    return Mastodon(web)


def options(web: Web, **more: object) -> MastodonOptions:
    return MastodonOptions(handle="@maya@example.social", api=web.url, **more)


def contents(events: list[Collectable]) -> list[str]:
    return [event.content for event in events if isinstance(event, Found)]


def test_every_page_of_statuses_becomes_posts(web, mastodon) -> None:
    mastodon.statuses = [status(number, f"<p>Post {number}</p>") for number in (5, 4, 3, 2, 1)]
    events = assert_connector(CONNECTOR, options(web), web)
    assert contents(events) == ["Post 5", "Post 4", "Post 3", "Post 2", "Post 1"]
    assert Listed("posts") in events
    first = next(event for event in events if isinstance(event, Found))
    assert first.stable_id == "https://example.social/users/maya/statuses/5"
    assert first.url == "https://example.social/@maya/5"


def test_paragraphs_lines_mentions_links_and_warnings_stay(web, mastodon) -> None:
    content = (
        '<p><span class="h-card"><a href="https://b.example/@bo" class="u-url mention">@<span>bo</span></a></span> '
        'One &amp; <br />two</p><p>See <a href="https://e.example/a/long"><span class="invisible">https://</span>'
        '<span class="ellipsis">e.example/a</span><span class="invisible">/long</span></a></p>'
    )
    mastodon.statuses = [status(1, content, spoiler_text="Long", visibility="unlisted")]
    assert contents(visited(CONNECTOR, options(web), web=web)) == [
        "Long\n\n@bo One &\ntwo\n\nSee https://e.example/a/long"
    ]


def test_private_boosted_foreign_and_wordless_statuses_are_left_alone(web, mastodon) -> None:
    mastodon.statuses = [
        status(6, "<p>for followers</p>", visibility="private"),
        status(5, "<p>for one</p>", visibility="direct"),
        status(4, "<p>theirs</p>", reblog={"id": "1"}),
        status(3, "<p>theirs</p>", account={"id": "7"}),
        status(2, ""),
        status(1, "<p>mine</p>"),
    ]
    assert contents(visited(CONNECTOR, options(web), web=web)) == ["mine"]


def test_an_unchanged_timeline_costs_two_requests_and_shows_a_recent_edit(web, mastodon) -> None:
    mastodon.statuses = [status(number, f"<p>Post {number}</p>") for number in (5, 4, 3, 2, 1)]
    memory = remembered(visited(CONNECTOR, options(web), web=web))
    mastodon.statuses[0] = status(5, "<p>Edited</p>", edited_at="2025-06-01T00:00:00Z")
    web.requests.clear()
    second = visited(CONNECTOR, options(web), memory, web, now=NOW + timedelta(days=1))
    assert contents(second) == ["Edited", "Post 4"]
    assert len(web.requests) == 2
    assert not any(isinstance(event, Listed) for event in second)


def test_new_statuses_are_read_up_to_the_first_page_that_is_known(web, mastodon) -> None:
    mastodon.statuses = [status(2, "<p>Post 2</p>"), status(1, "<p>Post 1</p>")]
    memory = remembered(visited(CONNECTOR, options(web), web=web))
    mastodon.statuses = [status(number, f"<p>Post {number}</p>") for number in (5, 4, 3, 2, 1)]
    second = visited(CONNECTOR, options(web), memory, web, now=NOW + timedelta(days=1))
    assert contents(second) == ["Post 5", "Post 4", "Post 3", "Post 2", "Post 1"]
    later = visited(CONNECTOR, options(web), remembered(second, memory), web, now=NOW + timedelta(days=8))
    assert Listed("posts") in later


def test_an_error_in_the_middle_is_no_end(web, mastodon) -> None:
    mastodon.statuses = [status(number, f"<p>Post {number}</p>") for number in (5, 4, 3, 2, 1)]
    mastodon.fails_at = 2
    with pytest.raises(HttpError, match="missing"):
        visited(CONNECTOR, options(web), web=web)


def test_a_next_page_at_another_host_is_not_followed(web, mastodon, monkeypatch) -> None:
    monkeypatch.setenv("MASTODON_TOKEN", "secret-token")
    mastodon.token = "secret-token"
    mastodon.next_host = "https://evil.example"
    mastodon.statuses = [status(1, "<p>Post</p>")]
    with pytest.raises(HttpError, match="another host"):
        visited(CONNECTOR, options(web, token=True), web=web)


def test_an_unknown_account_is_an_error_and_no_absence(web, mastodon) -> None:
    with pytest.raises(HttpError, match="handle"):
        visited(CONNECTOR, MastodonOptions(handle="nobody@example.social", api=web.url), web=web)


def test_the_token_goes_along_only_where_it_is_asked_for(web, mastodon, monkeypatch) -> None:
    monkeypatch.setenv("MASTODON_TOKEN", "secret-token")
    mastodon.statuses = [status(1, "<p>Post</p>")]
    visited(CONNECTOR, options(web), web=web)
    assert not any("authorization" in asked.headers for asked in web.requests)
    mastodon.token = "secret-token"
    with pytest.raises(HttpError, match="MASTODON_TOKEN") as raised:
        visited(CONNECTOR, options(web), web=web)
    assert "secret-token" not in str(raised.value)
    assert contents(visited(CONNECTOR, options(web, token=True), web=web)) == ["Post"]
    monkeypatch.delenv("MASTODON_TOKEN")
    with pytest.raises(ConfigurationError, match="MASTODON_TOKEN is not set"):
        visited(CONNECTOR, options(web, token=True), web=web)


def test_a_status_of_another_shape_is_quarantined_and_hides_nothing(web, mastodon) -> None:
    mastodon.statuses = [status(2, "<p>Post</p>"), {"id": str(113_000_000_000_000_001), "content": "?"}]
    events = visited(CONNECTOR, options(web), web=web)
    assert contents(events) == ["Post"]
    assert len(quarantined(events)) == 1
    assert not any(isinstance(event, Listed) for event in events)


def test_an_empty_account_is_empty(web, mastodon) -> None:
    events = visited(CONNECTOR, options(web), web=web)
    assert not contents(events)
    assert Listed("posts") in events


@pytest.mark.parametrize("handle", ["maya", "@maya", "https://example.social/@maya", "maya@localhost"])
def test_a_handle_without_its_instance_is_refused(handle) -> None:
    with pytest.raises(ValidationError):
        MastodonOptions(handle=handle)


def test_the_instance_is_the_host_of_the_handle() -> None:
    options = MastodonOptions(handle="@maya@example.social")
    assert options.instance == "https://example.social"
    assert options.name() == MastodonOptions(handle="maya@example.social").name()
