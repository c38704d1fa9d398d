"""Chunks grown to the sections they stand in, every character at its place."""

import pytest

from llm_twin_assets.domain.chunk import FoundChunk
from llm_twin_assets.features.chunk import chunk_document
from llm_twin_assets.features.retrieve_sections import merged, neighbours, whole_sections

ARTICLE = """# Looms

A loom holds the warp under tension.

## Warping

Count the threads before you warp. One thread too few shows late. Tie a knot after every tenth thread.

Forty heddles take four threads each. The reed keeps them apart. Wind the warp with a helper.

- first the back beam
- then the front beam

## Weaving

The shuttle carries the weft. Beat it once, and open the next shed before the shuttle returns.
"""


class Chunked:
    """An index over the chunks of documents."""

    def __init__(self, *documents, max_tokens=24, overlap=0):
        self.rows = [
            {"chunk_id": each.chunk_id, "document_id": each.document_id, "context": each.context, "start": each.start,
             "end": each.end, "ordinal": each.ordinal, "text": each.text}
            for document in documents
            for each in chunk_document(document, lambda text: len(text.split()) + 2, max_tokens, overlap)
        ]  # fmt: skip

    def neighbours(self, document, first, last):
        return [each for each in self.rows if each["document_id"] == document and first <= each["ordinal"] <= last]

    def found(self, words):
        row = next(row for row in self.rows if words in row["text"])
        return FoundChunk(category="article", platform="files", url=None, title="T", score=1.0, **row)


def assert_exact(text, section):
    """Every character that is no blank is the document's, at its place."""
    there = text[section.start : section.end]
    assert len(section.text) == len(there)
    assert [
        each for each in zip(section.text, there, strict=True) if each[0] != each[1] and not each[1].isspace()
    ] == []
    assert section.text.split() == there.split()


@pytest.mark.parametrize("overlap", [0, 6])
def test_a_chunk_grows_to_its_section_and_no_further(make_cleaned, overlap):
    index = Chunked(make_cleaned(ARTICLE), overlap=overlap)
    chunk = index.found("Tie a knot")
    [section] = whole_sections(index, [chunk], 4000)
    assert section.end - section.start > chunk.end - chunk.start
    assert "Count the threads" in section.text
    assert "then the front beam" in section.text
    assert "shuttle" not in section.text
    assert section.chunk_id == chunk.chunk_id
    assert_exact(ARTICLE, section)


def test_paragraphs_and_indentation_come_back_as_they_were(make_cleaned):
    index = Chunked(make_cleaned("\n\n".join(f"Paragraph {n} about looms and yarn." for n in range(9))))
    [section] = whole_sections(index, [index.found("Paragraph 4")], 4000)
    assert section.text == "\n\n".join(f"Paragraph {n} about looms and yarn." for n in range(9))


def test_two_chunks_of_a_section_come_back_as_one(make_cleaned):
    index = Chunked(make_cleaned(ARTICLE))
    found = [index.found("Tie a knot"), index.found("shuttle carries"), index.found("front beam")]
    sections = whole_sections(index, found, 4000)
    assert [each.chunk_id for each in sections] == [found[0].chunk_id, found[1].chunk_id]


def test_a_section_is_cut_to_size_around_the_chunk(make_cleaned):
    text = "\n\n".join(f"Paragraph {n} tells of looms, of yarn and of the patience both take." for n in range(40))
    index = Chunked(make_cleaned(text))
    chunk = index.found("Paragraph 20 ")
    [section] = whole_sections(index, [chunk], 500)
    assert section.end - section.start <= 500
    assert section.start <= chunk.start
    assert chunk.end <= section.end
    assert_exact(text, section)
    assert whole_sections(index, [chunk], 10)[0].text == chunk.text


def test_another_documents_chunks_stay_out(make_cleaned):
    index = Chunked(make_cleaned(ARTICLE, name="one"), make_cleaned(ARTICLE, name="two"))
    [section] = whole_sections(index, [index.found("Tie a knot")], 4000)
    assert section.document_id == index.rows[0]["document_id"]
    assert_exact(ARTICLE, section)


def test_a_chunk_without_a_place_stays_as_it_is(make_cleaned):
    chunk = FoundChunk("c", "d", "article", "files", None, "T", "", 0, 4, "text", 1.0)
    assert whole_sections(Chunked(make_cleaned(ARTICLE)), [chunk], 100) == [chunk]


def test_neighbours_are_of_the_same_section_and_the_nearest_come_first(make_cleaned):
    text = "\n\n".join(f"Paragraph {n} tells of looms, of yarn and of the patience both take." for n in range(9))
    index = Chunked(make_cleaned(text))
    found = [index.found("Paragraph 4"), index.found("Paragraph 0"), index.found("Paragraph 5")]
    paragraphs = [each.text.split()[1] for each in neighbours(index, found, 2)]
    assert sorted(paragraphs[:3]) == ["1", "3", "6"]
    assert sorted(paragraphs[3:]) == ["2", "7"]
    article = Chunked(make_cleaned(ARTICLE))
    around = neighbours(article, [article.found("Tie a knot")], 9)
    assert any("front beam" in each.text for each in around)
    assert not any("shuttle" in each.text or "under tension" in each.text for each in around)


@pytest.mark.parametrize("overlap", [0, 8])
def test_what_follows_upon_each_other_is_joined_and_no_text_comes_twice(make_cleaned, overlap):
    text = " ".join(f"Sentence {n} tells of looms and of yarn." for n in range(30))
    index = Chunked(make_cleaned(text), overlap=overlap)
    best, next_best = index.found("Sentence 20 "), index.found("Sentence 9 ")
    passages = merged([best, next_best, *neighbours(index, [best, next_best], 1)])
    assert [each.chunk_id for each in passages] == [best.chunk_id, next_best.chunk_id]
    for each in passages:
        assert_exact(text, each)
        numbers = [int(word) for word in each.text.split() if word.isdigit()]
        assert numbers == list(range(numbers[0], numbers[-1] + 1))


def test_passages_apart_stay_apart_and_in_order(make_cleaned):
    index = Chunked(make_cleaned(ARTICLE, name="one"), make_cleaned(ARTICLE, name="two"))
    apart = [index.found("shuttle carries"), index.found("under tension")]
    assert merged(apart) == apart
