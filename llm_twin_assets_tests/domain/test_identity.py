import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from llm_twin_assets.domain.identity import content_hash, digest, digest_of_set, document_id, normalized


def test_the_same_piece_of_two_authors_is_two_documents() -> None:
    assert document_id("maya", "https://example.com/a") != document_id("noor", "https://example.com/a")


def test_a_document_keeps_its_identity_for_good() -> None:
    # A literal: were it ever to change, every warehouse in the world would double its rows.
    assert document_id("maya", "https://example.com/a") == "6d110d2e-830d-5819-b2e3-e6b25de665d7"


def test_line_ends_and_unicode_form_do_not_change_the_hash() -> None:
    assert content_hash("café\r\nau lait  \n") == content_hash(unicodedata.normalize("NFD", "café\nau lait"))


def test_an_apostrophe_does() -> None:
    assert content_hash("the author's") != content_hash("the authors")


def test_moving_text_from_title_to_body_does() -> None:
    assert content_hash("a", "b c") != content_hash("a b", "c")


@given(st.text())
def test_normalizing_twice_is_normalizing_once(text: str) -> None:
    assert normalized(normalized(text)) == normalized(text)


@given(st.dictionaries(st.text(), st.integers() | st.text()))
def test_a_digest_does_not_depend_on_the_order_of_keys(value: dict[str, int | str]) -> None:
    assert digest(value) == digest(dict(reversed(value.items())))


@given(st.sets(st.text()))
def test_a_digest_of_a_set_does_not_depend_on_its_order(items: set[str]) -> None:
    assert digest_of_set(items) == digest_of_set(reversed(list(items)))
