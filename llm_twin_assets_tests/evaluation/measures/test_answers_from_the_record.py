"""The service's own pipeline, asked in batches: what stands on passages, what is cited, what is found."""

from pathlib import Path

import pytest

from llm_twin_assets.evaluation.exam.generation import Decoding, Output, outputs
from llm_twin_assets.evaluation.measures.answers import (
    ANSWER_F1,
    PRECISION,
    RECALL,
    RETRIEVED,
    SUPPORTED,
    OpenRecord,
    PromptLength,
    answer_measures,
    citation_precision,
    citation_recall,
    grounded,
    retrieval_recall,
    served,
)
from llm_twin_assets.features.retrieve import Retriever
from llm_twin_assets.inference.answer import Limits, Outcome
from llm_twin_assets.inference.citations import Citation
from llm_twin_assets_tests.evaluation.written import AUTHOR_NAME, sample
from llm_twin_assets_tests.inference import tiny_twin
from resources.bases import find_base
from resources.embedder import Embedder
from resources.lance_store import LanceVectorStore

BASE = find_base("tiny-llama")
LEAKAGE = next(each for each in tiny_twin.DOCUMENTS if "leak" in each.title)
START = LEAKAGE.text.index("Split by document")
PASSAGE = LEAKAGE.text[START:].strip()
SPLIT = sample(
    PASSAGE,
    document=LEAKAGE.document_id,
    start=START,
    instruction="How should samples be split into training and test?",
)


@pytest.fixture(scope="module")
def record(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    embedder = Embedder("sentence-transformers/all-MiniLM-L6-v2")
    tiny_twin.embed_documents(home, embedder)
    index = LanceVectorStore(str(home / "embedded")).open(tiny_twin.AUTHOR, tiny_twin.SNAPSHOT)
    return OpenRecord(
        tiny_twin.AUTHOR, AUTHOR_NAME, Retriever(index, embedder), embedder, Limits(k=3, max_new_tokens=32)
    )


@pytest.fixture(scope="module")
def length():
    return PromptLength([BASE.folder])


@pytest.fixture(scope="module")
def prompt(record, length):
    [found] = grounded([SPLIT], record, length)
    return found


def serve(text, prompt, record, length, *, finished=True):
    [answered] = served([Output(prompt, text, finished)], record, length)
    return answered


def test_a_prompt_is_what_the_service_would_ask(prompt, length):
    asked = prompt.messages[-1]["content"]
    assert asked.endswith(SPLIT.instruction)
    assert PASSAGE in asked
    assert length(prompt.messages) + 32 <= length.context_tokens == 1024


def test_a_supported_answer_is_served_with_its_citation(prompt, record, length):
    answered = serve("Split by document before you make a single sample.", prompt, record, length)
    assert answered.answer.outcome is Outcome.ANSWERED
    assert {each.document_id for each in answered.answer.citations} == {LEAKAGE.document_id}
    measured = {measure: values[0].value for measure, values in answer_measures([answered]).items()}
    assert measured[SUPPORTED] == measured[PRECISION] == 1
    assert measured[RECALL] > 0.5
    assert 0.3 < measured[ANSWER_F1] < 1


def test_what_is_not_supported_is_replaced_by_quotes_but_judged_by_its_own_words(prompt, record, length):
    answered = serve("Returns the name of the purple giraffe.", prompt, record, length)
    assert answered.answer.outcome is Outcome.QUOTED
    measured = {measure: values[0].value for measure, values in answer_measures([answered]).items()}
    assert measured[SUPPORTED] == 0
    assert measured[ANSWER_F1] < 0.1


def test_an_answer_that_was_cut_off_is_served_up_to_its_last_whole_sentence(prompt, record, length):
    cut = "Split by document before you make a single sample. The perplexity rose from 11 to"
    assert "The perplexity" not in serve(cut, prompt, record, length, finished=False).answer.text


def test_a_model_answers_in_batches_what_the_service_would_have_it_answer(prompt, record, length, tmp_path):
    [written] = outputs(BASE.folder, [prompt], Decoding(32, 2), tmp_path)
    [answered] = served([written], record, length)
    assert answered.answer.prompt_tokens == written.prompt_tokens == length(prompt.messages)
    assert answered.answer.outcome in (Outcome.ANSWERED, Outcome.QUOTED)


def test_the_passage_that_answers_is_found(record):
    [found] = retrieval_recall([SPLIT], record)[RETRIEVED]
    assert found.value == 1
    elsewhere = sample(PASSAGE, document="another", instruction=SPLIT.instruction)
    assert retrieval_recall([elsewhere], record)[RETRIEVED][0].value == 0


def citation(start: int, end: int, document: str = "d1") -> Citation:
    return Citation(1, document, None, "", start, end, "", 1.0)


def test_citations_count_by_the_place_they_name():
    of = sample("x" * 100, start=50)
    right, half, beside, other = citation(50, 150), citation(0, 100), citation(150, 200), citation(50, 150, "d2")
    assert citation_precision([right, beside, other, half], of) == 0.5
    assert citation_precision([], of) == 0
    assert citation_recall([half, half], of) == 0.5
    assert citation_recall([half, citation(90, 120)], of) == 0.7
    assert citation_recall([beside, other], of) == 0


def test_what_fits_one_model_has_to_fit_the_others(tmp_path: Path):
    small = tiny_twin.write_model(tmp_path / "small", positions=256)
    both, alone = PromptLength([BASE.folder, small]), PromptLength([small])
    assert both.context_tokens == 256
    turns = ({"role": "user", "content": "Why do looms matter so much to you?"},)
    assert both(turns) == max(alone(turns), PromptLength([BASE.folder])(turns))
