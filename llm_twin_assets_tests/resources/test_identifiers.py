"""The words of identifiers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.identifiers import with_parts


@pytest.mark.parametrize(
    ("identifier", "parts"),
    [
        ("readConfigFile", "read Config File"),
        ("ReadConfigFile", "Read Config File"),
        ("parseHTTPResponse", "parse HTTP Response"),
        ("HTTPServerError", "HTTP Server Error"),
        ("base64Decode", "base64 Decode"),
        ("readFile", "read File"),
    ],
)
def test_words_follow_the_identifier_that_they_make(identifier, parts):
    assert with_parts(identifier) == f"{identifier} {parts}"


def test_what_stands_around_an_identifier_stays():
    assert with_parts("this.cache.readFile(path_toFile);") == ("this.cache.readFile read File(path_toFile to File);")


@pytest.mark.parametrize(
    "text",
    ["GitHub", "DataFrame", "iPhone", "PDFs", "API", "read_config_file", "sha256", "Straße", "設定", "", "aB" * 40],
)
def test_names_acronyms_and_plain_words_stay_as_they_are(text):
    assert with_parts(text) == text


@given(st.text())
def test_nothing_that_was_there_is_lost(text):
    rest = iter(with_parts(text))
    assert all(letter in rest for letter in text)
