"""Distances of sentence length, punctuation and vocabulary from the author's own prose."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_twin_assets.evaluation.measures.profiles import (
    PUNCTUATION,
    SENTENCES,
    VOCABULARY,
    Profile,
    profile_measures,
    punctuation_distance,
    sentence_distance,
    vocabulary_distance,
)
from llm_twin_assets_tests.evaluation.written import author_texts, output, sample

TEXTS = [text for text in author_texts().values() if len(text) > 3000]
AUTHOR = Profile.of(TEXTS[::2])
STIFF = (
    "Returns the value of the parameter (name: str) -> int. Raises: ValueError if the value of it is not valid. " * 20
)


def test_the_authors_other_texts_are_nearer_than_a_strangers():
    own = Profile.of(TEXTS[1::2])
    stranger = Profile.of([STIFF])
    for distance in (sentence_distance, punctuation_distance, vocabulary_distance):
        assert distance(own, AUTHOR) < distance(stranger, AUTHOR)


def test_sentences_are_as_far_apart_as_they_differ_in_words():
    short, long = Profile.of(["I wait. I wait."]), Profile.of(["I wait here for you. I wait there for them."])
    assert short.sentences == (2, 2)
    assert sentence_distance(short, long) == 3
    assert sentence_distance(long, long) == 0


def test_texts_without_a_word_in_common_are_as_far_apart_as_can_be():
    one, other = Profile.of(["loom ferry"]), Profile.of(["tensor array"])
    assert vocabulary_distance(one, other) == pytest.approx(1)
    assert vocabulary_distance(one, one) == pytest.approx(0)
    # Half in common: the divergence is half a bit, the distance its root.
    assert vocabulary_distance(one, Profile.of(["loom tensor"])) == pytest.approx(math.sqrt(0.5))


def test_layout_links_and_code_are_no_habits():
    plain = Profile.of(["See the loom, please."])
    laid_out = Profile.of(["# See the [loom](http://a.b/c?d=e), *please*.\n\n```python\nx = {1: [2]}\n```\n"])
    assert plain == laid_out


def test_a_documents_answers_have_one_profile():
    prose = sample("I once cut every page after five hundred characters, and the point was lost.")
    code = sample("def f(x):\n    return x * x if x else sum(range(10))", document="d2", language="python")
    measured = profile_measures([output("I wait.", prose), output("I wait. You go.", prose), output("x", code)], AUTHOR)
    assert {measure: [each.document_id for each in values] for measure, values in measured.items()} == {
        SENTENCES: ["d1"],
        PUNCTUATION: ["d1"],
        VOCABULARY: ["d1"],
    }


def test_no_text_is_as_far_as_can_be():
    [nothing] = profile_measures([output("")], AUTHOR)[VOCABULARY]
    assert nothing.value == 1
    assert profile_measures([output("")], AUTHOR)[SENTENCES][0].value > 5


@settings(max_examples=40)
@given(st.text(max_size=80), st.text(max_size=80))
def test_distances_are_symmetric_and_bounded(one, other):
    one, other = Profile.of([one]), Profile.of([other])
    for distance in (punctuation_distance, vocabulary_distance):
        assert 0 <= distance(one, other) <= 1 + 1e-9
        assert distance(one, other) == pytest.approx(distance(other, one), abs=1e-9)
