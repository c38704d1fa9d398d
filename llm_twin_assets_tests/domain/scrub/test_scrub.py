import importlib.util
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_twin_assets.domain.scrub import Scrubber, scrub
from llm_twin_assets_tests.domain.scrub_examples import NEGATIVE, POSITIVE, TOKENS
from resources.errors import ConfigurationError

ALL = ("secrets", "email", "phone", "address", "payment", "national_id")
EXAMPLES = [(kind, text, clean) for kind, pairs in POSITIVE.items() for text, clean in pairs]
KEY = "AKIA" + "Q7XW2MN5TB3YH4CJ"


@pytest.mark.parametrize(("kind", "text", "clean"), EXAMPLES)
def test_what_is_private_is_replaced_and_counted_and_nothing_else(kind, text, clean) -> None:
    scrubbed = scrub(f"Before: {text}\nAfter.", ALL)
    assert scrubbed.text == f"Before: {clean}\nAfter."
    assert scrubbed.counts == {kind: 1}


@pytest.mark.parametrize("text", NEGATIVE)
def test_what_only_looks_private_stays_in_prose_and_in_code(text) -> None:
    assert scrub(text, ALL).text == text
    assert scrub(text, ALL, code=True).text == text


@pytest.mark.parametrize("token", TOKENS)
def test_tokens_are_found_in_code_in_html_and_in_quotes(token) -> None:
    assert scrub(f'key = "{token}"  # mine\n', ALL, code=True).text == 'key = "[secret]"  # mine\n'
    assert scrub(f"<p>use <code>{token}</code></p>", ALL).text == "<p>use <code>[secret]</code></p>"


def test_a_token_inside_an_encoded_file_is_none() -> None:
    encoded = f"iVBORw0KGgo{KEY}AAAANSUhEUg"
    assert scrub(encoded, ALL).text == encoded


def test_only_the_kinds_asked_for() -> None:
    text = f"a@b.se {KEY}"
    assert scrub(text, ("email",)).text == f"[email] {KEY}"
    assert scrub(text, ("secrets",)).text == "a@b.se [secret]"
    assert scrub(text, ()).text == text
    assert scrub(text, ()).counts == {}


def test_what_the_author_made_public_stays_however_it_is_written() -> None:
    allowed = ("Maya@Loom.se", "@maya.dev", "+46 8-123 456 78", "Storgatan 5, 114 32 Stockholm, Sweden")
    text = "maya@loom.se, anything@MAYA.dev, +46 (8) 12345678, Storgatan 5, 114 32 Stockholm"
    kept = "maya@loom.se, anything@MAYA.dev, [phone], Storgatan 5, 114 32 Stockholm"
    assert scrub(text.replace("(8) ", "8 "), ALL, allowed).counts == {}
    assert scrub(text.replace("(8) 12345678", "70 123 45 67"), ALL, allowed).text == kept


def test_what_is_allowed_is_compared_whole() -> None:
    text = "notmaya@loom.se maya@loom.se.org x@notmaya.dev"
    assert scrub(text, ALL, ("maya@loom.se", "@maya.dev")).counts == {"email": 3}


def test_a_secret_is_never_allowed() -> None:
    assert scrub(KEY, ALL, (KEY,)).text == "[secret]"


def test_addresses_and_bare_numbers_in_code_are_test_data() -> None:
    code = 'user = {"street": "12 Elm Street, Springfield, IL 62704", "id": "811218-9876"}\nx = y +46701234567\n'
    assert scrub(code, ALL, code=True).text == code
    assert scrub(code, ALL).counts == {"address": 1, "national_id": 1, "phone": 1}


def test_several_kinds_in_one_text_are_each_counted() -> None:
    text = "Write to maya@loom.se or bo@loom.se, ring +46 70 123 45 67, IBAN SE45 5000 0000 0583 9825 7466."
    scrubbed = scrub(text, ALL)
    assert scrubbed.text == "Write to [email] or [email], ring [phone], IBAN [payment]."
    assert scrubbed.counts == {"email": 2, "phone": 1, "payment": 1}


@pytest.mark.skipif(importlib.util.find_spec("presidio_analyzer") is not None, reason="the extra is installed")
def test_presidio_without_its_extra_says_how_to_install_it() -> None:
    with pytest.raises(ConfigurationError, match=r"presidio.*not installed.*llm-twin\[presidio\]"):
        scrub("Maya", (*ALL, "presidio"))


PIECES = st.sampled_from(
    [
        *(each for _, text, clean in EXAMPLES for each in (text, clean)),
        *NEGATIVE,
        *(
            " ",
            "\n",
            ",",
            ".",
            "-",
            "+",
            "(",
            ")",
            "@",
            "/",
            ":",
            "=",
            '"',
            "'",
            "<b>",
            "&",
            "password",
            "tel",
            "12",
            "St",
        ),
    ]
)


@settings(max_examples=150, deadline=None)
@given(st.lists(PIECES | st.text(max_size=5), max_size=6).map("".join), st.booleans())
def test_scrubbing_twice_changes_nothing_more(text: str, code: bool) -> None:
    once = scrub(text, ALL, code=code).text
    assert scrub(once, ALL, code=code).text == once


@given(st.text())
def test_a_text_without_findings_is_the_same_object_in_every_byte(text: str) -> None:
    scrubbed = scrub(text, ALL)
    assert scrubbed.counts or scrubbed.text == text


HOSTILE = """
a@|a@b.|1|4444 |+1 |password=|token: '|://a:|eyJ|-----BEGIN PRIVATE KEY-----|1 Aa |12 Elm Street, |tel:1234567 |curl -u
<|SK0123456789abcdef|Agatan | |GB29|[at]
"""


@pytest.mark.parametrize("unit", HOSTILE.strip().replace("\n", "|").split("|"))
def test_hostile_repetition_costs_time_linear_in_its_length(unit) -> None:
    scrubber = Scrubber.of(ALL)

    def seconds(size: int) -> float:
        start = time.process_time()
        scrubber.scrub((unit * size)[:size])
        return time.process_time() - start

    seconds(1_000)
    # Quadratic cost would be 64 times as much; half a second is what a busy machine adds.
    assert seconds(80_000) < 24 * seconds(10_000) + 0.5
