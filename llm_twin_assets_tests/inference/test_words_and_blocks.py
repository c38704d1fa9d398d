from hypothesis import given
from hypothesis import strategies as st

from llm_twin_assets.inference.blocks import blocks, fenced, open_fence
from llm_twin_assets.inference.words import content_words, sentences

MARKDOWN = st.text(alphabet="ab1 .!?\n`~#-*>\t\"'é", max_size=200)


@given(MARKDOWN)
def test_sentences_are_exact_spans_in_order(text: str):
    at = 0
    for sentence in sentences(text):
        assert text[sentence.start : sentence.end] == sentence.text
        assert sentence.start >= at
        at = sentence.end


@given(MARKDOWN)
def test_blocks_hold_everything_but_blanks(text: str):
    at = 0
    for block in blocks(text):
        assert not text[at : block.start].strip()
        assert text[block.start : block.end].strip()
        at = block.end
    assert not text[at:].strip()


@given(MARKDOWN)
def test_code_in_a_fence_cannot_leave_it(code: str):
    assert open_fence(fenced(code)) is None
    assert [block.kind for block in blocks(fenced(code))] == ["code"]


def test_sentences_do_not_end_at_abbreviations_or_decimals():
    text = "It took 3.5 s on e.g. the slow one. Then it stopped! Why?"
    assert [each.text for each in sentences(text)] == [
        "It took 3.5 s on e.g. the slow one.",
        "Then it stopped!",
        "Why?",
    ]


def test_a_fence_is_one_block_blank_lines_included():
    text = "Before:\n```python\na = 1\n\nb = 2\n```\nafter\n\n- one\n- two\n\n## Title\nbody"
    found = [(block.kind, text[block.start : block.end]) for block in blocks(text)]
    assert found == [
        ("prose", "Before:"),
        ("code", "```python\na = 1\n\nb = 2\n```"),
        ("prose", "after"),
        ("list", "- one\n- two"),
        ("heading", "## Title"),
        ("prose", "body"),
    ]


def test_content_words_fold_plural_and_possessive_and_drop_the_rest():
    assert content_words("The twin's chunks are classes of 3 buses") == ("twin", "chunk", "classe", "3", "buse")
