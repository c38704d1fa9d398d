import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_twin_assets.collection.connector import Quarantined
from llm_twin_assets.collection.reading.decoding import decode, decode_html


@pytest.mark.parametrize(
    ("stated", "encoding"),
    [("latin-1", "cp1252"), ("ISO-8859-1", "cp1252"), ("windows-1251", "cp1251"), ("Shift_JIS", "shift_jis")],
)
def test_a_page_is_read_in_the_encoding_that_it_states(stated, encoding) -> None:
    text = f'<meta charset="{stated}"><p>' + {"cp1251": "ткать", "shift_jis": "織る"}.get(encoding, "“café”")
    assert decode_html(text.encode(encoding), "x") == text
    old = f'<META http-equiv=Content-Type content="text/html; charset={stated}">' + text
    assert decode_html(old.encode(encoding), "x") == old


def test_a_page_that_states_nothing_or_nonsense_is_utf_8_or_quarantined() -> None:
    assert decode_html("<p>æ".encode(), "x") == "<p>æ"
    assert decode_html('<meta charset="klingon">æ'.encode(), "x") == '<meta charset="klingon">æ'
    assert decode_html(b'\xef\xbb\xbf<meta charset="latin-1">\xc3\xa6', "x") == '<meta charset="latin-1">æ'
    assert isinstance(decode_html(b"<p>\xe9", "x"), Quarantined)
    assert isinstance(decode_html(b'<meta charset="rot13">\xe9', "x"), Quarantined)


@given(st.binary())
def test_any_bytes_are_text_or_quarantined(data: bytes) -> None:
    for read in (decode, decode_html):
        assert isinstance(read(data, "x"), str | Quarantined)
        assert isinstance(read(b"<meta charset=" + data, "x"), str | Quarantined)
