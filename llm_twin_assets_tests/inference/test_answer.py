import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from llm_twin_assets.features.retrieve import Retriever
from llm_twin_assets.inference.answer import Limits, Outcome, Twin, answer, fitting
from llm_twin_assets.inference.engine import EngineError
from llm_twin_assets.inference.transformers_engine import TransformersEngine
from llm_twin_assets_tests.inference import tiny_twin
from llm_twin_assets_tests.inference.scripted import SPLIT, Scripted, assert_true, twin
from resources.embedder import Embedder
from resources.settings import Retrieval
from resources.vector_store import Filters, Index


def test_a_supported_answer_is_given_with_marks_to_exact_spans(index: Index, embedder: Embedder):
    says = "Split by document before you make a single sample.\n\nI split samples at random, and that was a leak."
    given = answer(twin(index, embedder, Scripted(says)), SPLIT)
    assert (given.outcome, given.degraded, given.reason) == (Outcome.ANSWERED, False, None)
    assert given.text.startswith("Split by document before you make a single sample. [1]")
    assert "Split by document" in given.citations[0].quote
    assert given.prompt_tokens > 0
    assert given.completion_tokens > 0
    assert_true(given)


def test_marks_that_the_model_made_up_are_dropped(index: Index, embedder: Embedder):
    given = answer(
        twin(index, embedder, Scripted("Split by document [7] before you make a single sample [12].")), SPLIT
    )
    assert given.text == "Split by document before you make a single sample. [1]"
    assert_true(given)


@pytest.mark.parametrize(
    ("says", "cause"),
    [
        ("Kubernetes schedules pods on nodes by affinity and by resource requests.", "unsupported"),
        ("", "empty"),
        ("split by document before you make a sample " * 9, "repetitive"),
        ("Samples: split training and test set!", "echo"),
    ],
)
def test_what_is_no_answer_is_replaced_by_exact_quotes(index: Index, embedder: Embedder, says: str, cause: str):
    given = answer(twin(index, embedder, Scripted(says)), SPLIT)
    assert (given.outcome, given.degraded, given.cause) == (Outcome.QUOTED, True, cause)
    assert given.reason
    assert any("Split by document" in each.quote for each in given.citations)
    assert all(each.quote in given.text for each in given.citations)
    assert says.strip() not in given.text or not says.strip()
    assert_true(given)


def test_an_engine_that_fails_costs_the_model_not_the_answer(index: Index, embedder: Embedder):
    def fails() -> str:
        raise EngineError("out of memory")

    given = answer(twin(index, embedder, Scripted(fails)), SPLIT)
    assert (given.degraded, given.cause) == (True, "engine_failed")
    assert "out of memory" in (given.reason or "")
    assert_true(given)


def test_code_is_quoted_in_a_fence(index: Index, embedder: Embedder):
    code = answer(twin(index, embedder, Scripted("")), "merge_counts warehouse", filters=Filters(categories=("code",)))
    assert re.search(r"```python\ndef merge_counts.*\n```\n\[1\]", code.text, flags=re.DOTALL)
    assert_true(code)


@pytest.mark.parametrize(
    ("question", "filters"),
    [
        (SPLIT, Filters(platforms=("nowhere",))),
        (SPLIT, Filters(published_after=datetime(2030, 1, 1, tzinfo=UTC))),
        ("Which football club won the championship in Uruguay?", Filters()),
    ],
)
def test_what_the_record_does_not_hold_is_said_kindly(
    index: Index, embedder: Embedder, question: str, filters: Filters
):
    given = answer(twin(index, embedder, Scripted("")), question, filters=filters)
    assert (given.outcome, given.citations, given.degraded) == (Outcome.NOTHING_FOUND, (), False)
    assert "Maya Lindqvist" in given.text


def test_the_lowest_ranked_passages_give_way_and_never_the_question(index: Index, embedder: Embedder):
    roomy, narrow = Scripted("x"), Scripted("x", context_tokens=140)
    limits = Limits(max_new_tokens=10)
    answer(twin(index, embedder, roomy), SPLIT, limits=limits)
    answer(twin(index, embedder, narrow), SPLIT, limits=limits)
    wide, tight = roomy.prompts[0][1]["content"], narrow.prompts[0][1]["content"]
    assert 0 < tight.count("<passage ") < wide.count("<passage ")
    assert tight.split("</passage>")[0] == wide.split("</passage>")[0]
    assert tight.endswith(SPLIT)
    assert narrow.token_count(narrow.prompts[0]) + 10 <= 140


def test_a_question_that_never_fits_is_answered_by_quotes(index: Index, embedder: Embedder):
    given = answer(twin(index, embedder, Scripted("x", context_tokens=12)), SPLIT)
    assert (given.degraded, given.cause) == (True, "engine_failed")
    assert "too long" in (given.reason or "")
    with pytest.raises(EngineError):
        fitting(Scripted("x", context_tokens=12), SPLIT, [], author_name="Maya", max_new_tokens=160)


def test_an_answer_cut_by_its_limit_ends_with_a_whole_sentence(index: Index, embedder: Embedder):
    says = "Split by document before you make a single sample. The perplexity rose from"
    given = answer(twin(index, embedder, Scripted(says)), SPLIT, limits=Limits(max_new_tokens=13))
    assert given.text == "Split by document before you make a single sample. [1]"


def test_a_random_model_degrades_to_something_true(index: Index, embedder: Embedder, tiny_model: Path):
    given = answer(twin(index, embedder, TransformersEngine(tiny_model)), SPLIT, limits=Limits(max_new_tokens=24))
    assert given.degraded
    assert_true(given)


def test_a_search_that_lacks_a_part_still_answers_and_says_so(index: Index, embedder: Embedder):
    retriever = Retriever(index, embedder, lacking=("reranking is off: no such model",))
    says = "Split by document before you make a single sample."
    given = answer(Twin(tiny_twin.AUTHOR, "Maya Lindqvist", retriever, embedder, Scripted(says)), SPLIT)
    assert (given.outcome, given.degraded, given.cause) == (Outcome.ANSWERED, True, "search_degraded")
    assert given.reason == "reranking is off: no such model"
    assert_true(given)


def test_retrieval_is_configured_as_the_twin_is(index: Index, embedder: Embedder):
    sections = Retriever(index, embedder, Retrieval(section_characters=4000, per_document=1))
    engine = Scripted("I do not know.")
    given = answer(Twin(tiny_twin.AUTHOR, "Maya Lindqvist", sections, embedder, engine), SPLIT)
    assert len({each.document_id for each in given.citations}) == len(given.citations)
    assert_true(given)
