"""Fusion by rank, diversity, and the words of a question."""

import pytest

from llm_twin_assets.features.retrieve import Retrieval, diverse, fuse, retrieve, text_query
from resources.vector_store import Hit


def hit(chunk, document="d"):
    row = {"chunk_id": chunk, "document_id": document, "category": "article", "platform": "files", "url": None}
    return Hit(row | {"title": "T", "context": "", "start": 0, "end": 1, "text": chunk}, 1.0)


def test_a_chunk_in_both_lists_beats_the_first_of_either():
    found = fuse([hit("a"), hit("b")], [hit("c"), hit("b")])
    assert [each.chunk_id for each in found] == ["b", "a", "c"]
    assert found[0].score == pytest.approx(2 / 62)
    assert (found[0].dense_rank, found[0].text_rank) == (2, 2)
    assert (found[2].dense_rank, found[2].text_rank) == (None, 1)


def test_a_weight_of_zero_leaves_the_other_list():
    found = fuse([hit("a")], [hit("b")], Retrieval(dense_weight=0.0))
    assert [each.chunk_id for each in found] == ["b", "a"]
    assert found[1].score == 0


def test_one_document_does_not_crowd_out_the_others():
    found = fuse([hit("a1", "a"), hit("a2", "a"), hit("a3", "a"), hit("b1", "b")], [])
    assert [each.chunk_id for each in diverse(found, 3, 2)] == ["a1", "a2", "b1"]


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("How do I install the engine's cards?", "install engine cards"),
        ("Who are you?", "who are you"),
        ('"quoted" AND (a:b) OR -c*', "quoted b c"),
        ("Wie webt die Maschine?", "wie webt die maschine"),
        ("?!", ""),
    ],
)
def test_stop_words_are_not_searched_for_unless_there_are_no_others(question, words):
    assert text_query(question) == words


class Nothing:
    def dense(self, vector, k, filters):
        return []

    def text(self, query, k, filters):
        return []

    def count(self):
        return 0


def test_an_empty_question_finds_nothing_without_asking_the_model():
    assert retrieve(Nothing(), None, " \n", 5) == []
