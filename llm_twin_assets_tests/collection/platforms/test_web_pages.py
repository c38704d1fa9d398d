"""What a page says of itself before it is stored."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_twin_assets.collection.platforms.web_pages import PageFacts, page_facts

URL = "https://maya.example/blog/looms"
PAGE = """<?xml version="1.0"?><!DOCTYPE html><html><head><title>On looms | Maya</title>
<link rel="canonical" href="/looms"><link rel="alternate" hreflang="de" href="/de">
<link rel="alternate" type="application/rss+xml" title="Maya" href="/feed">
<link rel="alternate" type="application/rss+xml" title="Maya: Comments" href="/comments/feed">
<link rel="ALTERNATE" type="application/feed+json; charset=utf-8" href="/feed.json">
<meta property="og:title" content="On  looms"><meta property="article:published_time" content="2024-03-04T10:00:00Z">
<script type="application/ld+json">{"@graph": [{"@type": "WebSite"}, {"headline": "On looms,
again", "datePublished": "2024-03-03"}]}</script><script type="application/ld+json">not json</script></head>
<body><time datetime="2020-01-01">then</time></body></html>"""


def test_what_is_linked_and_stated_is_known() -> None:
    assert page_facts(PAGE, URL) == PageFacts(
        canonical="https://maya.example/looms",
        title="On looms, again",
        published_at=datetime(2024, 3, 3, tzinfo=UTC),
        feeds=("https://maya.example/feed", "https://maya.example/feed.json"),
    )


@pytest.mark.parametrize(
    ("html", "published"),
    [
        ('<meta name="date" content="2024-03-04">', datetime(2024, 3, 4, tzinfo=UTC)),
        ('<time datetime="2024-03-04">x</time><time datetime="2025-01-01">y</time>', datetime(2024, 3, 4, tzinfo=UTC)),
        ('<time datetime="yesterday">x</time><time datetime="2025-01-01">a comment</time>', None),
        ("<p>2024-03-04</p>", None),
    ],
)  # fmt: skip
def test_the_date_is_what_the_page_states(html, published) -> None:
    assert page_facts(html, URL).published_at == published


@settings(max_examples=80, deadline=None)
@given(st.integers(0, len(PAGE)), st.integers(0, 60), st.text(max_size=20))
def test_no_damage_breaks_the_reader(at, length, put) -> None:
    page_facts(PAGE[:at] + put + PAGE[at + length :], URL)


@pytest.mark.parametrize("html", ["", " \n", "\x00", "\ufeff<?xml?>", "<" * 5000, "<div>" * 5000])
def test_of_nothing_nothing_is_known(html) -> None:
    assert page_facts(html, URL) == PageFacts()
