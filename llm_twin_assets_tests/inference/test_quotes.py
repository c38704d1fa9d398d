"""Quotes from sections that were joined of chunks are the document's own characters, blanks included."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_twin_assets.domain.document import Category
from llm_twin_assets.features.retrieve_sections import whole_sections
from llm_twin_assets.inference.quotes import best_block, best_quotes
from llm_twin_assets_tests.features.test_retrieve_sections import Chunked
from llm_twin_assets_tests.inference import tiny_twin
from resources.embedder import Embedder

WORDS = ("warp", "thread", "weft", "heddle", "shuttle")
# What may stand between two sentences, of which a joined section only knows the length.
BLANKS = st.sampled_from([" ", "\n", "\t", "  ", "\n\n", " \n", "\n\t", "\n\n\t", "\n \n", "\u00a0\n", "\r\n\r\n"])


def sections(text, category, path):
    document = tiny_twin.document("looms", category, "Looms", text, path=path)
    index = Chunked(document, max_tokens=24)
    return [whole_sections(index, [index.found(row["text"])], 4000)[0] for row in index.rows]


@settings(max_examples=60, deadline=None)
@given(blanks=st.lists(BLANKS, min_size=6, max_size=14), category=st.sampled_from([Category.ARTICLE, Category.CODE]))
def test_a_citation_is_exact_whatever_stands_between_the_chunks(blanks, category):
    sentences = [f"The {WORDS[n % 5]} of loom {n} takes three patient evenings to set up." for n in range(len(blanks))]
    text = "".join(sentence + blank for sentence, blank in zip(sentences, blanks, strict=True)).strip()
    for section in sections(text, category, "looms.sql" if category is Category.CODE else None):
        for sentence in sentences:
            quote = best_block(section, sentence)
            assert quote.text == text[section.start + quote.start : section.start + quote.end]


@pytest.mark.parametrize("category", [Category.ARTICLE, Category.CODE])
def test_what_is_quoted_in_a_models_stead_is_exact_too(embedder: Embedder, category):
    lead = "Setting up the loom of my grandmother takes these steps:"
    steps = [f"Step {n} ties {WORDS[n % 5]} number {n} to the back beam of the loom." for n in range(12)]
    text = "\n\t\n".join([lead, *steps])
    found = sections(text, category, "looms.sql" if category is Category.CODE else None)
    assert any(section.gaps for section in found)
    quotes = best_quotes("How do I set up the loom of my grandmother?", found, embedder)
    assert quotes
    for quote in quotes:
        start = quote.chunk.start
        assert quote.text == text[start + quote.start : start + quote.end]
