"""Two lists as one: by scores and by ranks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_twin_assets.features.fusion import fuse
from resources.settings import Retrieval
from resources.vector_store import Hit

RANKS = Retrieval(fusion="ranks")


def hit(chunk, score=1.0):
    row = {"chunk_id": chunk, "document_id": "d", "category": "article", "platform": "files", "url": None}
    return Hit(row | {"title": "T", "context": "", "start": 0, "end": 1, "text": chunk}, score)


def ids(found):
    return [each.chunk_id for each in found]


def test_by_rank_a_chunk_in_both_lists_beats_the_first_of_either():
    found = fuse([hit("a"), hit("b")], [hit("c"), hit("b")], RANKS)
    assert ids(found) == ["b", "a", "c"]
    assert found[0].score == pytest.approx(2 / 62)
    assert (found[0].dense_rank, found[0].text_rank) == (2, 2)
    assert (found[2].dense_rank, found[2].text_rank) == (None, 1)


def test_by_score_each_list_counts_as_a_share_of_its_best():
    found = fuse([hit("a", 0.8), hit("b", 0.6)], [hit("b", 20.0), hit("c", 5.0)])
    assert ids(found) == ["b", "a", "c"]
    assert [each.score for each in found] == pytest.approx([(0.75 + 1) / 2, 0.5, 0.125])
    assert (found[0].dense_score, found[0].text_score) == (0.6, 20.0)


def test_where_all_texts_are_about_as_near_the_words_decide():
    dense = [hit("a", 0.90), hit("b", 0.89), hit("c", 0.88)]
    text = [hit("c", 12.0), hit("b", 3.0)]
    assert ids(fuse(dense, text))[0] == "c"


def test_a_chunk_below_a_full_list_is_taken_to_score_as_its_last():
    how = Retrieval(candidates=2)
    found = fuse([hit("a", 1.0), hit("b", 0.8)], [hit("c", 2.0), hit("b", 1.0)], how)
    # Shares are counted from half the last score: of b (0.8 - 0.4) / (1 - 0.4) and (1 - 0.5) / (2 - 0.5).
    expected = {"a": (1 + 1 / 3) / 2, "b": (2 / 3 + 1 / 3) / 2, "c": (2 / 3 + 1) / 2}
    assert {each.chunk_id: each.score for each in found} == pytest.approx(expected)


@pytest.mark.parametrize("how", [Retrieval(dense_weight=0.0), Retrieval(dense_weight=0.0, fusion="ranks")])
def test_a_weight_of_zero_leaves_the_other_list(how):
    found = fuse([hit("a")], [hit("b")], how)
    assert ids(found) == ["b", "a"]
    assert found[1].score == 0


def test_no_hits_no_weights_and_scores_of_zero_are_no_error():
    assert fuse([], []) == []
    assert ids(fuse([hit("a", 0.0)], [hit("b", -1.0)])) == ["a", "b"]
    assert ids(fuse([hit("a")], [], Retrieval(dense_weight=0, text_weight=0))) == ["a"]


SCORES = st.lists(st.floats(-1, 50, allow_nan=False), max_size=8).map(lambda each: sorted(each, reverse=True))


@given(SCORES, SCORES, st.sampled_from(["scores", "ranks"]))
def test_every_chunk_comes_once_and_best_first(dense, text, fusion):
    found = fuse(
        [hit(f"c{place}", score) for place, score in enumerate(dense)],
        [hit(f"c{place + 3}", score) for place, score in enumerate(text)],
        Retrieval(fusion=fusion),
    )
    assert len(set(ids(found))) == len(found)
    scores = [each.score for each in found]
    assert scores == sorted(scores, reverse=True)
    if fusion == "scores":
        assert all(0 <= score <= 1 + 1e-9 for score in scores)
