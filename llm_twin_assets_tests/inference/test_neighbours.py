"""What stands around the passages found: in the prompt where there is room, and cited like them."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from llm_twin_assets.features.embed import embed
from llm_twin_assets.features.retrieve import Retriever
from llm_twin_assets.inference.answer import Answer, Limits, Outcome, answer
from llm_twin_assets_tests.inference import tiny_twin
from llm_twin_assets_tests.inference.scripted import SPLIT, Scripted, assert_true, twin
from resources.embedder import Embedder
from resources.errors import StorageError
from resources.lance_store import LanceVectorStore
from resources.settings import Retrieval
from resources.vector_store import Index

# A sentence of the chunk after the one that is found for `SPLIT`.
FOLLOWS = "The perplexity rose from 11 to 29, and it was true."


@pytest.fixture(scope="module")
def small_chunks(tmp_path_factory: pytest.TempPathFactory, embedder: Embedder) -> Index:
    store = LanceVectorStore(str(tmp_path_factory.mktemp("embedded")))
    store.write(tiny_twin.AUTHOR, embed(tiny_twin.DOCUMENTS, embedder, 40, lambda keys: {}).rows, ())
    store.publish(tiny_twin.AUTHOR, tiny_twin.SNAPSHOT)
    return store.open(tiny_twin.AUTHOR, tiny_twin.SNAPSHOT)


def asked(index: Index, embedder: Embedder, engine: Scripted, neighbours: int, **how: Any) -> Answer:
    told = twin(index, embedder, engine)
    told = replace(told, retriever=Retriever(index, embedder, Retrieval(per_document=1, **how)))
    return answer(told, SPLIT, limits=Limits(k=1, max_new_tokens=20, neighbours=neighbours))


def test_what_follows_a_passage_is_read_with_it_and_cited_at_its_place(small_chunks: Index, embedder: Embedder):
    alone, read_on = Scripted(FOLLOWS), Scripted(FOLLOWS)
    assert asked(small_chunks, embedder, alone, 0).outcome is not Outcome.ANSWERED
    given = asked(small_chunks, embedder, read_on, 2)
    assert FOLLOWS not in alone.prompts[0][1]["content"]
    prompt = read_on.prompts[0][1]["content"]
    assert FOLLOWS in prompt
    assert (prompt.count("<passage "), prompt.count("I split samples at random")) == (1, 1)
    assert (given.outcome, given.degraded) == (Outcome.ANSWERED, False)
    assert FOLLOWS in given.citations[0].quote
    assert_true(given)


def test_neighbours_come_as_far_as_there_is_room(small_chunks: Index, embedder: Embedder):
    def prompt(context_tokens: int, neighbours: int = 2) -> tuple[str, int]:
        engine = Scripted("x", context_tokens)
        asked(small_chunks, embedder, engine, neighbours)
        return engine.prompts[0][1]["content"], engine.token_count(engine.prompts[0])

    (alone, fewest), (whole, most) = prompt(1024, 0), prompt(1024)
    assert prompt(fewest + 20) == (alone, fewest)
    assert prompt(most + 20) == (whole, most)
    some, fewer = prompt(most + 19)
    assert fewest < fewer < most
    assert "I split samples at random" in some


class _Cut:
    """An index whose store is gone once something was found."""

    def __init__(self, index: Index, error: Exception) -> None:
        self._index = index
        self._error = error

    def __getattr__(self, name: str) -> Any:
        return getattr(self._index, name)

    def neighbours(self, document: str, first: int, last: int) -> Sequence[dict[str, Any]]:
        raise self._error


@pytest.mark.parametrize("error", [StorageError("refused"), RuntimeError("lance error: not found"), OSError("gone")])
def test_a_store_that_fails_costs_the_neighbours_and_not_the_answer(
    small_chunks: Index, embedder: Embedder, error: Exception
):
    says = "I split samples at random, so half of every page was in training."
    given = asked(_Cut(small_chunks, error), embedder, Scripted(says), 1)
    assert (given.outcome, given.degraded, given.cause) == (Outcome.ANSWERED, True, "search_degraded")
    assert given.reason == "the passages' neighbours cannot be read"
    assert_true(given)


def test_nobody_looks_for_the_neighbours_of_whole_sections(small_chunks: Index, embedder: Embedder):
    engine = Scripted(FOLLOWS)
    given = asked(small_chunks, embedder, engine, 1, section_characters=4000)
    assert engine.prompts[0][1]["content"].count(FOLLOWS) == 1
    assert_true(given)
