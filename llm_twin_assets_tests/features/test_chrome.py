"""Page chrome goes, whole lines of it; the author's words, Markdown and code stay character by character."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_twin_assets.features.chrome import without_chrome
from llm_twin_assets.features.clean import clean
from llm_twin_assets_tests.benchmarks.labelled_pages import kept, labelled_pages

PAGES = {page.name: page for page in labelled_pages()}
MEDIUM_BAR = (
    "Looms | NotesOpen in appSign upSign inWriteSign upSign inWhy.Ada·FollowPublished inN·7 min read·May 4ListenShare"
)
SHARE_BAR = "Share this post\n\n#### Looms\n\nloom.substack.com\n\nCopy link\n\nFacebook\n\nEmail\n\nNote\n\nOther"

# What an author may well write, one block after the other, each near to what a rule reads.
OWN_WORDS = (
    "You'd subscribe to it too if you had seen it weave.",
    "Subscribe",
    "Email",
    "9",
    "Share what you make of it, but read the cards first.",
    "Share it: a loom wants oil, not praise.",
    "First published in 1843, the notes say nothing of dust.",
    "This site uses cookies only to remember your loom.",
    "We use cookies because a weaver's hands are full.",
    "Powered by steam, the engine never tires of it.",
    "Copy link by link, and the chain holds.",
    "Home is where the loom is.",
    "Next: the shuttle's speed.",
    "# Comments",
    "## 3 responses to a critic",
    "## Recommended",
    "### Related articles\n\n- [Cards](https://ada.example.org/cards)",
    "## Conclusion",
    "* * *",
    "---",
    "- Facebook\n- Twitter\n- Email",
    "> Follow\n> the thread",
    "| Name | Email |\n|---|---|\n| Ada | ada@example.org |",
    "```\nSubscribeSign in\n\nShare this post\n```",
    "    Share this post\n    Copy link",
    "Line one  \nline two — “so” it's…",
    "1. Sign in\n2. Open *Settings*\n3. Subscribe to updates",
    "Ada Lovelace",
    "Jun 12, 2024",
    "Thanks for reading this far!",
    "See you next Thursday.",
)


@pytest.mark.parametrize("name", PAGES)
def test_of_a_labelled_page_the_chrome_goes_and_the_rest_stays(make_raw, name):
    page = PAGES[name]
    cleaned = clean(make_raw(page.text, title=None))
    outcome = kept(page, cleaned.title, cleaned.text)
    assert outcome.lost == ()
    assert outcome.apostrophes[0] == outcome.apostrophes[1]
    assert outcome.code[0] == outcome.code[1]
    assert len(outcome.chrome) <= 0.05 * outcome.chrome_lines


@pytest.mark.parametrize("name", PAGES)
def test_cleaning_what_is_clean_changes_nothing(make_raw, name):
    once = without_chrome(PAGES[name].text)
    assert without_chrome(once) == once
    cleaned = clean(make_raw(PAGES[name].text, title="Looms"))
    assert clean(make_raw(cleaned.text, title=cleaned.title)).text == cleaned.text


@pytest.mark.parametrize("words", OWN_WORDS)
def test_an_authors_own_words_stay_however_near_they_come_to_a_rule(words):
    text = f"The engine weaves.\n\n{words}\n\nIt tires of nothing."
    assert without_chrome(text) == text
    assert without_chrome(words) == words


def _is_code_everywhere(blocks: list[str]) -> bool:
    """Behind a list an indented block is the last item's own text (CommonMark 0.31, 5.2), in which rules do look."""
    last_lines = (block.rsplit("\n", 1)[-1] for block in blocks)
    return not any(
        after.startswith("    ") and line.startswith(("- ", "3. "))
        for line, after in zip(last_lines, blocks[1:], strict=False)
    )


@given(
    st.lists(st.sampled_from(OWN_WORDS), max_size=12).filter(_is_code_everywhere),
    st.sampled_from(("\n\n", "\n\n\n", "\n \n")),
)
def test_a_document_without_chrome_comes_out_identical(blocks, gap):
    text = gap.join(blocks)
    assert without_chrome(text) == text


@given(
    st.lists(
        st.one_of(st.sampled_from(OWN_WORDS), st.just(SHARE_BAR), st.just(MEDIUM_BAR), st.text(max_size=60)), max_size=8
    )
)
def test_whatever_the_page_twice_is_once(blocks):
    once = without_chrome("\n\n".join(blocks))
    assert without_chrome(once) == once


@given(st.text(max_size=300))
def test_whatever_the_text_nothing_is_added(text):
    left = without_chrome(text)
    assert len(left) <= len(text)
    if "share" not in text.casefold():
        assert left == text or len(left) < len(text)


def test_a_row_of_buttons_goes_from_between_paragraphs_that_stay_as_they_are():
    text = f"One  \nline.\n\n\n{SHARE_BAR}\n\nTwo\tlines.\n"
    assert without_chrome(text) == "One  \nline.\n\n\nTwo\tlines.\n"


def test_a_rule_is_looked_for_in_no_code():
    fence = "```text\nShare this post\n\nCopy link\n```"
    indented = "    Share this post\n\n    Copy link"
    listed = "- a list\n\n        Share this post"
    behind_a_break = f"* * *\n\n{indented}"
    behind_a_fence = f"- a list\n\n{fence}\n\n{indented}"
    for code in (fence, indented, listed, behind_a_break, behind_a_fence):
        text = f"{SHARE_BAR}\n\nWords.\n\n{code}\n\nMore words."
        assert without_chrome(text) == f"Words.\n\n{code}\n\nMore words."


@pytest.mark.parametrize(
    "line",
    [
        "*Originally published at [loom.example.org](https://loom.example.org/p) on March 3, 2022.*",
        "Originally published at https://loom.example.org/p.",
        "This article was originally published on [The Loom](https://loom.example.org).",
        "Also published on Medium.",
        "Thanks for reading The Loom! Subscribe for free to receive new posts and support my work.",
        "[Skip to content](#content)",
        "We use cookies to improve your experience. By continuing, you accept our Cookie Policy.",
        "© 2019-2024 Ada Byron. All rights reserved.",
        "Proudly powered by [WordPress](https://wordpress.org)",
    ],
)
def test_what_is_chrome_on_any_site_goes_by_itself(line):
    assert without_chrome(f"{line}\n\nThe engine weaves.") == "The engine weaves."
    assert without_chrome(f"The engine weaves.\n\n{line}") == "The engine weaves."


def test_other_peoples_comments_go_where_a_form_shows_what_they_are():
    text = "The engine weaves.\n\n## 3 responses to a critic\n\nBob says: no."
    assert without_chrome(text) == text
    form = "### Leave a Reply\n\nYour email address will not be published. Required fields are marked *"
    assert without_chrome(f"{text}\n\n{form}") == "The engine weaves."


def test_a_platforms_rules_are_for_its_own_pages_alone():
    text = "Ready for more?\n\nDiscover more from your loom\n\nNo posts"
    assert without_chrome("Words.\n\nReady for more?\n\nWords.") == "Words.\n\nReady for more?\n\nWords."
    assert without_chrome(f"Words.\n\n{text}\n\n{SHARE_BAR}") == "Words."


def test_a_menu_on_top_or_at_the_end_goes_and_a_list_of_the_authors_places_stays():
    menu = "[Home](/)\n\n[Blog](/blog)\n\n[About](/about)"
    assert without_chrome(f"{menu}\n\nThe engine weaves.") == "The engine weaves."
    assert without_chrome(f"The engine weaves.\n\n{menu}") == "The engine weaves."
    assert without_chrome("  * Home\n  * Blog\n  * About\n\nThe engine weaves.") == "The engine weaves."
    places = "The engine weaves. Find me on:\n\n- Twitter\n- LinkedIn\n- GitHub"
    assert without_chrome(places) == places
    assert without_chrome("Home\n\nBlog\n\nAbout") == "Home\n\nBlog\n\nAbout"


def test_the_sentence_before_a_glued_bar_stays():
    bar = "Share this postLoomsloom.substack.comCopy linkFacebookEmailNoteOtherShare"
    assert without_chrome(f"Share this post with a weaver!{bar}It weaves.") == (
        "Share this post with a weaver!\n\nIt weaves."
    )


def test_a_page_of_many_megabytes_is_left_alone_at_once():
    text = "Share this post\n\n" * 200_000
    assert without_chrome(text) is text
