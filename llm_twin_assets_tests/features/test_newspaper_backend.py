"""newspaper3k as backend: it finds the article, asks no one, and the rest of the page's reading stays the same."""

import socket
import sys

import pytest

from llm_twin_assets.features.clean import clean, cleaner
from llm_twin_assets.features.extract import extract
from llm_twin_assets.features.incremental import clean_changed
from llm_twin_assets_tests.features.test_extract import PAGE, PARAGRAPH
from resources.errors import ConfigurationError


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    def refuse(*arguments, **options):
        raise AssertionError("asked the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def test_it_finds_the_article_with_its_code_and_metadata():
    page = extract(PAGE, "https://ada.example/looms", "newspaper")
    assert (page.title, page.author, page.language) == ("On looms", "Ada Lovelace", "en")
    assert page.text.startswith(PARAGRAPH.strip())
    assert "```rust\nfn main() {\n    let x = &1; // `tick`\n\n}\n```" in page.markdown
    assert "Cookies" not in page.markdown
    assert "About us" not in page.markdown


@pytest.mark.parametrize("language", ["de", "tlh"])
def test_a_language_it_has_no_words_of_is_no_error(language):
    assert "Jacquard" in extract(PAGE.replace('lang="en-GB"', f'lang="{language}"'), None, "newspaper").text


def test_it_follows_no_redirect_and_loads_no_picture():
    page = PAGE.replace("<head>", '<head><meta http-equiv="refresh" content="0;url=http://203.0.113.1/">')
    assert (
        "Jacquard" in extract(page.replace("<h2>", '<img src="http://203.0.113.1/x.png"><h2>'), None, "newspaper").text
    )


def test_where_it_is_not_installed_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "newspaper.article", None)
    with pytest.raises(ConfigurationError, match=r"llm-twin\[newspaper\]"):
        extract(PAGE, None, "newspaper")


def test_choosing_it_cleans_pages_again_and_others_not_twice(make_raw):
    raw = [make_raw(PAGE, media_type="text/html", platform="web")]
    before = clean_changed(raw, [])
    after = clean_changed(raw, before.documents, "newspaper")
    assert (before.cleaned, after.cleaned) == (1, 1)
    assert cleaner("newspaper") != cleaner()
    assert after.documents[0].text == clean(raw[0], "newspaper").text
    assert clean_changed(raw, after.documents, "newspaper").cleaned == 0
