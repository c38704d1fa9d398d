"""Sitemaps are read whole or not at all: half of one would look as if the rest had been taken off the site."""

import gzip
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_twin_assets.collection.reading import sitemaps
from llm_twin_assets.collection.reading.sitemaps import Located, SitemapError, is_sitemap, read_sitemap

URL = "https://maya.example/sitemap.xml"
NAMESPACE = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
PAGES = f"""<?xml version="1.0" encoding="UTF-8"?><?xml-stylesheet href="x.xsl"?><!-- made by hand -->
<urlset {NAMESPACE} xmlns:image="http://www.google.com/schemas/sitemap-image/1.1">
<url><loc> https://maya.example/a?x=1&amp;y=2 </loc><lastmod>2024-03-05</lastmod>
<image:image><image:loc>https://maya.example/a.png</image:loc></image:image></url>
<url><loc>https://maya.example/b</loc></url><url><loc>ftp://maya.example/c</loc></url></urlset>""".encode()
EXPECTED = (Located("https://maya.example/a?x=1&y=2", "2024-03-05"), Located("https://maya.example/b"))
INDEX = (
    f"<sitemapindex {NAMESPACE}><sitemap><loc>https://maya.example/1.xml.gz</loc><lastmod>2024</lastmod></sitemap>"
    "</sitemapindex>"
).encode()


@pytest.mark.parametrize("data", [PAGES, gzip.compress(PAGES), b"\n" + PAGES])
def test_pages_come_with_their_last_change(data) -> None:
    assert read_sitemap(data, URL).pages == EXPECTED


def test_an_index_names_further_sitemaps() -> None:
    found = read_sitemap(INDEX, URL)
    assert (found.pages, found.sitemaps) == ((), (Located("https://maya.example/1.xml.gz", "2024"),))


def test_a_plain_list_is_a_sitemap_too() -> None:
    assert read_sitemap(b"https://maya.example/a\nhttps://maya.example/b\n", URL).pages == (
        Located("https://maya.example/a"),
        Located("https://maya.example/b"),
    )


def test_a_sitemap_is_told_by_its_content() -> None:
    assert [is_sitemap(data) for data in (PAGES, gzip.compress(PAGES), INDEX, b"<html>", b"\x1f\x8bx", b"")] == [
        True, True, True, False, False, False,
    ]  # fmt: skip


@pytest.mark.parametrize("data", [PAGES[:-30], gzip.compress(PAGES)[:-20], b"<html></html>", b"", b"\x1f\x8bnonsense"])
def test_what_is_cut_or_no_sitemap_is_a_typed_error(data) -> None:
    with pytest.raises(SitemapError):
        read_sitemap(data, URL)


def test_a_bomb_is_not_unpacked(monkeypatch) -> None:
    monkeypatch.setattr(sitemaps, "MAX_BYTES", 10_000)
    with pytest.raises(SitemapError, match="unpacks to more than"):
        read_sitemap(gzip.compress(b" " * 100_000), URL)


def test_entities_are_left_alone(tmp_path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("https://maya.example/hidden")
    text = f"""<!DOCTYPE u [<!ENTITY x SYSTEM "{secret.as_uri()}"><!ENTITY y "https://maya.example/y">]>
    <urlset><url><loc>&x;</loc></url><url><loc>&y;</loc></url><url><loc>https://maya.example/z</loc></url></urlset>"""
    assert read_sitemap(text.encode(), URL).pages == (Located("https://maya.example/z"),)


@settings(max_examples=80, deadline=None)
@given(st.integers(0, len(PAGES)), st.integers(0, 40), st.binary(max_size=20))
def test_no_damage_breaks_the_reader(at, length, put) -> None:
    with suppress(SitemapError):
        read_sitemap(PAGES[:at] + put + PAGES[at + length :], URL)


@settings(max_examples=80, deadline=None)
@given(st.sampled_from([b"", b"<urlset>", b"\x1f\x8b\x08\x00", b"https://"]), st.binary(max_size=200))
def test_no_bytes_break_the_reader(start, rest) -> None:
    with suppress(SitemapError):
        read_sitemap(start + rest, URL)
