"""What a page says about itself comes first; what can only be guessed, last."""

from datetime import UTC, datetime

import pytest

from llm_twin_assets.features.extract import extract
from llm_twin_assets.features.html_tree import parse
from llm_twin_assets.features.page_metadata import guessed_date, instant, page_metadata

PARAGRAPH = "The engine weaves algebraic patterns just as the Jacquard loom weaves flowers and leaves. " * 4


def stated(head, body="<p>Words.</p>", url=None):
    return page_metadata(parse(f"<html><head>{head}</head><body>{body}</body></html>"), url)


@pytest.mark.parametrize(
    ("head", "body", "title"),
    [
        ("<title>Looms | Ada's site</title>", "<h1>Looms</h1>", "Looms"),
        ("<title>Looms - Ada's site</title>", "<h1>Looms</h1><h1>Cards</h1>", "Looms"),
        ("<title>Looms | Ada's site</title>", "", "Looms | Ada's site"),
        ('<meta property="og:title" content="Looms — Ada"><meta property="og:site_name" content="Ada">', "", "Looms"),
        ('<meta property="og:title" content="A loom - or two">', "<h1>Welcome</h1>", "A loom - or two"),
        (
            '<title>x</title><script type="application/ld+json">{"@type":"NewsArticle","headline":"Looms"}</script>',
            "",
            "Looms",
        ),
    ],
)
def test_the_title_is_without_the_sites_name(head, body, title):
    assert stated(head, body).title == title


@pytest.mark.parametrize(
    "head",
    [
        '<meta name="author" content="Ada Lovelace">',
        '<meta property="article:author" content="Ada Lovelace">',
        '<meta name="DC.creator" content="Ada Lovelace">',
        '<script type="application/ld+json">{"@type": "Article", "author": ["https://x.org", {"name": "Ada Lovelace"}]}'
        "</script>",
        '<script type="application/ld+json">[{"@type": ["Article", "X"], "author": "Ada\n Lovelace"}]</script>',
    ],
)
def test_the_author_is_who_the_page_names(head):
    assert stated(head).author == "Ada Lovelace"


def test_an_author_that_is_an_address_is_none():
    assert stated('<meta property="article:author" content="https://facebook.com/ada">').author is None


@pytest.mark.parametrize(
    ("head", "body"),
    [
        ('<meta property="article:published_time" content="1843-09-05T10:00:00+01:00">', ""),
        ('<meta itemprop="datePublished" content="1843-09-05T09:00:00Z">', ""),
        ('<meta name="dc.date.issued" content="1843-09-05T09:00:00">', ""),
        ("", '<time datetime="1843-09-05T09:00:00Z">September</time>'),
        ('<script type="application/ld+json">{"@type": "Article", "datePublished": "1843-09-05T09:00Z"}</script>', ""),
    ],
)
def test_the_date_is_an_instant(head, body):
    assert stated(head, body).published_at == datetime(1843, 9, 5, 9, tzinfo=UTC)


def test_a_date_in_words_is_guessed_where_none_is_stated():
    tree = parse(f"<html><body><p class='date'>Published March 4, 2021</p><p>{PARAGRAPH}</p></body></html>")
    assert guessed_date(tree, page_metadata(tree, None)).published_at == datetime(2021, 3, 4, tzinfo=UTC)


def test_an_author_that_only_a_byline_names_is_guessed():
    page = f"<html><body><article><p class='byline'>By Ada Lovelace</p><p>{PARAGRAPH}</p></article></body></html>"
    assert extract(page).author == "Ada Lovelace"


@pytest.mark.parametrize(
    ("html", "language"),
    [
        ('<html lang="de-AT"><body>', "de"),
        ('<html><head><meta property="og:locale" content="fr_FR"></head><body>', "fr"),
        ("<html><body>", "en"),
    ],
)
def test_the_language_is_stated_or_told_from_the_words(html, language):
    assert extract(f"{html}<article><p>{PARAGRAPH}</p></article>").language == language


@pytest.mark.parametrize(
    ("head", "url", "canonical"),
    [
        ('<link rel="canonical" href="/a">', "https://x.org/a?utm=1", "https://x.org/a"),
        ('<meta property="og:url" content="https://x.org/b">', "https://x.org/b?c", "https://x.org/b"),
        ("", "https://x.org/c", "https://x.org/c"),
        ("", None, None),
        ('<link rel="canonical" href="http://[x">', "https://x.org/d", "https://x.org/d"),
    ],
)
def test_the_canonical_address_is_absolute(head, url, canonical):
    assert stated(head, url=url).canonical_url == canonical


@pytest.mark.parametrize("value", ["", None, "soon", "2021", "2021-13-01", "20-01-2021"])
def test_what_is_no_date_is_none(value):
    assert instant(value) is None


@pytest.mark.parametrize(
    "json", ["[" * 5000, '{"@type":', "null", '{"@graph": {"@graph": 3}}', '"x"', '{"author": {"name": []}}']
)
def test_broken_linked_data_is_no_error(json):
    assert stated(f'<title>x</title><script type="application/ld+json">{json}</script>').title == "x"
