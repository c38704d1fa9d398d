from hypothesis import given
from hypothesis import strategies as st

from llm_twin_assets.datasets.spans import Span, leading_paragraphs, trimmed

PIECES = st.sampled_from(["one two three", "a", "\n\n", "\n", "```\ncode\n\nmore\n```", "  ", "four five\nsix"])
TEXTS = st.lists(PIECES, max_size=12).map("".join)


@given(TEXTS, st.integers(1, 20))
def test_leading_paragraphs_are_a_trimmed_start_of_the_text(text: str, max_words: int) -> None:
    answer = leading_paragraphs(text, Span(0, len(text)), max_words).of(text)
    assert text.strip().startswith(answer)
    assert answer == answer.strip()
    assert bool(answer) == bool(text.strip())


def test_paragraphs_are_taken_whole_while_they_fit() -> None:
    text = "one two\n\nthree four\n\nfive six"
    assert leading_paragraphs(text, Span(0, len(text)), 4).of(text) == "one two\n\nthree four"


def test_the_first_paragraph_is_taken_however_long() -> None:
    assert leading_paragraphs("one two three", Span(0, 13), 1).of("one two three") == "one two three"


def test_a_fence_is_never_cut() -> None:
    text = "intro\n\n```py\na = 1\n\nb = 2\n```\n\nend"
    assert leading_paragraphs(text, Span(0, len(text)), 2).of(text) == "intro"
    assert leading_paragraphs(text, Span(0, len(text)), 9).of(text) == "intro\n\n```py\na = 1\n\nb = 2\n```"


def test_trimming_blanks_leaves_an_empty_span_inside() -> None:
    assert trimmed("a   b", Span(1, 4)).of("a   b") == ""
