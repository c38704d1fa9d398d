"""Medium: the export is the whole, feeds bring what is new, and both meet in one document."""

import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from llm_twin_assets.collection.connector import Collectable, Found, Listed, Notice, Quarantined, Seen
from llm_twin_assets.collection.connectors.medium import CONNECTOR, MediumOptions
from llm_twin_assets.collection.platforms.medium_feed import document
from llm_twin_assets.collection.reading.export import ExportError
from llm_twin_assets.collection.reading.feeds import Entry, FeedError
from llm_twin_assets.domain.document import Category
from llm_twin_assets_tests.collection.contract import assert_connector, quarantined, remembered, visited
from llm_twin_assets_tests.collection.web import Reply, Web
from resources.http import HttpError


def page(title: str, body: str, canonical: str = "https://medium.com/@maya/x-0b71f3e9a4c2") -> str:
    return (
        f'<!DOCTYPE html><html><head><title>{title}</title></head><body><article class="h-entry">'
        f'<header><h1 class="p-name">{title}</h1></header>'
        f'<section data-field="body" class="e-content"><section name="a" class="section">{body}</section></section>'
        f'<footer><p><time class="dt-published" datetime="2020-08-02T11:45:57.137Z">x</time></p>'
        f'<p><a href="{canonical}" class="p-canonical">Canonical link</a></p></footer></article></body></html>'
    )


ARTICLE = page(
    "On looms", '<h3 class="graf graf--title">On looms</h3><p>Text &amp; &lt;div&gt;.</p><pre>a<br>  b</pre>'
)
RESPONSE = page("Thanks, that is a good…", "<p>Thanks, that is a good<br>point about the index.</p><p>More.</p>")
FILES = {
    "README.html": "<p>not a post</p>",
    "posts/2020-08-02_On-looms-9d03fa5581ce.html": ARTICLE,
    "posts/2020-08-03_Thanks-0b71f3e9a4c2.html": RESPONSE,
    "posts/draft_Later-9d03fa5581cf.html": ARTICLE,
}
PIXEL = (
    '<img src="https://medium.com/_/stat?event=post.clientViewed&referrerSource=full_rss&postId=1" width="1" alt="">'
)
TRAILER = (
    '<hr><p><a href="https://weaving.example/x">X</a> was originally published in <a href="https://weaving.example">W</a>'
    " on Medium, where people are continuing the conversation by highlighting and responding to this story.</p>"
)


def item(number: int, content: str = "<p>Words.</p>", **other: str) -> str:
    """One item as Medium's feeds have it."""
    name, title = other.get("creator", "Maya Lindqvist"), other.get("title", f"Post {number}")
    link = other.get(
        "link", f"https://medium.com/@{'ada' if name == 'Ada' else 'maya'}/post-{number:012x}?source=rss-6f1------2"
    )
    body = other.get("raw", f"<content:encoded><![CDATA[{content}]]></content:encoded>")
    return (
        f"<item><title><![CDATA[{title}]]></title><link>{link}</link>"
        f'<guid isPermaLink="false">https://medium.com/p/{number:012x}</guid><category><![CDATA[ml]]></category>'
        f"<dc:creator><![CDATA[{name}]]></dc:creator><pubDate>Mon, 04 Mar 2024 10:00:00 GMT</pubDate>"
        f"<atom:updated>{other.get('updated', '2024-03-04T10:00:00.000Z')}</atom:updated>{body}</item>"
    )


def feed(*items: str) -> Reply:
    text = (
        '<?xml version="1.0" encoding="UTF-8"?><rss xmlns:dc="http://purl.org/dc/elements/1.1/" '
        'xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:atom="http://www.w3.org/2005/Atom" '
        f'version="2.0"><channel><title><![CDATA[Stories by Maya on Medium]]></title>{"".join(items)}</channel></rss>'
    )
    return Reply(text, media_type="text/xml; charset=UTF-8")


def identity(number: int) -> str:
    return f"https://medium.com/p/{number:012x}"


def options(web: Web, **more: object) -> MediumOptions:
    return MediumOptions.model_validate({"handle": "@maya", "base": web.url, **more})


def of(kind: type, events: Sequence[Collectable]) -> list[Collectable]:
    return [event for event in events if isinstance(event, kind)]


def found(events: Sequence[Collectable]) -> Mapping[str, Found]:
    return {event.stable_id: event for event in events if isinstance(event, Found)}


# --- the export -------------------------------------------------------------------------------------------------


def test_articles_keep_their_markup_and_responses_become_posts(export) -> None:
    article, response = of(Found, assert_connector(CONNECTOR, MediumOptions(export=export(FILES))))
    assert (article.category, article.title, article.media_type) == (Category.ARTICLE, "On looms", "text/html")
    assert article.content.startswith('<section name="a" class="section"><h3')
    assert "Text &amp; &lt;div&gt;." in article.content
    assert article.published_at == datetime(2020, 8, 2, 11, 45, 57, 137000, tzinfo=UTC)
    assert (response.category, response.title, response.media_type) == (Category.POST, None, "text/plain")
    assert response.content == "Thanks, that is a good\npoint about the index.\n\nMore."


def test_an_old_article_without_any_heading_is_no_response(export) -> None:
    files = {"posts/2013-01-01_Old-0b71f3e9a4c2.html": page("On ferries", "<p>At ten past eleven I left.</p>")}
    (article,) = of(Found, visited(CONNECTOR, MediumOptions(export=export(files))))
    assert article.category is Category.ARTICLE


def test_a_renamed_post_keeps_its_identity(archive) -> None:
    before = archive({"posts/2020-08-02_Old-9d03fa5581ce.html": ARTICLE}, "a.zip")
    renamed = ARTICLE.replace("/x-0b71f3e9a4c2", "/new-0b71f3e9a4c2")
    after = archive({"posts/2020-08-02_New-9d03fa5581ce.html": renamed}, "b.zip")
    one, other = (found(visited(CONNECTOR, MediumOptions(export=path))) for path in (before, after))
    assert one.keys() == other.keys() == {"https://medium.com/p/9d03fa5581ce"}


def test_an_unchanged_export_is_not_read_again_and_a_new_edition_is(archive) -> None:
    path = archive(FILES)
    before = visited(CONNECTOR, MediumOptions(export=path))
    assert of(Listed, before) == [Listed("export")]
    assert not of(Found, visited(CONNECTOR, MediumOptions(export=path), remembered(before)))
    archive({**FILES, "posts/2021_New-9d03fa5581ca.html": ARTICLE})
    os.utime(path, ns=(1, 1))
    after = visited(CONNECTOR, MediumOptions(export=path), remembered(before))
    assert "https://medium.com/p/9d03fa5581ca" in found(after)


def test_a_page_that_is_no_post_is_quarantined_among_good_ones(export) -> None:
    files = {**FILES, "posts/2020_x-9d03fa5581ca.html": "<p>hello</p>"}
    events = visited(CONNECTOR, MediumOptions(export=export(files)))
    assert len(of(Found, events)) == 2
    assert quarantined(events)[0].where.endswith("posts/2020_x-9d03fa5581ca.html")
    # It stands in the export, so it has not been deleted.
    assert Seen("https://medium.com/p/9d03fa5581ca", "export") in events


def test_an_export_without_posts_says_where_to_get_one(export) -> None:
    with pytest.raises(ExportError, match=r"holds no posts/\*\.html.*medium\.com"):
        visited(CONNECTOR, MediumOptions(export=export({"README.html": "x"})))


def test_an_export_of_drafts_alone_is_an_error(export) -> None:
    with pytest.raises(ExportError, match="holds nothing published"):
        visited(CONNECTOR, MediumOptions(export=export({"posts/draft_Later-9d03fa5581cf.html": ARTICLE})))


# --- feeds ------------------------------------------------------------------------------------------------------


def test_a_feed_gives_posts_without_what_medium_adds(web) -> None:
    body = (
        f"<figure><img src='a.png'></figure><h4>Why</h4><p>It <em>weaves</em>.</p><pre>a<br>  b</pre>{PIXEL}{TRAILER}"
    )
    web.serve("/feed/@maya", feed(item(1, body, title="On looms &amp; more")))
    (post,) = of(Found, assert_connector(CONNECTOR, options(web), web))
    assert (post.stable_id, post.url) == (identity(1), "https://medium.com/@maya/post-000000000001")
    assert post.content == (
        '<h3 class="graf--title">On looms &amp; more</h3><figure><img src="a.png"/></figure>'
        '<h4 class="graf--subtitle">Why</h4><p>It <em>weaves</em>.</p><pre>a<br/>  b</pre>'
    )
    assert (post.title, post.category, post.media_type) == ("On looms & more", Category.ARTICLE, "text/html")
    assert (post.published_at, post.listing, post.excerpt) == (datetime(2024, 3, 4, 10, tzinfo=UTC), "feed", False)


def test_a_story_for_members_comes_as_an_excerpt(web) -> None:
    snippet = (
        '<div class="medium-feed-item"><p class="medium-feed-image"><img src="x.png"></p>'
        '<p class="medium-feed-snippet">It weaves&#x2026;</p>'
        '<p class="medium-feed-link"><a href="x">Continue reading on Medium »</a></p></div>'
    )
    web.serve("/feed/@maya", feed(item(1, raw=f"<description><![CDATA[{snippet}]]></description>")))
    (post,) = of(Found, visited(CONNECTOR, options(web), web=web))
    assert post.excerpt
    assert "It weaves…" in post.content
    assert "Continue reading" not in post.content
    assert "x.png" not in post.content


def test_a_response_in_the_feed_is_a_post(web) -> None:
    web.serve("/feed/@maya", feed(item(1, f"<p>Thanks, that<br>is good.</p>{PIXEL}", title="Thanks, that is…")))
    (post,) = of(Found, assert_connector(CONNECTOR, options(web), web))
    assert (post.category, post.title, post.content) == (Category.POST, None, "Thanks, that\nis good.")


def test_a_feed_is_no_complete_listing_and_an_unchanged_one_costs_a_conditional_request(web) -> None:
    web.serve("/feed/@maya", feed(item(1), item(2)))
    before = visited(CONNECTOR, options(web), web=web)
    assert not of(Listed, before)
    events = visited(CONNECTOR, options(web), remembered(before), web)
    assert of(Seen, events) == [Seen(identity(1), "feed"), Seen(identity(2), "feed")]
    assert web.asked_for("/feed/@maya")[-1].conditional


def test_one_changed_item_is_one_document(web) -> None:
    web.serve("/feed/@maya", feed(item(1), item(2)))
    before = visited(CONNECTOR, options(web), web=web)
    web.serve("/feed/@maya", feed(item(3), item(1), item(2, "<p>New words.</p>", updated="2024-05-01T00:00:00Z")))
    events = visited(CONNECTOR, options(web), remembered(before), web)
    assert found(events).keys() == {identity(2), identity(3)}
    assert of(Seen, events) == [Seen(identity(1), "feed")]


def test_a_full_feed_of_new_items_warns_of_a_gap(web) -> None:
    def said(events: Sequence[Collectable]) -> str:
        return " ".join(event.what for event in of(Notice, events))

    web.serve("/feed/@maya", feed(*(item(number) for number in range(1, 11))))
    first = visited(CONNECTOR, options(web), web=web)
    assert "older ones are not collected. Download the account export" in said(first)
    web.serve("/feed/@maya", feed(*(item(number) for number in range(10, 20))))
    second = visited(CONNECTOR, options(web), remembered(first), web)
    assert not said(second)
    web.serve("/feed/@maya", feed(*(item(number) for number in range(30, 40))))
    third = visited(CONNECTOR, options(web), remembered(second, remembered(first)), web)
    assert "all 10 items are new" in said(third)
    assert "Download the account export" in said(third)


def test_what_an_export_covers_is_not_found_again_and_closes_the_gap(web, archive) -> None:
    web.serve("/feed/@maya", feed(*(item(number) for number in range(1, 11))))
    posts = {f"posts/2024_Post-{number:012x}.html": ARTICLE for number in range(1, 6)}
    both = options(web, export=str(archive(posts)))
    events = assert_connector(CONNECTOR, both, web)
    assert {event.listing for event in found(events).values() if event.stable_id == identity(1)} == {"export"}
    assert found(events).keys() == {identity(number) for number in range(1, 11)}
    assert Seen(identity(1), "feed") in events
    assert not of(Notice, events)


def test_an_edit_after_the_export_is_found_in_the_feed(web, archive) -> None:
    web.serve("/feed/@maya", feed(item(1, "<p>Edited.</p>", updated="2099-01-01T00:00:00Z")))
    both = options(web, export=str(archive({"posts/2024_Post-000000000001.html": ARTICLE})))
    documents = of(Found, visited(CONNECTOR, both, web=web))
    assert [document.listing for document in documents] == ["export", "feed"]


def test_of_a_publication_only_the_persons_items_are_taken(web) -> None:
    by_handle = item(3, creator="M. L.", link="https://medium.com/@Maya/x-000000000003")
    web.serve("/weaving/feed", feed(item(1), item(2, creator="Ada"), by_handle, item(4, creator=" maya  LINDQVIST")))
    web.serve("/feed/weavers", feed(item(5, creator="Ada"), item(1)))
    chosen = MediumOptions.model_validate({"publications": [f"{web.url}/weaving/"], "base": "https://medium.com"})
    assert found(visited(CONNECTOR, chosen, web=web)).keys() == {identity(1), identity(4)}
    web.serve("/feed/@maya", feed(item(1)))
    web.serve("/feed/weaving", feed(item(2, creator="Ada"), by_handle))
    events = assert_connector(CONNECTOR, options(web, publications=[f"{web.url}/weaving", f"{web.url}/weavers"]), web)
    assert found(events).keys() == {identity(1), identity(3)}


def test_one_feed_that_fails_does_not_stop_the_others(web) -> None:
    web.serve("/feed/@maya", feed(item(1)))
    web.serve("/feed/weaving", Reply("<html>Not a feed", 200))
    events = visited(CONNECTOR, options(web, publications=[f"{web.url}/weaving"]), web=web)
    assert found(events).keys() == {identity(1)}
    assert "is not a feed" in quarantined(events)[0].reason


@pytest.mark.parametrize(
    ("reply", "error"), [(Reply("x", 404), FeedError), (Reply("no", 403), HttpError), (Reply("<html>"), FeedError)]
)
def test_a_feed_that_cannot_be_had_is_an_error(web, reply, error) -> None:
    web.serve("/feed/@maya", reply)
    with pytest.raises(error, match="/feed/@maya"):
        visited(CONNECTOR, options(web), web=web)


def test_an_item_without_text_is_quarantined_until_it_has_some(web) -> None:
    web.serve("/feed/@maya", feed(item(1, PIXEL), item(2)))
    before = visited(CONNECTOR, options(web), web=web)
    assert [each.where for each in of(Quarantined, before)] == [identity(1)]
    web.serve("/feed/@maya", feed(item(1), item(2)))
    assert found(visited(CONNECTOR, options(web), remembered(before), web)).keys() == {identity(1)}


def test_options_name_a_handle_publications_or_an_export() -> None:
    assert MediumOptions(handle="@maya").name() == "maya"
    assert MediumOptions(publications=("https://weaving.example/",)).feeds == ["https://weaving.example/feed"]
    for wrong in ({}, {"handle": "maya/../x"}, {"handle": "maya", "unknown": 1}):
        with pytest.raises(ValidationError):
            MediumOptions.model_validate(wrong)


@settings(max_examples=60, deadline=None)
@given(
    st.text(max_size=60),
    st.text(max_size=20) | st.none(),
    st.sampled_from(["https://medium.com/p/000000000001", "https://[", "x", None]),
)
def test_no_item_breaks_the_reader(html, title, where) -> None:
    for content in (html, f"<h4>{html}</h4><img src='https://medium.com/_/stat'><hr><p>{html}"):
        document(Entry(where, where, title, None, None, None, content, None))
