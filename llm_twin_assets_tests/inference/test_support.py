import pytest

from llm_twin_assets.inference.support import Fault, Support

PASSAGES = (
    "I split samples at random, so half of every page was in training and the other half in the test set. "
    "Split by document before you make a single sample. The perplexity rose from 11 to 29.",
    "Delta Lake's MERGE made my nightly import boring: the second run writes nothing.",
    "A chunk follows the headings of the page and keeps the span it came from.",
)
QUESTION = "How do you split a dataset?"

TRUE = [
    "Split by document before you make a single sample.",
    "I split samples at random, and half of every page was in training.",
    "You should split by document, before making a single sample.",
    "The second run of the MERGE writes nothing. The perplexity rose from 11 to 29.",
    "A chunk keeps the span it came from.",
]

FALSE = [
    "Use stratified sampling with a random seed and cross validation for robust estimates.",
    "Kubernetes schedules pods on nodes by their resource requests and their affinities.",
    "The perplexity rose from 11 to 31.",
    "Split by document before you make a single sample. Then buy more graphics cards from a cloud provider in Ohio.",
    "The author is a model of the data that is used by the class and returns the value of the function.",
]


@pytest.mark.parametrize("answer", TRUE)
def test_what_the_passages_say_is_supported(answer: str):
    verdict = Support(PASSAGES, question=QUESTION).judge(answer)
    assert verdict.supported, verdict
    assert verdict.reason is None


@pytest.mark.parametrize("answer", FALSE)
def test_what_they_do_not_say_is_not(answer: str):
    verdict = Support(PASSAGES, question=QUESTION).judge(answer)
    assert verdict.fault is Fault.UNSUPPORTED
    assert verdict.reason


@pytest.mark.parametrize("answer", ["", " \n", "…", "the of and"])
def test_no_words_are_no_answer(answer: str):
    assert Support(PASSAGES, question=QUESTION).judge(answer).fault is Fault.EMPTY


def test_a_model_that_is_stuck_is_noticed_even_in_supported_words():
    stuck = "split by document before you make a single sample " * 8
    assert Support(PASSAGES, question=QUESTION).judge(stuck).fault is Fault.REPETITIVE


def test_the_question_said_back_is_no_answer():
    assert Support(PASSAGES, question=QUESTION).judge("You split a dataset.").fault is Fault.ECHO


def test_nothing_is_supported_by_nothing():
    assert Support((), question="Why?").judge("Split by document.").fault is Fault.UNSUPPORTED


def test_a_sentence_names_the_passage_that_supports_it():
    verdict = Support(PASSAGES, question=QUESTION).judge("A chunk keeps the span it came from.")
    assert [each.passage for each in verdict.sentences] == [2]


def test_a_stricter_threshold_stops_more():
    answer = "You should split by document, before making a single sample."
    assert Support(PASSAGES, question=QUESTION, threshold=0.3).judge(answer).supported
    assert not Support(PASSAGES, question=QUESTION, threshold=1.0).judge(answer).supported
