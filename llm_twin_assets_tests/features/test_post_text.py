"""A post keeps its hashtags, mentions and line breaks; the card that a platform appends for a link goes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_twin_assets.domain.document import Category
from llm_twin_assets.features.clean import clean
from llm_twin_assets.features.post_text import without_card, without_card_elements

SAID = "We rewrote the loom's scheduler.\n\n  It's twice as fast — see below."


@pytest.fixture
def cleaned_post(make_raw):
    def cleaned(text, platform="linkedin", media_type="text/plain", listing=""):
        return clean(make_raw(text, category=Category.POST, platform=platform, media_type=media_type, listing=listing))

    return cleaned


def test_linkedins_markup_for_hashtags_and_mentions_becomes_what_was_typed(cleaned_post):
    thanks = "Thanks @[Ada Lovelace](urn:li:person:a-B_9) and @[ACME](urn:li:organization:42)!"
    cleaned = cleaned_post(f"{thanks}\n\n{{hashtag|\\#|Weaving}} {{hashtag|#|loom}}")
    assert cleaned.text == "Thanks @Ada Lovelace and @ACME!\n\n#Weaving #loom"
    assert cleaned.tags == ("loom", "weaving")


def test_linkedins_backslashes_go_only_where_the_text_is_written_with_them(cleaned_post):
    assert cleaned_post("f\\(x\\) \\_is\\_ fine {hashtag|\\#|math}").text == "f(x) _is_ fine #math"
    assert cleaned_post("f\\(x\\) is fine", listing="changes").text == "f(x) is fine"
    # Typed so by hand: the other characters would be escaped as well.
    assert cleaned_post("grep '\\(x\\)' (GNU) #grep").text == "grep '\\(x\\)' (GNU) #grep"
    assert cleaned_post("{hashtag|\\#|x} grep '\\(x\\)' (GNU)").text == "#x grep '\\(x\\)' (GNU)"
    assert cleaned_post("C\\_x {hashtag|#|x}", platform="x").text == "C\\_x {hashtag|#|x}"


@pytest.mark.parametrize(
    "card",
    [
        "The Loom, Rewritten\nexample.com",
        "The Loom, Rewritten\nHow a scheduler became fast.\nblog.example.co.uk",
        "The Loom, Rewritten\nexample.com • 5 min read",
        "https://lnkd.in/eXyZ12_a",
        "https://t.co/abcDEF1234",
    ],
)
def test_a_link_card_at_the_end_goes_and_nothing_else(cleaned_post, card):
    assert cleaned_post(f"{SAID}\n\n{card}\n").text == SAID


@pytest.mark.parametrize(
    "text",
    [
        f"{SAID}\n\nRead it at https://t.co/abcDEF1234",
        f"{SAID}\n\nhttps://example.com/the-loom",
        f"{SAID}\n\n#loom\nexample.com",
        f"{SAID}\n\n- one\n- example.com",
        f"{SAID}\n\nexample.com",
        f"{SAID}\n\nWe moved to\nexample.com. Tell your friends.",
        "https://t.co/abcDEF1234",
        "\n\nThe Loom\nexample.com",
    ],
)
def test_a_link_that_the_author_wrote_stays(cleaned_post, text):
    assert cleaned_post(text).text == text.lstrip("\n")


def test_a_card_in_html_goes_with_all_that_is_in_it(cleaned_post):
    html = (
        "<p>We rewrote the loom.<br>Twice as fast. #loom</p>"
        '<a class="status-card" href="https://e.org"><strong>The Loom</strong><span>How it became fast</span></a>'
    )
    assert cleaned_post(html, platform="mastodon", media_type="text/html").text == (
        "We rewrote the loom.  \nTwice as fast. #loom"
    )
    alone = '<div class="link-preview"><p>The Loom</p></div>'
    assert without_card_elements(alone) == alone
    assert without_card_elements("<p>My status-card is red.</p>").count("status-card is red") == 1


@given(st.text(max_size=300))
def test_what_is_left_is_how_the_post_begins(text):
    kept = without_card(text)
    assert text.startswith(kept)
    assert bool(kept.strip()) == bool(text.strip())
