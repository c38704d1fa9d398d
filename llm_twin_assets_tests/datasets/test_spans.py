from hypothesis import given, settings
from hypothesis import strategies as st

from llm_twin_assets.datasets.spans import Span, closing_paragraphs, fences, paragraphs, passages, trimmed
from llm_twin_assets.datasets.words import word_count

PIECES = st.sampled_from(
    ["one two three", "a", "\n\n", "\n", "```\ncode\n\nmore\n```", "  ", "four five\nsix", "so:", "~~~\n```\n\n"]
)
TEXTS = st.lists(PIECES, max_size=12).map("".join)


@settings(max_examples=60, deadline=None)
@given(TEXTS, st.integers(1, 20))
def test_passages_cover_the_text_without_overlap(text: str, max_words: int) -> None:
    found = passages(text, Span(0, len(text)), max_words)
    assert "".join("".join(each.of(text).split()) for each in found) == "".join(text.split())
    assert all(each.of(text) == each.of(text).strip() != "" for each in found)


@settings(max_examples=60, deadline=None)
@given(TEXTS, st.integers(1, 20))
def test_a_passage_is_too_long_only_if_its_paragraph_is(text: str, max_words: int) -> None:
    span = trimmed(text, Span(0, len(text)))
    whole = {trimmed(text, each) for each in paragraphs(text, span)}
    for each in passages(text, span, max_words):
        assert word_count(each.of(text)) <= max_words or each in whole


@settings(max_examples=60, deadline=None)
@given(TEXTS, st.integers(1, 20))
def test_closing_paragraphs_are_a_trimmed_end_of_the_text(text: str, max_words: int) -> None:
    end = closing_paragraphs(text, Span(0, len(text)), max_words).of(text)
    assert text.strip().endswith(end)
    assert bool(end) == bool(text.strip())


def test_paragraphs_are_taken_whole_and_spread_evenly() -> None:
    text = "\n\n".join(f"one two three four {number}" for number in range(6))
    assert [word_count(each.of(text)) for each in passages(text, Span(0, len(text)), 14)] == [10, 10, 10]


def test_what_ends_in_a_colon_stays_with_what_it_announces() -> None:
    text = "one two three four five six\n\nlike this:\n\n```\ncode of some words\n```"
    parts = [each.of(text) for each in passages(text, Span(0, len(text)), 12)]
    assert parts == ["one two three four five six", "like this:\n\n```\ncode of some words\n```"]


def test_a_fence_is_never_cut() -> None:
    text = "intro\n\n```py\na = 1\n\nb = 2\n```\n\nend"
    parts = [each.of(text) for each in passages(text, Span(0, len(text)), 2)]
    assert parts == ["intro", "```py\na = 1\n\nb = 2\n```", "end"]


def test_a_fence_ends_where_one_of_its_kind_closes_it() -> None:
    text = "~~~~\n```\n~~~\n~~~~\n\nprose\n\n```\nopen to the end\n"
    assert [each.of(text) for each in fences(text, Span(0, len(text)))] == [
        "~~~~\n```\n~~~\n~~~~",
        "```\nopen to the end\n",
    ]


def test_trimming_blanks_leaves_an_empty_span_inside() -> None:
    assert trimmed("a   b", Span(1, 4)).of("a   b") == ""
