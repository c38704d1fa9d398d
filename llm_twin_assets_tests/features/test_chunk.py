"""Chunks: exact spans, complete, never too long, whatever the text and whatever the tokenizer."""

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_twin_assets.domain.document import Category, CleanedDocument
from llm_twin_assets.features.chunk import chunk_document

MAX = 40

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
        "It's \"exact\" — isn't it?\n",
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
@given(text=TEXTS, category=st.sampled_from(Category), title=st.text(max_size=120))
@settings(max_examples=120, deadline=None)
def test_chunks_are_exact_complete_disjoint_and_fit(count, text, category, title):
    language = "python" if category is Category.CODE else None
    chunks = chunk_document(document(text, category, title, language), count, MAX)
    assert_chunks(text, chunks, count, MAX)


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


def test_python_is_cut_at_definitions_with_class_and_signature_as_context():
    body = "\n".join(f"        total += {n}" for n in range(30))
    first = f"@cached\ndef first(a: int) -> int:\n    return {'a + ' * 25}a\n"
    text = f"import os\n\n\n{first}\n\nclass Engine(Base):\n    def run(self, card):\n{body}\n"
    chunks = chunk_document(document(text, Category.CODE, language="python"), COUNTS[0], 70)
    assert_chunks(text, chunks, COUNTS[0], 70)
    assert next(chunk for chunk in chunks if "@cached" in chunk.text).text.startswith("@cached\ndef first")
    assert chunks[-1].context == "a/b.py › class Engine(Base) › def run(self, card)"


def test_code_that_is_not_valid_python_is_cut_at_blank_lines():
    text = "print 'old'\n\nfn main() {\n    go();\n}\n"
    chunks = chunk_document(document(text, Category.CODE, language="python"), COUNTS[0], 90)
    assert_chunks(text, chunks, COUNTS[0], 90)


def test_a_megabyte_without_a_blank_is_cut_in_reasonable_time():
    text = "x" * 1_000_000
    started = time.process_time()
    chunks = chunk_document(document(text), COUNTS[1], 220)
    assert time.process_time() - started < 5
    assert_chunks(text, chunks, COUNTS[1], 220)


def test_nothing_is_longer_than_the_real_model_reads(minilm):
    text = "\n\n".join(
        f"## Part {n}\n\n" + "Tokenization of antidisestablishmentarianism, e.g. ∮ E⋅da = Q. " * n for n in range(9)
    )
    chunks = chunk_document(document(text + "\n\n" + "a" * 9000), minilm.token_count, 220)
    assert_chunks(text + "\n\n" + "a" * 9000, chunks, minilm.token_count, 220)
