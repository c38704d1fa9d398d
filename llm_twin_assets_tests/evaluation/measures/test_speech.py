"""Repetition, emptiness, length, language and template leakage in what a model wrote."""

import math

import pytest

from llm_twin_assets.evaluation.measures.speech import (
    DISTINCT,
    EMPTY,
    LANGUAGE,
    LEAKAGE,
    LENGTH,
    REPETITION,
    leaks_template,
    speech_measures,
)
from llm_twin_assets_tests.evaluation.written import author_texts, output, sample


def value(measure, *outputs):
    [found] = speech_measures(outputs)[measure]
    return found.value


def test_a_model_that_is_stuck_repeats_itself():
    stuck = output("The name of the model is the name. " * 6)
    fluent = output("I once cut every page after five hundred characters, and a point about the ferry got lost there.")
    assert value(REPETITION, stuck) > 0.8
    assert value(REPETITION, fluent) == 0
    assert value(DISTINCT, stuck) < 0.3 < value(DISTINCT, fluent)


def test_the_authors_own_prose_is_not_taken_for_repetition():
    texts = [text for text in author_texts().values() if len(text) > 2000]
    assert max(value(REPETITION, output(text[:2000])) for text in texts) < 0.1


@pytest.mark.parametrize(("text", "empty"), [("", 1), (" \n…!", 1), ("No.", 0)])
def test_an_answer_without_a_word_is_empty(text, empty):
    assert value(EMPTY, output(text)) == empty


def test_length_is_measured_against_the_authors():
    ten = sample("one two three four five six seven eight nine ten")
    assert value(LENGTH, output("a b c d e f g h i j", ten)) == 0
    assert value(LENGTH, output("a b c d e", ten)) == pytest.approx(math.log(2))
    assert value(LENGTH, output("a b c d e " * 4, ten)) == pytest.approx(math.log(2))
    assert value(LENGTH, output("", ten)) == pytest.approx(math.log(100))
    # Cut off by us, so nobody knows how long it would have been.
    assert value(LENGTH, output("a b c d e", ten, finished=False)) == 0
    assert value(LENGTH, output("a b c d e " * 4, ten, finished=False)) == pytest.approx(math.log(2))


def test_another_language_than_the_authors_is_told():
    german = "Ich habe die Seiten gestern Abend noch einmal gelesen und nichts davon verstanden."
    english = "I read the pages once more last night, and I did not understand a word of them."
    assert value(LANGUAGE, output(german)) == 1
    assert value(LANGUAGE, output(english)) == 0
    assert value(LANGUAGE, output("Ja.")) == 0  # too short to tell
    code = sample("def count(words):\n    return len(words) + sum(len(word) for word in words)", language="python")
    assert value(LANGUAGE, output(german, code)) == 0


@pytest.mark.parametrize(
    "text",
    [
        "Fine.<|im_end|>\n<|im_start|>user",
        "<|user|> and so on",
        "[INST] Say more [/INST]",
        "<start_of_turn>model",
        "All right.\nUser:\nTell me more",
        "### Instruction:\nWrite on",
        'as I wrote <passage 2 "Looms">',
    ],
)
def test_parts_of_a_chat_template_in_an_answer_are_a_leak(text):
    assert leaks_template(text)
    assert value(LEAKAGE, output(text)) == 1


def test_no_text_of_the_author_is_taken_for_a_leak():
    assert not [name for name, text in author_texts().items() if leaks_template(text)]


def test_special_tokens_that_decoding_took_out_are_a_leak_too():
    assert value(LEAKAGE, output("Fine.", special_tokens=1)) == 1
    assert value(LEAKAGE, output("Fine.")) == 0


def test_answers_about_one_document_are_one_value():
    other = sample(document="d2")
    found = speech_measures([output(""), output("Some words."), output("", other)])[EMPTY]
    assert [(each.document_id, each.value) for each in found] == [("d1", 0.5), ("d2", 1.0)]
