"""Which lists are asked for what, diversity, and the words of a question."""

import numpy as np
import pytest

from llm_twin_assets.domain.chunk import FoundChunk
from llm_twin_assets.features.query_rewriting import Rewritten
from llm_twin_assets.features.retrieve import Retrieval, diverse, fuse, retrieve, text_query
from resources.vector_store import Hit


def hit(chunk, document="d", score=1.0):
    row = {"chunk_id": chunk, "document_id": document, "category": "article", "platform": "files", "url": None}
    return Hit(row | {"title": "T", "context": "", "start": 0, "end": 1, "text": chunk}, score)


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


class Recorded:
    """An index of two chunks that remembers what it was asked."""

    def __init__(self):
        self.asked = []

    def dense(self, vector, k, filters):
        self.asked.append(("dense", [round(each, 4) for each in vector]))
        return [hit("a", "one", 0.9), hit("b", "two", 0.5)]

    def text(self, query, k, filters):
        self.asked.append(("text", query))
        return [hit("b", "two", 9.0), hit("a", "one", 5.0)]

    def count(self):
        return 2


class Letters:
    """Each text as the direction of its first letter."""

    def encode(self, texts):
        return np.asarray([[text[0] == "x", text[0] == "y"] for text in texts], dtype=np.float32)


class LongestFirst:
    def scores(self, question, texts):
        return np.asarray([len(text) + (5 if text.endswith("b") else 0) for text in texts], dtype=np.float32)


def test_an_empty_question_finds_nothing_without_asking_index_or_model():
    assert retrieve(None, None, " \n", 5) == []


def test_both_lists_are_asked_and_say_where_each_chunk_stood_in_them():
    index = Recorded()
    found = retrieve(index, Letters(), "x looms", 2)
    assert sorted(index.asked) == [("dense", [1.0, 0.0]), ("text", "x looms")]
    assert {each.chunk_id: (each.dense_rank, each.text_rank) for each in found} == {"a": (1, 2), "b": (2, 1)}
    assert all(each.score == each.fused_score for each in found)


@pytest.mark.parametrize(("weightless", "asked"), [("dense_weight", "text"), ("text_weight", "dense")])
def test_a_list_without_weight_is_not_asked_for(weightless, asked):
    index = Recorded()
    found = retrieve(index, Letters(), "x looms", 2, how=Retrieval(**{weightless: 0.0}))
    assert [part for part, _ in index.asked] == [asked]
    assert [each.chunk_id for each in found] == (["a", "b"] if asked == "dense" else ["b", "a"])


def test_a_cross_encoder_has_the_last_word():
    found = retrieve(Recorded(), Letters(), "x", 2, how=Retrieval(text_weight=0.0), cross_encoder=LongestFirst())
    assert [each.chunk_id for each in found] == ["b", "a"]
    assert [each.rerank_score for each in found] == [6.0, 1.0]
    assert [each.score for each in found] == [6.0, 1.0]


def test_a_rewriter_says_what_either_list_is_asked_for():
    index = Recorded()
    retrieve(index, Letters(), "z", 2, rewriter=lambda question: Rewritten(("x", "y"), f"{question} loom"))
    assert sorted(index.asked) == [("dense", [0.7071, 0.7071]), ("text", "z loom")]


def test_a_long_document_gives_no_more_than_its_share():
    assert [type(each) for each in retrieve(Recorded(), Letters(), "x", 1)] == [FoundChunk]
