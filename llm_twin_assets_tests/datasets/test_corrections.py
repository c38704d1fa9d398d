"""What an author says should have been the answer is learnt as the author's; what others say is not."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from llm_twin_assets.datasets import version
from llm_twin_assets.datasets.assets import all_cleaned
from llm_twin_assets.datasets.checks import not_verbatim
from llm_twin_assets.datasets.making import bring_up_to_date
from llm_twin_assets.datasets.preference import of_feedback
from llm_twin_assets.domain.feedback import FEEDBACK_TABLE, Feedback, feedback_of, feedback_table
from llm_twin_assets.domain.forgotten import FORGOTTEN_TABLE, Tombstone, tombstone_rows
from llm_twin_assets.domain.sample import Split
from llm_twin_assets_tests.datasets.made import article, words
from resources.llm_settings import Preference
from resources.settings import Author, Settings, Source

SETTINGS = Settings(authors={"maya": Author(name="Maya", sources=(Source(platform="files"),))})
ARTICLES = [article(f"a{number}") for number in range(8)]
TEXT = f"{words(24, 'correction').capitalize()}.\n\n{words(6, 'its end')}\n"
SAID = Feedback(
    answer_id="1" * 32,
    author="maya",
    question="Why do you split by document?",
    answer=f"{words(30, 'answer')}.",
    corrected_text=TEXT,
    thumb=None,
    score=None,
    comment=None,
    author_key=True,
    created_at=datetime(2026, 11, 21, tzinfo=UTC),
    voice="author",
)


def documents_with(warehouse, *said):
    warehouse.upsert(FEEDBACK_TABLE, feedback_table(said), "maya", identity="feedback_id")
    return [*ARTICLES, *all_cleaned(warehouse, "maya")]


def corrections(objects, documents):
    made = bring_up_to_date("maya", documents, objects, SETTINGS).version
    rows = {split: version.samples_of(objects, made, split) for split in Split}
    texts = {each.document_id: each.text for each in documents}
    assert [wrong for table in rows.values() for wrong in not_verbatim(table, texts)] == []
    return [row for table in rows.values() for row in table.to_pylist() if row["kind"] == "correction"]


def test_the_authors_own_correction_is_a_sample_verbatim_and_to_train_on(warehouse, objects):
    [sample] = corrections(objects, documents_with(warehouse, SAID))
    assert (sample["instruction"], sample["answer"]) == (SAID.question, TEXT.strip())
    assert (sample["split"], sample["document_id"]) == ("train", SAID.document_id)
    assert TEXT[sample["start"] : sample["end"]] == sample["answer"]


@pytest.mark.parametrize("other", [{"author_key": False}, {"question": ""}, {"corrected_text": None}])
def test_what_is_not_the_authors_word_on_a_known_question_is_no_sample(warehouse, objects, other):
    assert all_cleaned(warehouse, "maya") == []
    assert corrections(objects, documents_with(warehouse, replace(SAID, **other))) == []


def test_a_correction_that_repeats_a_sealed_document_is_not_learnt(warehouse, objects):
    sealed = bring_up_to_date("maya", ARTICLES, objects, SETTINGS).version.manifest["documents"]["test"]
    text = next(each.text for each in ARTICLES if each.document_id == sealed[0])
    assert corrections(objects, documents_with(warehouse, replace(SAID, corrected_text=text[:400]))) == []


def test_a_second_thought_takes_the_place_of_the_first_and_a_forgotten_one_is_none(warehouse, objects):
    documents_with(warehouse, SAID)
    again = f"{words(24, 'second thought').capitalize()}."
    [sample] = corrections(objects, documents_with(warehouse, replace(SAID, corrected_text=again)))
    assert (sample["answer"], sample["document_id"]) == (again, SAID.document_id)
    stone = Tombstone(SAID.document_id, "maya", None, "maya", "private", SAID.created_at)
    warehouse.upsert(FORGOTTEN_TABLE, tombstone_rows([stone]), "maya")
    assert all_cleaned(warehouse, "maya") == []


def test_the_same_correction_is_a_preference_pair(warehouse):
    documents_with(warehouse, SAID)
    said = feedback_of(warehouse.read(FEEDBACK_TABLE, "maya"))
    marked = [replace(each, answer=each.answer[:-1] + " [1].") for each in said]
    [pair] = of_feedback(marked, Preference(), lambda _: False).pairs
    assert (pair.prompt, pair.chosen, pair.rejected) == (SAID.question, TEXT.strip(), SAID.answer)
    unknown = [replace(each, question=" ") for each in said]
    assert of_feedback(unknown, Preference(), lambda _: False).pairs == ()
