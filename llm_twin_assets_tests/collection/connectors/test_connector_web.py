"""Any site: complete by its sitemap or a list, cheap the second time, and never beyond its own hosts."""

import gzip
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from llm_twin_assets.collection.connector import (
    Collectable,
    Found,
    Gone,
    Listed,
    Notice,
    Remember,
    RobotsSkipped,
    Seen,
)
from llm_twin_assets.collection.connectors.web import CONNECTOR, WebOptions
from llm_twin_assets.collection.reading.feeds import FeedError
from llm_twin_assets_tests.collection.contract import assert_connector, quarantined, remembered, visited
from llm_twin_assets_tests.collection.web import Asked, Reply, Web
from resources.http import HttpError, UnavailableError


def article(title: str, head: str = "", body: str = "") -> str:
    return f"<html><head><title>{title}</title>{head}</head><body><h1>{title}</h1><p>{title} {body}</p></body></html>"


def sitemap(web: Web, *pages: tuple[str, str | None]) -> str:
    urls = "".join(
        f"<url><loc>{web.url}{path}</loc>{f'<lastmod>{day}</lastmod>' if day else ''}</url>" for path, day in pages
    )
    return f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{urls}</urlset>'


def rss(web: Web, *paths: str) -> str:
    items = "".join(
        f"<item><title>Title of {path}</title><link>{web.url}{path}</link>"
        f"<pubDate>Mon, 04 Mar 2024 10:00:00 GMT</pubDate></item>"
        for path in paths
    )
    return f'<?xml version="1.0"?><rss version="2.0"><channel><link>{web.url}</link>{items}</channel></rss>'


def blog(web: Web) -> WebOptions:
    """Two articles, listings beside them, a feed that shows one."""
    web.serve("/", article("Maya", '<link rel="alternate" type="application/rss+xml" href="/feed">'))
    web.serve("/feed", Reply(rss(web, "/a"), media_type="application/rss+xml"))
    web.serve("/sitemap.xml", sitemap(web, ("/", None), ("/a", "2024-03-04"), ("/b", None), ("/tag/x", None)))
    web.serve("/a", article("On a", '<meta property="article:published_time" content="2024-03-01T00:00:00Z">'))
    web.serve("/b", article("On b"))
    return WebOptions(url=f"{web.url}/")


def of(kind: type, events: Sequence[Collectable]) -> list[Collectable]:
    return [event for event in events if isinstance(event, kind)]


def paths(web: Web, since: int = 0) -> list[str]:
    return [asked.path for asked in web.requests[since:]]


def again(web: Web, options: WebOptions, before: list[Collectable]) -> tuple[list[Collectable], list[Asked]]:
    asked = len(web.requests)
    return visited(CONNECTOR, options, remembered(before), web), web.requests[asked:]


def test_a_site_is_its_articles_as_raw_pages(web) -> None:
    first, second = sorted(of(Found, assert_connector(CONNECTOR, blog(web), web)), key=lambda found: found.stable_id)
    assert (first.stable_id, first.url) == (f"https://{web.host}/a", f"{web.url}/a")
    assert (first.media_type, first.listing, first.category) == ("text/html", "sitemap", "article")
    assert first.content.startswith("<html>")
    assert (first.title, first.published_at, first.dated_by) == (
        "Title of /a",
        datetime(2024, 3, 1, tzinfo=UTC),
        "page",
    )
    assert (second.title, second.published_at, second.dated_by) == (None, None, "nothing")
    assert "/tag/x" not in paths(web)


def test_an_unchanged_site_costs_conditional_requests_alone(web) -> None:
    options = blog(web)
    before = visited(CONNECTOR, options, web=web)
    assert of(Listed, before) == [Listed("sitemap")]
    events, asked = again(web, options, before)
    assert sorted(seen.stable_id for seen in of(Seen, events)) == [f"https://{web.host}/{each}" for each in "ab"]
    assert of(Listed, events) == [Listed("sitemap", again=True)]
    assert not of(Found, events)
    # The page with a `lastmod` was not asked for at all.
    assert {each.path for each in asked} == {"/", "/feed", "/robots.txt", "/sitemap.xml", "/b"}
    assert all(each.conditional for each in asked if each.path != "/robots.txt")


def test_a_changed_page_alone_is_found_again(web) -> None:
    options = blog(web)
    before = visited(CONNECTOR, options, web=web)
    web.serve("/b", article("On b", body="more"))
    events, _ = again(web, options, before)
    assert [found.stable_id for found in of(Found, events)] == [f"https://{web.host}/b"]
    third, _ = again(web, options, [*before, *events])
    assert not of(Found, third)


def test_a_new_lastmod_over_an_unchanged_page_costs_one_request_once(web) -> None:
    options = blog(web)
    before = visited(CONNECTOR, options, web=web)
    web.serve("/sitemap.xml", sitemap(web, ("/a", "2024-05-05"), ("/b", None)))
    events, asked = again(web, options, before)
    assert "/a" in {each.path for each in asked}
    assert Seen(f"https://{web.host}/a", "sitemap") in events
    _, asked = again(web, options, [*before, *events])
    assert "/a" not in {each.path for each in asked}


def test_what_a_whole_sitemap_no_longer_shows_is_missing_and_a_404_is_gone(web) -> None:
    options = blog(web)
    before = visited(CONNECTOR, options, web=web)
    web.serve("/feed", Reply(rss(web)))
    web.serve("/sitemap.xml", sitemap(web, ("/b", None)))
    web.serve("/b", Reply("gone", 410))
    events, _ = again(web, options, before)
    assert of(Gone, events) == [Gone(f"https://{web.host}/b")]
    assert of(Listed, events) == [Listed("sitemap")]
    assert not of(Seen, events)


@pytest.mark.parametrize("broken", [Reply("<urlset><url><loc>", 200), Reply("down", 403), Reply("gone", 404)])
def test_a_broken_sitemap_never_looks_like_absence(web, broken) -> None:
    options = blog(web)
    before = visited(CONNECTOR, options, web=web)
    web.serve("/sitemap.xml", broken)
    events, _ = again(web, options, before)
    assert not of(Listed, events)
    assert not of(Gone, events)


def test_a_page_that_fails_is_still_there(web) -> None:
    options = blog(web)
    before = visited(CONNECTOR, options, web=web)
    web.serve("/b", Reply("no", 403))
    events, _ = again(web, options, before)
    assert [each.where for each in quarantined(events)] == [f"{web.url}/b"]
    assert Seen(f"https://{web.host}/b", "sitemap") in events
    assert of(Listed, events) == [Listed("sitemap", again=True)]


def test_a_host_in_trouble_is_left_alone(web) -> None:
    pages = [(f"/post-{number}", None) for number in range(60)]
    web.serve("/sitemap.xml", sitemap(web, *pages))
    for path, _ in pages:
        web.serve(path, Reply("down", 503))
    with pytest.raises((UnavailableError, HttpError)):
        visited(CONNECTOR, WebOptions(url=f"{web.url}/sitemap.xml"), web=web)
    assert len({each.path for each in web.requests}) < 40


def test_an_index_is_followed_and_an_unchanged_part_is_not_asked_for_again(web) -> None:
    parts = "".join(
        f"<sitemap><loc>{web.url}/{name}</loc><lastmod>2024-01-01</lastmod></sitemap>"
        for name in ("posts.xml.gz", "category-sitemap.xml")
    )
    web.serve("/robots.txt", Reply(f"User-agent: *\nAllow: /\nSitemap: {web.url}/index.xml\n", media_type="text/plain"))
    web.serve("/", article("Maya"))
    web.serve("/index.xml", f"<sitemapindex>{parts}</sitemapindex>")
    web.serve("/posts.xml.gz", gzip.compress(sitemap(web, ("/a", "2024-01-01")).encode()))
    web.serve("/a", article("On a"))
    options = WebOptions(url=web.url)
    before = assert_connector(CONNECTOR, options, web)
    assert [found.stable_id for found in of(Found, before)] == [f"https://{web.host}/a"]
    assert "/category-sitemap.xml" not in paths(web)
    events, asked = again(web, options, before)
    assert "/posts.xml.gz" not in {each.path for each in asked}
    assert Seen(f"https://{web.host}/a", "sitemap") in events


def test_a_feed_alone_is_no_complete_listing(web) -> None:
    web.serve("/rss", Reply(rss(web, "/a", "/b"), media_type="text/xml"))
    web.serve("/a", article("On a"))
    web.serve("/b", article("On b"))
    events = assert_connector(CONNECTOR, WebOptions(url=f"{web.url}/rss"), web)
    assert {(found.listing, found.dated_by) for found in of(Found, events)} == {("feed", "platform")}
    assert not of(Listed, events)


def test_a_feed_without_a_link_is_looked_for_in_the_usual_places_once(web) -> None:
    web.serve("/", article("Maya"))
    web.serve("/atom.xml", Reply(rss(web, "/a"), media_type="application/atom+xml"))
    web.serve("/a", article("On a"))
    options = WebOptions(url=web.url)
    before = assert_connector(CONNECTOR, options, web)
    assert [found.stable_id for found in of(Found, before)] == [f"https://{web.host}/a"]
    _, asked = again(web, options, before)
    assert "/feed.xml" not in {each.path for each in asked}


def test_a_listed_page_is_taken_whatever_it_looks_like_and_the_list_is_complete(web) -> None:
    web.serve("/tag/", article("About tags"))
    url = web.serve("/b", article("On b"))
    options = WebOptions(urls=(f"{web.url}/tag/", url))
    events = assert_connector(CONNECTOR, options, web)
    assert {found.stable_id for found in of(Found, events)} == {f"https://{web.host}/tag", f"https://{web.host}/b"}
    assert of(Listed, events) == [Listed("list")]


def test_a_page_in_list_and_sitemap_is_seen_in_both(web) -> None:
    options = blog(web).model_copy(update={"urls": (f"{web.url}/b",)})
    before = visited(CONNECTOR, options, web=web)
    identity = f"https://{web.host}/b"
    assert Seen(identity, "sitemap") in before
    assert [found.listing for found in of(Found, before) if found.stable_id == identity] == ["list"]
    events, _ = again(web, options, before)
    assert {Seen(identity, "sitemap"), Seen(identity, "list")} <= set(of(Seen, events))


def test_copies_of_a_page_are_one_document_under_its_own_address(web) -> None:
    head = '<link rel="canonical" href="/a">'
    web.serve("/sitemap.xml", sitemap(web, ("/a-copy", None), ("/a", None), ("/c-1", None), ("/c-2", None)))
    web.serve("/a", article("On a", head))
    web.serve("/a-copy", article("On a, copied", head))
    for copy in ("/c-1", "/c-2"):
        web.serve(copy, article("On c", '<link rel="canonical" href="/c">'))
    options = WebOptions(url=f"{web.url}/sitemap.xml")
    events = assert_connector(CONNECTOR, options, web)
    found = {each.stable_id: each.title or each.content for each in of(Found, events)}
    assert found.keys() == {f"https://{web.host}/a", f"https://{web.host}/c"}
    assert "copied" not in found[f"https://{web.host}/a"]


@pytest.mark.parametrize("canonical", ["https://elsewhere.example/a", "/", "mailto:x"])
def test_a_canonical_address_that_cannot_be_right_is_not_believed(web, canonical) -> None:
    url = web.serve("/a", article("On a", f'<link rel="canonical" href="{canonical}">'))
    (found,) = of(Found, visited(CONNECTOR, WebOptions(urls=(url,)), web=web))
    assert (found.stable_id, found.url) == (f"https://{web.host}/a", url)


def test_nothing_beyond_the_site_is_asked_for(web) -> None:
    options = blog(web)
    foreign = "<url><loc>http://127.0.0.1:1/x</loc></url><url><loc>https://elsewhere.example/y</loc></url></urlset>"
    web.serve("/sitemap.xml", sitemap(web, ("/a", None)).replace("</urlset>", foreign))
    web.serve(
        "/feed",
        Reply(rss(web, "/a").replace("</channel>", "<item><link>https://elsewhere.example/z</link></item></channel>")),
    )
    events = visited(CONNECTOR, options, web=web)
    assert [found.stable_id for found in of(Found, events)] == [f"https://{web.host}/a"]
    assert not quarantined(events)


def test_a_page_that_only_leads_to_the_front_page_is_no_article(web) -> None:
    options = blog(web)
    web.serve("/b", Reply("", 302, {"Location": "/"}))
    events = visited(CONNECTOR, options, web=web)
    assert [found.stable_id for found in of(Found, events)] == [f"https://{web.host}/a"]
    assert [each.where for each in quarantined(events)] == [f"{web.url}/b"]


def test_what_is_no_web_page_is_quarantined(web) -> None:
    options = blog(web)
    web.serve("/b", Reply(b"%PDF", media_type="application/pdf"))
    (reason,) = quarantined(visited(CONNECTOR, options, web=web))
    assert "application/pdf" in reason.reason


def test_patterns_and_a_section_choose_pages(web) -> None:
    web.serve("/blog/", article("Blog"))
    pages = ("/blog/a", "/blog/b", "/blog/tag/x", "/shop/c")
    web.serve("/sitemap.xml", sitemap(web, *((page, None) for page in pages)))
    for page in pages:
        web.serve(page, article(page))

    def found(**options: object) -> set[str]:
        events = visited(CONNECTOR, WebOptions.model_validate({"url": f"{web.url}/blog/", **options}), web=web)
        return {each.stable_id.removeprefix(f"https://{web.host}") for each in of(Found, events)}

    assert found() == {"/blog/a", "/blog/b"}
    assert found(exclude=["*/b"]) == {"/blog/a"}
    assert found(include=["/shop/*", "/blog/tag/*"]) == {"/shop/c", "/blog/tag/x"}


def test_too_many_pages_are_cut_with_a_word_and_count_as_no_listing(web) -> None:
    options = blog(web).model_copy(update={"max_pages": 1})
    events = visited(CONNECTOR, options, web=web)
    assert len(of(Found, events)) == 1
    assert "more than 1 pages" in of(Notice, events)[0].what
    assert not of(Listed, events)


def test_a_page_without_validators_is_told_by_its_digest(web) -> None:
    url = web.serve("/a", Reply(article("On a"), etag=False))
    options = WebOptions(urls=(url,))
    before = assert_connector(CONNECTOR, options, web)
    events, _ = again(web, options, before)
    assert of(Seen, events) == [Seen(f"https://{web.host}/a", "list")]
    assert not of(Found, events)


def test_documents_come_before_what_is_remembered_of_them(web) -> None:
    events = visited(CONNECTOR, blog(web), web=web)
    found = {event.stable_id: number for number, event in enumerate(events) if isinstance(event, Found)}
    for number, event in enumerate(events):
        if isinstance(event, Remember) and isinstance(event.value, dict) and event.value.get("stable_id"):
            assert found[str(event.value["stable_id"])] < number


def test_a_site_that_cannot_be_had_is_an_error(web) -> None:
    with pytest.raises(HttpError, match="404"):
        visited(CONNECTOR, WebOptions(url=f"{web.url}/nowhere"), web=web)
    broken = web.serve("/feed", Reply('{"version": "https://jsonfeed.org/version/1.1", "items": ['))
    with pytest.raises(FeedError):
        visited(CONNECTOR, WebOptions(url=broken), web=web)


def test_robots_are_obeyed_page_by_page(web) -> None:
    options = blog(web)
    before = visited(CONNECTOR, options, web=web)
    web.serve("/robots.txt", Reply("User-agent: *\nDisallow: /b\n", media_type="text/plain"))
    events, asked = again(web, options, before)
    assert "/b" not in {each.path for each in asked}
    assert of(RobotsSkipped, events) == [RobotsSkipped(f"{web.url}/b")]
    assert Seen(f"https://{web.host}/b", "sitemap") in events


def test_options_name_a_site_or_pages() -> None:
    assert WebOptions(url="https://maya.example/blog/").name() == "https://maya.example/blog/"
    assert WebOptions(urls=("https://maya.example/a",)).name() == "maya.example"
    for wrong in ({}, {"url": "maya.example"}, {"url": "https://maya.example", "max_pages": 0}):
        with pytest.raises(ValidationError):
            WebOptions.model_validate(wrong)
