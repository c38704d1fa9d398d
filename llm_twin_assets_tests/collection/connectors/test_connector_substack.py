"""Substack: the export and the archive give one document; paid posts that come cut off are excerpts."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from llm_twin_assets.collection.connector import Collectable, Found, Gone, Listed, Notice, RobotsSkipped, Seen
from llm_twin_assets.collection.connectors.substack import CONNECTOR, SubstackOptions
from llm_twin_assets.collection.platforms.substack_posts import Shown, document, preloaded
from llm_twin_assets.collection.platforms.substack_site import SubstackError
from llm_twin_assets.collection.reading.export import ExportError, ZipExport
from llm_twin_assets.domain.document import Category
from llm_twin_assets_tests.collection.contract import NOW, assert_connector, quarantined, remembered, visited
from llm_twin_assets_tests.collection.web import Asked, Reply, Web
from resources.http import HttpError

HEADER = "post_id,post_date,is_published,email_sent_at,inbox_sent_at,type,audience,title,subtitle,podcast_url\n"
FILES = {
    "posts.csv": HEADER
    + '111.first-letter,2024-03-10T12:00:00.000Z,true,,,newsletter,everyone,"First, a letter",On <beginnings>,\n'
    + "112.rough,,false,,,newsletter,everyone,Rough,,\n"
    + "113.a-thread,2024-03-11T12:00:00.000Z,true,,,thread,everyone,A thread,,\n",
    "posts/111.first-letter.html": "<p>It begins.</p>",
    "posts/112.rough.html": "<p>Half a thought.</p>",
    "posts/113.a-thread.html": "<p>One</p><p>Two</p>",
    "posts/111.opens.csv": "email\nreader@example.com\n",
    "posts/111.delivers.csv": "email\nreader@example.com\n",
    "email_list.maya.csv": "email\nreader@example.com\n",
}
LETTER = '<p class="subtitle">On &lt;beginnings&gt;</p>\n<p>It begins.</p>'


def post(number: int, **other: object) -> dict[str, object]:
    """A post as the API has it, with what does not matter here left out."""
    return {
        "id": number, "publication_id": 9, "type": "newsletter", "slug": f"post-{number}", "title": f"Post {number}",
        "subtitle": "", "post_date": "2024-03-10T12:00:00.000Z", "audience": "everyone", "body_html": "<p>Words.</p>",
        "truncated_body_text": "Words.", "wordcount": 1, "restacked_post_id": None, "reaction_count": 4,
        "canonical_url": f"https://maya.example/p/post-{number}", "podcast_url": "",
        "publishedBylines": [{"id": 1, "name": "Maya Lindqvist", "handle": "maya"}], **other,
    }  # fmt: skip


class Archive:
    """A publication's API. `posts` may be changed between visits."""

    def __init__(self, web: Web, *posts: dict[str, object]) -> None:
        self.web, self.posts = web, list(posts)
        web.serve("/api/v1/archive", self.page)
        self.serve()

    def serve(self) -> None:
        for each in self.posts:
            self.web.serve(f"/api/v1/posts/{each['slug']}", each)

    def page(self, asked: Asked) -> Reply:
        start, length = int(asked.query["offset"]), int(asked.query["limit"])
        assert (asked.query["sort"], length) == ("new", 12)
        # The listing never has bodies.
        return Reply([{**each, "body_html": None} for each in self.posts[start : start + length]])

    def down(self, reply: Reply) -> None:
        self.web.serve("/api/v1/archive", reply)

    @property
    def details(self) -> list[str]:
        return [asked.path for asked in self.web.requests if asked.path.startswith("/api/v1/posts/")]


def preloads(post: dict[str, object]) -> str:
    inside = json.dumps(json.dumps({"base_url": "https://maya.example", "post": post}))
    return f"<html><script>window._preloads        = JSON.parse({inside})</script><h1>x</h1></html>"


def of(kind: type, events: Sequence[Collectable]) -> list[Collectable]:
    return [event for event in events if isinstance(event, kind)]


def found(events: Sequence[Collectable]) -> Mapping[str, Found]:
    return {event.stable_id: event for event in events if isinstance(event, Found)}


# --- the export -------------------------------------------------------------------------------------------------


def options(export: object, url: str | None = None) -> SubstackOptions:
    return SubstackOptions.model_validate({"export": export, "url": url, "crawl": False})


def test_published_posts_alone_with_addresses_below_the_publication(export) -> None:
    events = assert_connector(CONNECTOR, options(export(FILES), "https://maya.substack.com/"))
    letter, thread = of(Found, events)
    assert (letter.title, letter.content) == ("First, a letter", LETTER)
    assert letter.url == "https://maya.substack.com/p/first-letter"
    assert (thread.category, thread.content) == (Category.POST, "One\n\nTwo")
    assert of(Listed, events) == [Listed("export")]


def test_without_url_there_is_no_address_but_the_same_identity(archive) -> None:
    path = archive(FILES)
    bare, addressed = (of(Found, visited(CONNECTOR, options(path, url)))[0] for url in (None, "https://m.example"))
    assert (bare.url, addressed.url) == (None, "https://m.example/p/first-letter")
    assert bare.stable_id == addressed.stable_id


def test_an_address_that_is_named_later_is_read_into_an_unchanged_export(archive) -> None:
    path = archive(FILES)
    before = remembered(visited(CONNECTOR, options(path)))
    assert not of(Found, visited(CONNECTOR, options(path), before))
    assert of(Found, visited(CONNECTOR, options(path, "https://m.example"), before))


def test_subscriber_files_are_never_opened(archive, monkeypatch) -> None:
    opened: list[str] = []
    read = ZipExport.read

    def recording(self: ZipExport, name: str) -> bytes:
        opened.append(name)
        return read(self, name)

    monkeypatch.setattr(ZipExport, "read", recording)
    visited(CONNECTOR, options(archive(FILES)))
    assert set(opened) <= {"posts.csv", *(name for name in FILES if name.endswith(".html"))}


def test_a_listed_post_without_its_page_is_quarantined(export) -> None:
    files = {name: text for name, text in FILES.items() if name != "posts/113.a-thread.html"}
    events = visited(CONNECTOR, options(export(files)))
    assert len(of(Found, events)) == 1
    assert quarantined(events)[0].where.endswith("posts.csv:4")
    assert Seen("substack:113", "export") in events


@pytest.mark.parametrize(
    ("files", "said"),
    [({"posts/1.html": "x"}, r"holds no posts\.csv"), ({"posts.csv": "a,b\n"}, r"posts\.csv:1: lacks the columns")],
)
def test_an_unusable_export_says_why(export, files, said) -> None:
    with pytest.raises(ExportError, match=said):
        visited(CONNECTOR, options(export(files)))


# --- the archive ------------------------------------------------------------------------------------------------


def test_the_archive_is_paged_to_its_end(web) -> None:
    Archive(web, *(post(number) for number in range(1, 31)))
    events = assert_connector(CONNECTOR, SubstackOptions(url=web.url), web)
    assert len(found(events)) == 30
    assert [asked.query["offset"] for asked in web.asked_for("/api/v1/archive")][:4] == ["0", "12", "24", "30"]
    assert of(Listed, events) == [Listed("archive")]
    document = found(events)["substack:1"]
    assert (document.title, document.content, document.listing) == ("Post 1", "<p>Words.</p>", "archive")
    assert (document.url, document.excerpt) == ("https://maya.example/p/post-1", False)
    assert document.published_at == datetime(2024, 3, 10, 12, tzinfo=UTC)


def test_a_post_is_the_same_from_export_and_archive(web, archive) -> None:
    Archive(
        web,
        post(
            111, slug="first-letter", title="First, a letter", subtitle="On <beginnings>", body_html="<p>It begins.</p>"
        ),
    )
    both = SubstackOptions.model_validate({"url": web.url, "export": str(archive(FILES))})
    letters = [each for each in of(Found, visited(CONNECTOR, both, web=web)) if each.stable_id == "substack:111"]
    assert [each.listing for each in letters] == ["export", "archive"]
    assert {(each.content, each.title, each.published_at) for each in letters} == {
        (LETTER, "First, a letter", datetime(2024, 3, 10, 12, tzinfo=UTC))
    }


def test_only_new_and_changed_posts_are_fetched(web) -> None:
    archive = Archive(web, *(post(number) for number in range(1, 6)))
    before = visited(CONNECTOR, SubstackOptions(url=web.url), web=web)
    asked = len(archive.details)
    archive.posts[0] = post(1, body_html="<p>More words.</p>", wordcount=2, reaction_count=5)
    archive.posts[1]["reaction_count"] = 99
    archive.posts.insert(0, post(6))
    archive.serve()
    events = visited(CONNECTOR, SubstackOptions(url=web.url), remembered(before), web)
    assert sorted(archive.details[asked:]) == ["/api/v1/posts/post-1", "/api/v1/posts/post-6"]
    assert found(events).keys() == {"substack:1", "substack:6"}
    assert len(of(Seen, events)) == 4
    assert of(Listed, events) == [Listed("archive")]


def test_a_recent_post_is_asked_for_again_conditionally(web) -> None:
    recent = (NOW - timedelta(days=3)).isoformat()
    archive = Archive(web, post(1, post_date=recent), post(2))
    before = visited(CONNECTOR, SubstackOptions(url=web.url), web=web)
    events = visited(CONNECTOR, SubstackOptions(url=web.url), remembered(before), web)
    assert web.requests[-1].path == "/api/v1/posts/post-1"
    assert web.requests[-1].conditional
    assert not of(Found, events)
    archive.posts[0]["body_html"] = "<p>Wards.</p>"  # a typo mended, of which the listing shows nothing
    events = visited(CONNECTOR, SubstackOptions(url=web.url), remembered(before), web)
    assert found(events).keys() == {"substack:1"}


@pytest.mark.parametrize(
    ("stated", "content"),
    [
        ({"audience": "only_paid", "body_html": "<p>Before the wall.</p>"}, "<p>Before the wall.</p>"),
        ({"audience": "only_paid", "body_html": None, "truncated_body_text": "A < b…"}, "<p>A &lt; b…</p>"),
        ({"audience": "founding", "body_html": "<p>x</p>"}, "<p>x</p>"),
        ({"audience": "everyone", "body_html": None, "truncated_body_text": "Cut…"}, "<p>Cut…</p>"),
    ],
)
def test_a_paid_post_that_comes_truncated_is_stored_as_an_excerpt(web, stated, content) -> None:
    Archive(web, post(1, **stated))
    (document,) = of(Found, assert_connector(CONNECTOR, SubstackOptions(url=web.url), web))
    assert (document.excerpt, document.content) == (True, content)


def test_audio_without_text_is_named_once_and_not_asked_for_again(web) -> None:
    archive = Archive(web, post(1), post(2, type="podcast", body_html="<div></div>", truncated_body_text=""))
    before = visited(CONNECTOR, SubstackOptions(url=web.url), web=web)
    assert found(before).keys() == {"substack:1"}
    assert "/p/post-2 holds no text" in of(Notice, before)[0].what
    asked = len(archive.details)
    events = visited(CONNECTOR, SubstackOptions(url=web.url), remembered(before), web)
    assert len(archive.details) == asked
    assert of(Seen, events) == [Seen("substack:1", "archive")]


def test_threads_are_posts_and_restacks_are_others(web) -> None:
    Archive(
        web,
        post(1, type="thread", body_html="<p>One</p><p>Two</p>"),
        post(2, type="restack"),
        post(3, restacked_post_id=7),
    )
    (thread,) = of(Found, assert_connector(CONNECTOR, SubstackOptions(url=web.url), web))
    assert (thread.category, thread.content, thread.media_type) == (Category.POST, "One\n\nTwo", "text/plain")


def test_of_several_authors_the_persons_posts_are_taken(web) -> None:
    def by(*names: str) -> list[dict[str, object]]:
        return [{"id": 1, "name": name, "handle": None} for name in names]

    Archive(web, post(1), post(2, publishedBylines=by("Ada")), post(3, publishedBylines=by("Ada", "maya  lindqvist")))
    assert found(visited(CONNECTOR, SubstackOptions(url=web.url), web=web)).keys() == {"substack:1", "substack:3"}
    events = visited(CONNECTOR, SubstackOptions(url=web.url, byline="Ada"), web=web)
    assert found(events).keys() == {"substack:2", "substack:3"}
    with pytest.raises(SubstackError, match=r"none of its posts is by Bob, but by Ada, Maya Lindqvist.*byline"):
        visited(CONNECTOR, SubstackOptions(url=web.url, byline="Bob"), web=web)


def test_an_only_author_may_have_another_name(web) -> None:
    Archive(web, post(1, publishedBylines=[{"id": 1, "name": "The Weaver"}]), post(2, publishedBylines=[]))
    assert len(found(visited(CONNECTOR, SubstackOptions(url=web.url), web=web))) == 2


def test_a_post_that_is_no_longer_listed_is_missing_and_one_that_answers_404_is_gone(web) -> None:
    archive = Archive(web, post(1), post(2), post(3))
    before = visited(CONNECTOR, SubstackOptions(url=web.url), web=web)
    archive.posts = [post(2, title="Changed"), post(3)]
    web.serve("/api/v1/posts/post-2", Reply("nothing", 404))
    events = visited(CONNECTOR, SubstackOptions(url=web.url), remembered(before), web)
    assert of(Gone, events) == [Gone("substack:2")]
    assert of(Seen, events) == [Seen("substack:3", "archive")]
    assert of(Listed, events) == [Listed("archive")]


def test_one_post_that_fails_hides_nothing(web) -> None:
    archive = Archive(web, post(1), post(2))
    before = visited(CONNECTOR, SubstackOptions(url=web.url), web=web)
    archive.posts = [post(1, title="Changed"), post(2), post(3)]
    web.serve("/api/v1/posts/post-1", Reply("no", 403))
    web.serve("/api/v1/posts/post-3", Reply("<html>"))
    events = visited(CONNECTOR, SubstackOptions(url=web.url), remembered(before), web)
    assert Seen("substack:1", "archive") in events
    assert {each.where for each in quarantined(events)} == {f"{web.url}/api/v1/posts/post-{n}" for n in (1, 3)}
    assert not of(Listed, events)


# --- without the API --------------------------------------------------------------------------------------------


def sitemap(web: Web, *slugs: str, day: str = "2024-03-10") -> str:
    pages = "".join(f"<url><loc>{web.url}/p/{slug}</loc><lastmod>{day}</lastmod></url>" for slug in slugs)
    return f"<urlset><url><loc>{web.url}/about</loc></url>{pages}</urlset>"


def feed(web: Web, *items: tuple[str, str]) -> str:
    said = "".join(
        f"<item><title>{slug}</title><description>x</description><link>{web.url}/p/{slug}</link>"
        f'<guid isPermaLink="false">{web.url}/p/{slug}</guid><pubDate>Sun, 10 Mar 2024 12:00:00 GMT</pubDate>'
        f"<content:encoded><![CDATA[{content}]]></content:encoded></item>"
        for slug, content in items
    )
    return (
        f'<rss xmlns:content="http://purl.org/rss/1.0/modules/content/" version="2.0"><channel>{said}</channel></rss>'
    )


@pytest.mark.parametrize(
    "answer", [Reply("<html>Just a moment", 200), Reply("no", 403), Reply("", 404), Reply({"error": "x"})]
)
def test_without_the_api_the_sitemap_leads_to_pages_that_carry_the_same_posts(web, answer) -> None:
    Archive(web, post(1)).down(answer)
    web.serve("/sitemap.xml", sitemap(web, "post-1", "post-2"))
    web.serve("/p/post-1", preloads(post(1, subtitle="Why")))
    web.serve("/p/post-2", preloads(post(2, audience="only_paid", body_html="<p>Before.</p>")))
    events = assert_connector(CONNECTOR, SubstackOptions(url=web.url), web)
    whole, excerpt = found(events)["substack:1"], found(events)["substack:2"]
    assert (whole.content, whole.excerpt) == ('<p class="subtitle">Why</p>\n<p>Words.</p>', False)
    assert (excerpt.content, excerpt.excerpt) == ("<p>Before.</p>", True)
    assert "sitemap or its feed is read instead" in of(Notice, events)[0].what
    # What the API would show is not known.
    assert not of(Listed, events)


def test_posts_that_the_api_gave_before_are_not_fetched_again_by_page(web) -> None:
    archive = Archive(web, post(1))
    before = visited(CONNECTOR, SubstackOptions(url=web.url), web=web)
    archive.down(Reply("no", 403))
    web.serve("/sitemap.xml", sitemap(web, "post-1"))
    events = visited(CONNECTOR, SubstackOptions(url=web.url), remembered(before), web)
    assert of(Seen, events) == [Seen("substack:1", "sitemap")]
    web.serve("/sitemap.xml", sitemap(web, "post-1", day="2026-02-01"))
    web.serve("/p/post-1", preloads(post(1, body_html="<p>Edited.</p>")))
    events = visited(CONNECTOR, SubstackOptions(url=web.url), remembered(before), web)
    assert found(events)["substack:1"].content == "<p>Edited.</p>"


def test_without_a_sitemap_the_feed_is_read(web) -> None:
    Archive(web).down(Reply("no", 403))
    more = f'<p>Paid.</p><p>\n  <a href="{web.url}/p/paid">\n    Read more\n  </a>\n</p>'
    web.serve("/feed", Reply(feed(web, ("post-1", "<p>From the feed.</p>"), ("paid", more)), media_type="text/xml"))
    web.serve("/p/post-1", preloads(post(1)))
    events = assert_connector(CONNECTOR, SubstackOptions(url=web.url), web)
    paid = found(events)[f"{web.url}/p/paid"]
    assert found(events)["substack:1"].content == "<p>Words.</p>"
    assert (paid.content, paid.excerpt, paid.title) == ("<p>Paid.</p>", True, "paid")


def test_a_publication_that_cannot_be_read_in_any_way_is_the_apis_error(web) -> None:
    Archive(web).down(Reply("no", 403))
    with pytest.raises(HttpError, match="403"):
        visited(CONNECTOR, SubstackOptions(url=web.url), web=web)


def test_robots_that_refuse_the_api_are_obeyed(web) -> None:
    Archive(web, post(1))
    web.serve("/robots.txt", Reply("User-agent: *\nDisallow: /api/\n", media_type="text/plain"))
    web.serve("/sitemap.xml", sitemap(web, "post-1"))
    web.serve("/p/post-1", preloads(post(1)))
    events = visited(CONNECTOR, SubstackOptions(url=web.url), web=web)
    assert found(events).keys() == {"substack:1"}
    assert not web.asked_for("/api/v1/archive")
    assert not of(RobotsSkipped, events)


# --- what comes -------------------------------------------------------------------------------------------------


def test_options_name_a_publication_or_an_export() -> None:
    assert SubstackOptions(url="https://maya.substack.com/").name() == "https://maya.substack.com"
    for wrong in ({}, {"url": "maya.substack.com"}, {"url": "https://m.example", "crawl": False}):
        with pytest.raises(ValidationError):
            SubstackOptions.model_validate(wrong)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["name", "handle", "post", "id"]), inner)
    ),
    max_leaves=6,
)
_FIELDS = st.sampled_from([*post(1)])


@settings(max_examples=80, deadline=None)
@given(st.dictionaries(_FIELDS, values, max_size=4), values)
def test_no_answer_breaks_the_reader(changed, anything) -> None:
    document({**post(1), **changed}, "archive")
    Shown.of({**post(1), **changed})
    Shown.of(anything)
    preloaded(preloads(changed))
    preloaded(f"window._preloads = JSON.parse({json.dumps(json.dumps(anything))})")


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 400), st.text(max_size=10))
def test_no_damaged_page_breaks_the_reader(at, put) -> None:
    page = preloads(post(1))
    preloaded(page[:at] + put + page[at + 3 :])
