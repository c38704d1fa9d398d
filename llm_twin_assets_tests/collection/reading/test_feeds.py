"""RSS, Atom and JSON Feed are read into one shape; whatever else comes is a typed error."""

import json
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_twin_assets.collection.reading.feeds import FeedError, read_feed

URL = "https://maya.example/feed"
RSS = """<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:content="http://purl.org/rss/1.0/modules/content/"
 xmlns:atom="http://www.w3.org/2005/Atom"><channel><title>Looms</title><link>https://maya.example/</link>
<item><title>Warp &amp;amp; weft</title><link>/warp</link><guid isPermaLink="false">1</guid>
<dc:creator>Maya</dc:creator>
<pubDate>Mon, 04 Mar 2024 10:00:00 +0100</pubDate><atom:updated>2024-03-05T10:00:00Z</atom:updated>
<description>Short</description>
<content:encoded>
<![CDATA[<p onclick="x">Hi <script>1</script><a href="/x">x</a></p><pre>a<br>  b</pre>]]></content:encoded>
</item>
<item><title>a &lt; b</title><link>javascript:void(0)</link><description>Only this</description></item>
</channel></rss>"""
ATOM = """<feed xmlns="http://www.w3.org/2005/Atom"><link href="https://maya.example/"/>
<entry><id>tag:1</id><title type="html">On &lt;em&gt;looms&lt;/em&gt;</title><link href="https://maya.example/looms"/>
<updated>2024-03-05T10:00:00Z</updated><author><name>Maya</name></author>
<content type="html">&lt;p&gt;x&lt;/p&gt;</content>
</entry></feed>"""
JSON = {
    "version": "https://jsonfeed.org/version/1.1",
    "home_page_url": "https://maya.example/",
    "items": [
        {
            "id": "1", "url": "/looms", "title": " On  looms ", "content_html": "<p>x</p>", "summary": "s",
            "date_published": "2024-03-04T10:00:00+01:00", "date_modified": "2024-03-05", "authors": [{"name": "Maya"}],
        },
        "no item",
    ],
}  # fmt: skip


def test_rss_gives_content_as_written_and_absolute_links() -> None:
    feed = read_feed(RSS.encode(), URL)
    whole, short = feed.entries
    assert feed.home == "https://maya.example/"
    assert (whole.url, whole.id, whole.author) == ("https://maya.example/warp", "1", "Maya")
    assert whole.published_at == datetime(2024, 3, 4, 9, tzinfo=UTC)
    assert whole.version == "2024-03-05T10:00:00Z"
    assert whole.content == '<p onclick="x">Hi <script>1</script><a href="/x">x</a></p><pre>a<br>  b</pre>'
    assert (whole.title, short.title) == ("Warp & weft", "a < b")
    assert (short.url, short.content, short.summary, short.published_at) == (None, None, "Only this", None)


def test_atom_is_dated_by_its_update_where_it_says_no_more() -> None:
    (entry,) = read_feed(ATOM.encode(), URL).entries
    assert (entry.title, entry.author, entry.content) == ("On looms", "Maya", "<p>x</p>")
    assert entry.published_at == datetime(2024, 3, 5, 10, tzinfo=UTC)
    assert entry.version == "2024-03-05T10:00:00Z"


def test_a_json_feed_is_read_like_the_others() -> None:
    (entry,) = read_feed(json.dumps(JSON).encode(), URL, "application/feed+json").entries
    assert (entry.url, entry.title, entry.author) == ("https://maya.example/looms", "On looms", "Maya")
    assert entry.published_at == datetime(2024, 3, 4, 9, tzinfo=UTC)
    assert (entry.content, entry.version) == ("<p>x</p>", "2024-03-05")


@pytest.mark.parametrize(
    ("declared", "encoding", "header"),
    [
        ("utf-8", "utf-8", "application/rss+xml"),
        ("iso-8859-1", "iso-8859-1", "application/rss+xml"),
        ("utf-8", "iso-8859-1", "application/rss+xml; charset=iso-8859-1"),
    ],
)
def test_the_charset_is_that_of_the_header_or_else_of_the_declaration(declared, encoding, header) -> None:
    text = f"""<?xml version="1.0" encoding="{declared}"?><rss version="2.0"><channel>
    <item><title>Schiffchen für Köln</title><link>https://maya.example/a</link></item></channel></rss>"""
    assert read_feed(text.encode(encoding), URL, header).entries[0].title == "Schiffchen für Köln"


def test_half_an_item_is_none() -> None:
    cut = RSS.replace("Only this", "x" * 50).encode()[:-60]
    assert [entry.title for entry in read_feed(cut, URL).entries] == ["Warp & weft"]


def test_entities_are_not_fetched(tmp_path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("hidden")
    text = f"""<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY x SYSTEM "{secret.as_uri()}">]><rss version="2.0"><channel>
    <item><title>&x;</title><link>https://maya.example/a</link><description>d</description></item></channel></rss>"""
    assert "hidden" not in repr(read_feed(text.encode(), URL))


@pytest.mark.parametrize("data", [b"", b"<html><body>", b"/etc/passwd", b"{}", b"\xff\xfe\x00", b'{"version": 1}'])
def test_what_is_no_feed_is_a_typed_error(data) -> None:
    with pytest.raises(FeedError, match="is not a feed"):
        read_feed(data, URL)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from([b"<rss>", b"<feed>", b'{"version": "https://jsonfeed.org/version/1"', b""]),
    st.binary(max_size=300),
)
def test_no_bytes_break_the_reader(start, rest) -> None:
    with suppress(FeedError):
        read_feed(start + rest, URL)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, len(RSS)), st.integers(0, 40), st.binary(max_size=20))
def test_no_damage_breaks_the_reader(at, length, put) -> None:
    data = RSS.encode()
    with suppress(FeedError):
        read_feed(data[:at] + put + data[at + length :], URL)


_NAMES = st.sampled_from(["url", "title", "authors", "name", "date_published", "content_html"])
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None)
@given(json_values)
def test_no_json_feed_breaks_the_reader(items) -> None:
    read_feed(json.dumps({"version": "https://jsonfeed.org/version/1.1", "items": items}).encode(), URL)
