"""Cleaning keeps the author's words, Markdown and code exactly, and drops what the platform added."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_twin_assets.domain.document import Category
from llm_twin_assets.features.clean import clean, cleaner, first_words, without_title
from llm_twin_assets.features.errors import CleaningError
from llm_twin_assets.features.incremental import clean_changed

PROSE = "The engine weaves algebraic patterns just as the Jacquard loom weaves flowers and leaves, we may say."


def test_markdown_is_kept_character_by_character(make_raw):
    text = f"{PROSE}\n\n* a_b **c**  \nnext — it's “so”…\n\n```py\nx = 1   \n\n\n\ty\n```\n\n<details>raw</details>"
    assert clean(make_raw(f"\ufeff\r\n{text}\n".replace("\n", "\r\n"), title="T")).text == text


def test_a_leading_heading_that_repeats_the_title_is_dropped_and_becomes_the_title(make_raw):
    cleaned = clean(make_raw(f"# On *Looms*!\n\n{PROSE}", title=None))
    assert (cleaned.title, cleaned.text) == ("On *Looms*!", PROSE)
    assert without_title("On Looms\n========\n\nText", "On looms") == "Text"
    assert without_title("# Another\n\nText", "On looms") == "# Another\n\nText"


def test_a_document_that_is_only_its_title_keeps_it(make_raw):
    assert clean(make_raw("# Looms", title="Looms")).text == "# Looms"


def test_a_post_keeps_lines_hashtags_and_mentions_and_is_named_by_its_first_words(make_raw):
    text = f"{PROSE}\n\n#loom @charles 🎉\n  indented"
    cleaned = clean(make_raw(text, category=Category.POST, media_type="text/plain", platform="linkedin"))
    assert cleaned.text == text
    assert cleaned.title == "The engine weaves algebraic patterns just as the Jacquard loom weaves…"


def test_code_is_kept_byte_by_byte_and_named_by_its_path(make_raw):
    code = "\n\tif x:\r\n\t\treturn  1   \n\n\n"
    cleaned = clean(make_raw(code, category=Category.CODE, media_type="text/x-python", path="a/b.py"))
    assert (cleaned.text, cleaned.title, cleaned.language) == (code, "a/b.py", None)


def test_a_platform_body_loses_the_platforms_boxes_alone(make_raw):
    html = f"""<h3 class="graf--title">Looms</h3><p>{PROSE} It&#8217;s *so* a_b &lt;T&gt;.<br>Next line.</p>
    <div class="subscription-widget-wrap"><p>Subscribe now</p><form><input></form></div>
    <p class="button-wrapper"><a class="button" href="https://x.org">Share</a></p>
    <pre data-code-block-lang="python"><code>def f():<br>    return "a  *b*"</code></pre><ul><li>one</li></ul>"""
    cleaned = clean(make_raw(html, title="Looms", platform="medium", media_type="text/html"))
    assert cleaned.text == (
        f'{PROSE} It’s *so* a_b <T>.  \nNext line.\n\n```python\ndef f():\n    return "a  *b*"\n```\n\n- one'
    )


def test_mediums_hidden_first_rule_goes_and_its_subtitle_is_no_heading(make_raw):
    divider = '<div class="section-divider"><hr class="section-divider"></div>'
    html = (
        f'<section>{divider}<h3 class="graf--title">Looms</h3><h4 class="graf graf--subtitle">Why they weave</h4>'
        f"<p>{PROSE}</p></section><section>{divider}<p>End.</p></section>"
    )
    cleaned = clean(make_raw(html, title="Looms", platform="medium", media_type="text/html"))
    assert cleaned.text == f"Why they weave\n\n{PROSE}\n\n---\n\nEnd."


@pytest.mark.parametrize(
    ("text", "language"),
    [
        (PROSE, "en"),
        ("Die Maschine webt algebraische Muster, so wie der Webstuhl Blumen und Blätter webt.", "de"),
        ("Ship it!", None),
        ("```\n" + "variable cards and operation cards\n" * 9 + "```", None),
    ],
)
def test_the_language_is_told_from_prose_where_there_is_enough(make_raw, text, language):
    assert clean(make_raw(text, title="T")).language == language


@pytest.mark.parametrize("content", ["", " \n\t", "\ufeff\n"])
def test_a_document_without_text_cannot_be_cleaned(make_raw, content):
    for category in Category:
        with pytest.raises(CleaningError):
            clean(make_raw(content, category=category, title="T", path="p"))


@given(st.text(min_size=1, max_size=400))
def test_the_first_words_are_one_short_line(text):
    words = first_words(text)
    assert len(words) <= 72
    assert "\n" not in words
    assert bool(words) == bool(text.strip())


def test_only_new_and_changed_documents_are_cleaned_again(make_raw):
    raw = [make_raw(f"{PROSE} {name}", name=name, title="T") for name in ("a", "b", "c")]
    before = clean_changed(raw, [])
    assert before.cleaned == 3
    after = clean_changed([*raw[:2], make_raw("Other words.", name="c", title="T")], before.documents)
    assert after.cleaned == 1
    assert after.documents[:2] == before.documents[:2]
    assert {document.cleaner for document in after.documents} == {cleaner()}


def test_a_document_that_cannot_be_cleaned_any_more_stays_as_it_was(make_raw):
    before = clean_changed([make_raw(PROSE, title="T")], [])
    after = clean_changed([make_raw("", title="T")], before.documents)
    assert after.documents == before.documents
    [quarantined] = after.quarantined
    assert quarantined.place == "https://example.org/one"
