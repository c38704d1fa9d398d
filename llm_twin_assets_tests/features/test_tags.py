"""Tags are the hashtags of posts, and what front matter and pages of articles state; lower case, each once."""

import pytest

from llm_twin_assets.domain.document import Category
from llm_twin_assets.domain.tables import CLEANED_SCHEMA, RAW_SCHEMA, cleaned_documents, raw_documents, to_table
from llm_twin_assets.features.clean import clean
from llm_twin_assets.features.tags import hashtags

PROSE = "The engine weaves algebraic patterns just as the loom weaves flowers and leaves."


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("#Loom and #loom_2, (#weaving)!", ["Loom", "loom_2", "weaving"]),
        ("#हिन्दी #日本語 ＃タグ #žluťoučký #Ärger", ["हिन्दी", "日本語", "タグ", "žluťoučký", "Ärger"]),
        ("see #12, owner/repo#loom, https://e.org/#top, &#39; &#x27; C# #", []),
        ("# Heading\n## Another", []),
        ("```c\n#include <x>\n```\n`#define`", []),
        ("paint it #ff0000 or #0af, this #decade", ["decade"]),
        ("#one#two ##three", ["one"]),
        ("#100DaysOfCode #a11y", ["100DaysOfCode", "a11y"]),
    ],
)
def test_hashtags_are_words_behind_a_number_sign(text, tags):
    assert hashtags(text) == tags


@pytest.mark.parametrize(
    "front",
    [
        "---\ntitle: On looms\ntags: [Rust, 'data  science']\ncategories:\n  - Weaving\n---\n",
        "+++\ntitle = 'On looms'\ntags = ['Rust', 'Weaving']\n[taxonomies]\ncategories = ['data science']\n+++\n",
        "---\ntitle: On looms\nkeywords: rust, Data Science, weaving,\n---\n",
    ],
)
def test_front_matter_is_no_text_and_its_tags_and_title_are_kept(make_raw, front):
    cleaned = clean(make_raw(f"{front}\n{PROSE}\n", platform="github"))
    assert (cleaned.text, cleaned.title) == (PROSE, "On looms")
    assert cleaned.tags == ("data science", "rust", "weaving")


def test_what_only_looks_like_front_matter_is_text(make_raw):
    for text in (f"---\n{PROSE}\n---\n\nMore.", f"---\na: [\n---\n{PROSE}", f"+++\n= x\n+++\n{PROSE}"):
        assert clean(make_raw(text, platform="github", title="T")).text == text
    # A file's front matter was read when it was collected: what stands there now is the author's.
    parted = f"---\nnote: this\n---\n{PROSE}"
    assert clean(make_raw(parted, platform="files", title="T")).text == parted


def test_tags_that_collection_read_and_a_pages_own_come_together(make_raw):
    page = (
        "<html><head><title>T</title><meta property='article:tag' content='Looms'>"
        '<meta content="Weaving, B&amp;W" name="parsely-tags"></head>'
        f"<body><article><p>{PROSE}</p><p>{PROSE} Again.</p></article></body></html>"
    )
    raw = make_raw(page, media_type="text/html", platform="web", tags=("#Cards",))
    assert clean(raw).tags == ("b&w", "cards", "looms", "weaving")


def test_code_has_no_tags(make_raw):
    raw = make_raw("# loom #weaving\nx = 1\n", category=Category.CODE, media_type="text/x-python", path="a.py")
    assert clean(raw).tags == ()


def test_tags_flags_and_marks_survive_the_tables(make_raw):
    raw = make_raw(PROSE, tags=("A", "b"))
    assert raw_documents(to_table([raw], RAW_SCHEMA)) == [raw]
    old = to_table([raw], RAW_SCHEMA).drop_columns(["tags"])
    assert raw_documents(old)[0].tags == ()
    cleaned = clean(raw)
    assert cleaned_documents(to_table([cleaned], CLEANED_SCHEMA)) == [cleaned]
    old = to_table([cleaned], CLEANED_SCHEMA).drop_columns(["tags", "flags", "duplicate_of", "signature"])
    assert cleaned_documents(old)[0].signature == b""
