import contextlib
from datetime import date

import yaml
from hypothesis import given
from hypothesis import strategies as st

from llm_twin_assets.collection.reading.front_matter import FrontMatterError, first_heading, split_page


@given(st.text())
def test_any_text_is_a_page_or_a_located_error(text: str) -> None:
    with contextlib.suppress(FrontMatterError):
        page = split_page(text)
        assert text.endswith(page.body)
        assert page.fields or page.body == text or not page.fields
        _ = (page.title, page.published_at, page.url, page.is_draft)


@given(
    st.dictionaries(
        st.sampled_from(["title", "date", "tags"]),
        st.one_of(st.text(alphabet=st.characters(codec="ascii")), st.dates(), st.integers()),
        min_size=1,
    ),
    st.text(alphabet=st.characters(codec="utf-8", categories=["L", "N", "P"]), min_size=1),
)
def test_what_yaml_wrote_is_read_and_the_body_is_exact(fields: dict[str, str | date | int], body: str) -> None:
    page = split_page(f"---\n{yaml.safe_dump(fields)}---\n\n{body}")
    assert page.fields == fields
    assert page.body == body


def test_prose_between_thematic_breaks_is_not_front_matter() -> None:
    text = "---\nJust prose.\n---\nMore.\n"
    assert split_page(text).body == text


def test_tags_are_lists_or_words_between_commas_wherever_a_generator_keeps_them() -> None:
    assert split_page("---\ntags: [Rust, 2024, {a: b}]\ncategories: weaving, looms ,\n---\n").tags == (
        "Rust", "2024", "weaving", "looms",
    )  # fmt: skip
    assert split_page("+++\n[taxonomies]\ntags = ['zola']\n+++\n").tags == ("zola",)
    assert split_page("---\ntags: 3\ntaxonomies: none\n---\n").tags == ()


def test_an_unclosed_fence_is_text() -> None:
    assert split_page("---\nno end\n").body == "---\nno end\n"


def test_windows_line_ends_are_front_matter_too() -> None:
    page = split_page("---\r\ntitle: A\r\n---\r\nText\r\n")
    assert (page.title, page.body) == ("A", "Text\r\n")


def test_the_first_heading_is_outside_code_and_may_be_underlined() -> None:
    assert first_heading("~~~\n# no\n```\n~~~\n# yes #\n") == "yes"
    assert first_heading("Title\n=====\n\n# later\n") == "Title"
    assert first_heading("## only second\n#hashtag\n") is None
