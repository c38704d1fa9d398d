"""Word F1, ROUGE-L and chrF against what the programs say whose definitions they are."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_twin_assets.evaluation.measures.answer_overlap import chrf, rouge_l, word_f1

# ROUGE-L of the first two is 3/4 and 2/4 in Lin's own example (2004, §3.1); all figures are those of rouge-score 0.1.2
# and sacrebleu 2.6.0.
PUBLISHED = [
    ("police kill the gunman", "police killed the gunman", 0.75, 0.762404),
    ("the gunman kill police", "police killed the gunman", 0.5, 0.624671),
    ("the gunman police killed", "police killed the gunman", 0.5, 0.855046),
    (
        "The quick brown fox jumped over the lazy dog.",
        "The fast brown fox jumps over the lazy dog.",
        0.777778,
        0.693894,
    ),
    ("ab", "abcdefgh", 0.0, 0.234043),
    (
        "Split by document before you make a single sample.",
        "I split samples at random, so half of every page was in training.",
        0.090909,
        0.224505,
    ),
    ("a", "b", 0.0, 0.0),
]


@pytest.mark.parametrize(("text", "reference", "rouge", "chr_f"), PUBLISHED)
def test_rouge_l_and_chrf_are_those_of_the_published_programs(text, reference, rouge, chr_f):
    assert rouge_l(text, reference) == pytest.approx(rouge, abs=1e-6)
    assert chrf(text, reference) == pytest.approx(chr_f, abs=1e-6)


def test_word_f1_counts_words_as_squad_does():
    # Articles, case and punctuation do not count; a word that is said twice counts as often as both have it.
    assert word_f1("The Denver Broncos!", "denver broncos") == 1
    assert word_f1("Denver", "the Denver Broncos") == pytest.approx(2 / 3)
    assert word_f1("no no no yes", "no maybe") == pytest.approx(1 / 3)
    assert word_f1("Santa Clara", "Denver") == 0
    assert (word_f1("", ""), word_f1("", "word"), word_f1("word", "the")) == (1, 0, 0)


def test_words_of_any_script_count():
    assert rouge_l("Der Wald ist grün.", "Wald grün") == pytest.approx(2 * 2 / (4 + 2))
    assert rouge_l("猫が好き", "猫が嫌い") > 0


@settings(max_examples=50)
@given(st.text(max_size=60), st.text(max_size=60))
def test_every_figure_lies_between_nothing_and_all(text, reference):
    for overlap in (word_f1, rouge_l, chrf):
        assert 0 <= overlap(text, reference) <= 1
    assert rouge_l(text, reference) == pytest.approx(rouge_l(reference, text))


@settings(max_examples=50)
@given(st.text(alphabet="abcd e", min_size=1, max_size=60).filter(str.strip))
def test_a_text_overlaps_wholly_with_itself(text):
    assert word_f1(text, text) == pytest.approx(1)
    assert rouge_l(text, text) == pytest.approx(1)
    assert chrf(text, text) == pytest.approx(1)
