from hypothesis import given
from hypothesis import strategies as st

from llm_twin_assets.datasets.spans import Span
from llm_twin_assets.datasets.teacher_quotes import answer_around, located

TEXT = """The loom is old. It’s *mine*, and thread
is cheap – or so they say.

## Cards

Cards carry the pattern. A card is punched once. It is read a thousand times.

```py
def weave():
    return "cloth"
```
"""
WHOLE = Span(0, len(TEXT))


def at(quote, within=WHOLE):
    found = located(quote, TEXT, within)
    return found and found.of(TEXT)


def test_a_quote_is_found_where_it_stands():
    assert at("A card is punched once.") == "A card is punched once."


def test_what_models_change_in_copying_is_forgiven():
    assert (
        at("It's mine, and thread is cheap - or so they say.") == "It’s *mine*, and thread\nis cheap – or so they say."
    )


def test_a_quote_that_stands_nowhere_or_twice_or_is_a_word_is_none():
    assert at("A card is punched twice.") is None
    assert located("one two three", "one two three, one two three", Span(0, 28)) is None
    assert at("card is") is None
    assert at("") is None


def test_a_quote_of_another_passage_does_not_count():
    assert at("The loom is old.", Span(20, len(TEXT))) is None


def around(quote, least=1):
    return answer_around(located(quote, TEXT, WHOLE), TEXT, WHOLE, least).of(TEXT)


def test_the_answer_is_the_paragraph():
    assert (
        around("A card is punched once.")
        == "Cards carry the pattern. A card is punched once. It is read a thousand times."
    )
    assert around("def weave():\n    return") == '```py\ndef weave():\n    return "cloth"\n```'


def test_of_a_long_paragraph_the_sentences_are_the_answer():
    text = "Before it. " + "A word and another. " * 40 + "The quote stands here. It goes on after that."
    place = located("quote stands here", text, Span(0, len(text)))
    assert answer_around(place, text, Span(0, len(text)), 3).of(text) == "The quote stands here."
    longer = answer_around(place, text, Span(0, len(text)), 6).of(text)
    assert longer == "The quote stands here. It goes on after that."


@given(st.text(alphabet="ab. \n*'’", max_size=60), st.integers(0, 60), st.integers(0, 60))
def test_an_answer_lies_in_its_passage_and_holds_the_quote(text, start, end):
    place = located(text[start:end], text, Span(0, len(text)))
    if place is not None:
        answer = answer_around(place, text, Span(0, len(text)), 2)
        assert 0 <= answer.start <= answer.end <= len(text)
        assert place.of(text).strip() in answer.of(text)
