"""Addresses: which are one page, which are of one site, which may be an article's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_twin_assets.collection.reading import web_addresses
from llm_twin_assets.collection.reading.canonical_url import url_key


@pytest.mark.parametrize(
    "spelling",
    [
        "https://maya.example/On-Looms/",
        "http://MAYA.example:80/On-Looms",
        "https://maya.example/On-Looms?utm_source=rss&utm_medium=x#part",
        "https://maya.example//On-Looms",
    ],
)
def test_spellings_of_one_address_have_one_key(spelling) -> None:
    assert url_key(spelling) == "https://maya.example/On-Looms"


def test_parameters_that_name_the_page_stay() -> None:
    assert url_key("https://maya.example/?p=2") != url_key("https://maya.example/?p=3")


@pytest.mark.parametrize(
    ("url", "same"),
    [
        ("https://www.maya.example/a", True),
        ("http://blog.maya.example/a", True),
        ("https://maya.example.evil.example/a", False),
        ("https://evilmaya.example/a", False),
        ("https://maya.example:8443/a", False),
        ("https://maya.example@evil.example/a", False),
        ("mailto:maya@maya.example", False),
        ("https://[", False),
    ],
)
def test_a_site_is_its_host_and_what_is_below_it(url, same) -> None:
    assert web_addresses.same_site(url, [web_addresses.host("https://www.maya.example/")]) is same


@pytest.mark.parametrize(
    "path",
    ["/2024/05/on-looms/", "/on-looms.html", "/blog/on-looms/index.html", "/archive/2024/on-looms", "/about", "/?p=12",
     "/blog/category-theory", "/p/tags-considered", "/posts/42"],
)  # fmt: skip
def test_articles_look_like_articles(path) -> None:
    assert web_addresses.looks_like_article(f"https://maya.example{path}")


@pytest.mark.parametrize(
    "path",
    ["", "/", "/index.html", "/tag/looms/", "/category/looms", "/author/maya/", "/page/2/", "/blog/page/3", "/2024/05/",
     "/2024", "/blog/", "/tags", "/feed/", "/a.png", "/rss.xml", "/archive/"],
)  # fmt: skip
def test_listings_and_files_do_not(path) -> None:
    assert not web_addresses.looks_like_article(f"https://maya.example{path}")


def test_patterns_are_of_the_path_or_of_the_whole_address() -> None:
    url = "https://maya.example/blog/looms"
    assert web_addresses.matches(url, ["/blog/*"])
    assert web_addresses.matches(url, ["https://maya.example/*"])
    assert not web_addresses.matches(url, ["/notes/*", "blog/*"])


@given(st.text(max_size=60))
def test_no_address_breaks_them(text) -> None:
    for url in (text, f"https://{text}", f"https://maya.example/{text}"):
        url_key(url)
        web_addresses.same_site(url, ["maya.example"])
        web_addresses.looks_like_article(url)
        web_addresses.folder(url)
        web_addresses.is_front(url)
        web_addresses.matches(url, ["/*"])
