import pytest

from llm_twin_assets.inference.prompts import Message
from llm_twin_assets.inference.standalone import condensed, standalone


def said(*turns: str) -> list[Message]:
    roles = ("user", "assistant")
    return [{"role": roles[at % 2], "content": turn} for at, turn in enumerate(turns)]


CHUNKS = said("How do you chunk a page by headings?", "I keep the span of every chunk.")


@pytest.mark.parametrize(
    "question", ["Why does it fail?", "And on Windows?", "Why not?", "What about code?", "Und warum ist das so?"]
)
def test_a_question_that_points_back_gets_what_was_spoken_of(question: str):
    alone = standalone(question, CHUNKS)
    assert alone.startswith(question)
    assert {"chunk", "page", "heading"} <= set(alone.removeprefix(question).strip(" ()").split(", "))


@pytest.mark.parametrize("question", ["How does Delta Lake merge rows into a table?", "Which job runs at night?"])
def test_a_question_that_stands_by_itself_is_left_alone(question: str):
    assert standalone(question, CHUNKS) == question


def test_without_a_history_there_is_nothing_to_point_to():
    assert standalone("Why does it fail?", []) == "Why does it fail?"


def test_the_subject_is_carried_through_several_questions_that_point_back():
    history = said("What does `merge_counts` do?", "It counts.", "Why is it fast?", "Because of sets.")
    assert "merge_counts" in standalone("And how is it tested?", history)


def test_names_in_the_last_answer_can_be_asked_about():
    history = said("Which table formats do you use?", "At night I use Delta Lake, and by day nothing.")
    assert "Delta Lake" in standalone("Why that one?", history)


def test_a_new_subject_takes_the_place_of_the_old():
    history = said("How do you chunk a page by headings?", "So.", "Which yarn is best for socks?", "Wool.")
    alone = standalone("Is it washable?", history)
    assert "yarn" in alone
    assert "heading" not in alone


class Model:
    def __init__(self, says: str) -> None:
        self._says = says
        self.heard = ""

    def complete(self, system: str, user: str) -> str:
        self.heard = user
        return self._says


def test_a_chat_model_hears_the_conversation_and_its_first_line_is_the_question():
    model = Model("Why does chunking by headings fail?\nI hope this helps.")
    assert condensed("Why does it fail?", CHUNKS, model) == "Why does chunking by headings fail?"
    assert "chunk a page by headings" in model.heard
    assert model.heard.endswith("Last question: Why does it fail?")
