"""Chunks: exact spans, complete, never too long, whatever the text and whatever the tokenizer."""

import re
import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_twin_assets.domain.document import Category, CleanedDocument
from llm_twin_assets.features.chunk import chunk_document, chunker, chunking_digest
from llm_twin_assets.features.index_rows import document_hash

MAX = 40
LANGUAGES = ("python", "rust", "go", "cpp", "c", "java", "javascript", "typescript", "markdown", "cobol", None)

# Two tokenizers that disagree: words and marks, and bytes (whose counts do not add up).
COUNTS = [
    lambda text: len(re.findall(r"\w+|[^\w\s]", text)) + 2,
    lambda text: -(-len(text.encode()) // 3) + 2,
]

PIECES = st.sampled_from(
    [
        "# Heading\n", "## Second *level*\n", "Setext\n======\n", "\n", "\n\n", "```python\n", "```\n", "~~~\n",
        "def f(a, b=1):\n    return a\n", "class A:\n    def g(self):\n        pass\n", "- item\n  more\n",
        "| a | b |\n|---|---|\n", "A sentence. Another one! And a third?\n", "x" * 200,
        "日本語の文章です。" * 9, "🎉" * 30, "word " * 50, "\t", "\r\n", "\u2028", "    indented\n", "> quoted\n",
        "It's \"exact\" — isn't it?\n", "> ~~~\n", "# naïve 👩🏽‍🚀\n", "fn f(a: &str) -> u8 {\n    1\n}\n",
        "class B { int c() { return 1; } };\n", "func (r *T) D(x int) error {\n\treturn nil\n}\n", "}\n", "שלום עולם. ",
    ]
)  # fmt: skip
TEXTS = st.one_of(st.lists(PIECES, min_size=1, max_size=25).map("".join), st.text(min_size=1, max_size=300))


def document(text, category=Category.ARTICLE, title="On engines", language=None):
    return CleanedDocument(
        "id", "ada", "files", category, None, title, text, None, language, None, "a/b.py", None, 1, "h", "r", "c"
    )


def assert_chunks(text, chunks, count, most):
    position = 0
    for chunk in chunks:
        assert text[chunk.start : chunk.end] == chunk.text
        assert chunk.text.strip()
        assert count(chunk.embedded_text) <= most
        assert not text[position : chunk.start].strip()
        position = chunk.end
    assert not text[position:].strip()
    assert [chunk.ordinal for chunk in chunks] == list(range(len(chunks)))
    assert len({chunk.chunk_id for chunk in chunks}) == len(chunks)


@pytest.mark.parametrize("count", COUNTS, ids=["words", "bytes"])
@given(text=TEXTS, category=st.sampled_from(Category), title=st.text(max_size=120), language=st.sampled_from(LANGUAGES))
@settings(max_examples=150, deadline=None)
def test_chunks_are_exact_complete_disjoint_and_fit(count, text, category, title, language):
    chunks = chunk_document(document(text, category, title, language), count, MAX)
    assert_chunks(text, chunks, count, MAX)


@given(text=TEXTS, category=st.sampled_from(Category), language=st.sampled_from(LANGUAGES), overlap=st.integers(1, 9))
@settings(max_examples=100, deadline=None)
def test_chunks_that_overlap_are_exact_complete_in_order_and_fit(text, category, language, overlap):
    count = COUNTS[0]
    chunks = chunk_document(document(text, category, "T", language), count, MAX, overlap)
    position = 0
    for before, chunk in zip([None, *chunks], chunks, strict=False):
        assert text[chunk.start : chunk.end] == chunk.text
        assert count(chunk.embedded_text) <= MAX
        assert not text[position : chunk.start].strip()
        assert before is None or (chunk.start > before.start and chunk.end > before.end)
        position = chunk.end
    assert not text[position:].strip()


def test_a_chunk_repeats_the_end_of_the_one_before_it_from_the_beginning_of_a_word():
    text = " ".join(f"word{n}" for n in range(90))
    chunks = chunk_document(document(text, Category.POST), COUNTS[0], MAX, 6)
    assert len(chunks) > 2
    for before, chunk in pairwise(chunks):
        assert 1 <= COUNTS[0](text[chunk.start : before.end]) - 2 <= 6
        assert text[chunk.start - 1] == " "


def test_sections_do_not_overlap():
    filler = "These words fill the section so that it stands alone. " * 5
    text = f"## One\n\n{filler}\n\n## Two\n\n{filler}"
    first, second = chunk_document(document(text), COUNTS[0], 90, 20)
    assert second.text.startswith("## Two")
    assert first.end <= second.start


def test_the_digest_of_chunking_follows_the_rules_and_the_configuration():
    assert chunking_digest(220, 0) == chunking_digest(220)
    digests = {chunking_digest(size, overlap) for size in (200, 220) for overlap in (0, 9)}
    assert len(digests) == 4
    assert len(chunker()) == 16


@given(code=st.lists(st.sampled_from(["a = 1", "b", "", "# not a heading", "  c"]), min_size=1, max_size=6))
@settings(max_examples=60, deadline=None)
def test_a_fence_that_fits_is_never_split(code):
    fence = "```sh\n" + "\n".join(code) + "\n```"
    text = f"# One\n\n{'words here ' * 15}\n\n{fence}\n\n{'more words ' * 15}\n"
    count = COUNTS[0]
    chunks = chunk_document(document(text, title="T"), count, 60)
    assert any(fence in chunk.text for chunk in chunks)


def test_the_context_of_an_article_is_its_title_and_headings_and_the_first_chunk_holds_the_heading():
    filler = "These words fill the section so that it stands alone. " * 5
    text = f"Opening. {filler}\n\n## Cards\n\n{filler}\n\n### Operation cards\n\n{filler}\n\n## Store\n\n{filler}"
    chunks = chunk_document(document(text, title="The engine"), COUNTS[0], 90)
    assert [chunk.context for chunk in chunks] == [
        "The engine",
        "The engine › Cards",
        "The engine › Cards › Operation cards",
        "The engine › Store",
    ]
    assert chunks[2].text.startswith("### Operation cards")


def test_sections_too_small_to_stand_alone_share_a_chunk_under_their_common_heading():
    text = "## Tips\n\n### One\n\nShort.\n\n### Two\n\nAlso short.\n"
    [chunk] = chunk_document(document(text, title="Notes"), COUNTS[0], 90)
    assert chunk.context == "Notes › Tips"


def test_a_hash_inside_a_fence_is_no_heading():
    text = "```sh\n# install\n```\n\nAfter it."
    [chunk] = chunk_document(document(text, title="T"), COUNTS[0], 90)
    assert chunk.context == "T"


def test_a_post_that_fits_is_one_chunk_without_context():
    text = "Shipped!\n\n#loom @charles\n\nIt weaves."
    [chunk] = chunk_document(document(text, Category.POST, "Shipped!"), COUNTS[0], 90)
    assert (chunk.text, chunk.context) == (text, "")


def test_a_megabyte_without_a_blank_is_cut_in_reasonable_time():
    text = "x" * 1_000_000
    started = time.process_time()
    chunks = chunk_document(document(text), COUNTS[1], 220)
    assert time.process_time() - started < 5
    assert_chunks(text, chunks, COUNTS[1], 220)


@pytest.mark.parametrize(
    "text",
    [
        "", "x", "\n \n", "🎉" * 30_000, "שלום עולם. مرحبا بالعالم؟ " * 4_000, "words in one line, no end " * 4_000,
        "A line.\n" * 10_000, "\n" * 60_000, "# h\n" * 50_000, "```\n" + "code line\n" * 9_000, "a\u0301" * 60_000,
        "\x00\x01ÿ�\x7f" * 40_000, "(" * 60_000, "{\n" * 60_000, "> quoted\n" * 9_000, "- " * 60_000,
    ],
    ids=[
        "empty", "one character", "blank", "emoji", "right to left", "one line", "lines", "line ends", "headings",
        "open fence", "accents", "binary", "parentheses", "braces", "quotation", "list marks",
    ],
)  # fmt: skip
@pytest.mark.parametrize("category", Category)
def test_whatever_the_text_it_is_cut_completely_and_in_reasonable_time(text, category):
    started = time.process_time()
    chunks = chunk_document(document(text, category, "T", "python"), COUNTS[1], 220)
    assert time.process_time() - started < 5
    assert_chunks(text, chunks, COUNTS[1], 220)


def test_a_text_four_times_as_long_takes_about_four_times_as_long():
    def seconds(times):
        text = "".join(f"## Part {n}\n\n{'Some words of it, and more. ' * 30}\n\n" for n in range(times))
        started = time.process_time()
        chunk_document(document(text), COUNTS[1], 220)
        return time.process_time() - started

    seconds(50)
    assert seconds(800) < 4 * 2.5 * max(0.05, seconds(200))


def test_an_emoji_of_several_code_points_is_not_torn():
    text = "👩🏽‍🚀" * 300
    for chunk in chunk_document(document(text, Category.POST), COUNTS[1], 60):
        assert chunk.text.startswith("👩")
        assert chunk.text.endswith("🚀")


def test_a_long_fence_is_cut_between_lines():
    code = "".join(f"    value_{n} = compute({n}, other)\n" for n in range(60))
    text = f"# One\n\nWords.\n\n```python\n{code}```\n"
    chunks = chunk_document(document(text, title="T"), COUNTS[0], 90)
    assert_chunks(text, chunks, COUNTS[0], 90)
    for chunk in chunks[1:]:
        assert text[chunk.start - 1] == "\n"


def test_nothing_is_longer_than_the_real_model_reads(minilm):
    text = "\n\n".join(
        f"## Part {n}\n\n" + "Tokenization of antidisestablishmentarianism, e.g. ∮ E⋅da = Q. " * n for n in range(9)
    )
    chunks = chunk_document(document(text + "\n\n" + "a" * 9000), minilm.token_count, 220)
    assert_chunks(text + "\n\n" + "a" * 9000, chunks, minilm.token_count, 220)


def test_a_document_is_out_of_date_when_the_overlap_changes():
    hashes = {document_hash(document("a"), "model", 220, overlap) for overlap in (0, 20)}
    assert len(hashes) == 2
    assert document_hash(document("a"), "model", 220) in hashes
