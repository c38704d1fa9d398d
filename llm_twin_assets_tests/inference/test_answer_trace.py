"""What Phoenix is told of an answer: sent over HTTP, and read as it arrives."""

import json
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from openinference.semconv.trace import RerankerAttributes, SpanAttributes

from llm_twin_assets.features.query_rewriting import LlmRewriter
from llm_twin_assets.features.retrieve import Retriever
from llm_twin_assets.inference.answer import Limits, Twin, answer, answer_stream
from llm_twin_assets.inference.asked import Asker
from llm_twin_assets.inference.caches import LruCache
from llm_twin_assets.inference.engine import EngineError, Failure, Sampling
from llm_twin_assets.inference.prompts import PASSAGES, SYSTEM
from llm_twin_assets.inference.search import search
from llm_twin_assets.inference.write import write
from llm_twin_assets_tests.inference.scripted import SPLIT, Scripted, twin
from llm_twin_assets_tests.resources.collector import Collector, attributes, collecting
from resources.embedder import Embedder
from resources.llm_errors import LlmError
from resources.phoenix_tracer import PhoenixTracer, phoenix_tracer
from resources.vector_store import Index

SAYS = "Split by document before you make a single sample. Write to maya.lind@loomworks.dev about it."
HISTORY = ({"role": "user", "content": "What leaked?"}, {"role": "assistant", "content": "Half of every page."})


class Traced:
    """What arrived of the traces of one test, step by step."""

    def __init__(self, collector: Collector, tracer: PhoenixTracer) -> None:
        self.tracer = tracer
        self._collector = collector

    def steps(self) -> list:
        self.tracer.close()
        [spans] = self._collector.spans.values()
        return sorted(spans, key=lambda span: span.start_time_unix_nano)

    def named(self) -> dict[str, dict[str, object]]:
        return {span.name: attributes(span) for span in self.steps()}

    def root(self) -> tuple[dict[str, object], dict[str, object]]:
        said = self.named()["answer"]
        return said, json.loads(said["metadata"])


@pytest.fixture
def traced() -> Iterator[Traced]:
    with collecting() as collector:
        yield Traced(collector, phoenix_tracer(collector.url))


class LongestFirst:
    """A cross-encoder."""

    def scores(self, question, texts):
        return np.array([len(text) for text in texts], np.float32)


class Rewords:
    """A chat model."""

    def complete(self, system: str, user: str) -> str:
        return "split training test set sample"


class Gone:
    """A chat model that is away."""

    def complete(self, system: str, user: str) -> str:
        raise LlmError("nobody answers")


def whole_twin(index: Index, embedder: Embedder, says: str = SAYS) -> Twin:
    """A twin with every part there is."""
    retriever = Retriever(index, embedder, cross_encoder=LongestFirst(), rewriter=LlmRewriter("rewrite", Rewords()))
    parts = {"retriever": retriever, "condenser": Rewords(), "embedding_model": embedder.model}
    return replace(twin(index, embedder, Scripted(says)), **parts)


def test_every_step_is_a_span_below_the_answer_in_openinferences_words(
    index: Index, embedder: Embedder, traced: Traced
):
    asker = Asker(user="5ec1", session="s-1")
    parts = list(answer_stream(whole_twin(index, embedder), SPLIT, history=HISTORY, tracer=traced.tracer, asker=asker))
    steps = traced.steps()
    kinds = [(span.name, attributes(span)["openinference.span.kind"]) for span in steps]
    assert kinds == [
        ("answer", "CHAIN"),
        ("rewrite", "CHAIN"),  # the history taken in
        ("rewrite", "CHAIN"),  # the question reworded
        ("embed", "EMBEDDING"),
        ("retrieve", "RETRIEVER"),
        ("rerank", "RERANKER"),
        ("generate", "LLM"),
    ]
    assert {span.parent_span_id for span in steps[1:]} == {steps[0].span_id}
    assert {span.trace_id.hex() for span in steps} == {parts[-1].answer_id}
    assert {span.status.code for span in steps} == {1}
    said = {key for span in steps for key in attributes(span)}
    names = vars(SpanAttributes) | vars(RerankerAttributes)
    known = {value for name, value in names.items() if name.isupper()}
    assert [key for key in said if not any(key == name or key.startswith(f"{name}.") for name in known)] == []


def test_what_each_step_says(index: Index, embedder: Embedder, traced: Traced):
    list(answer_stream(whole_twin(index, embedder), SPLIT, tracer=traced.tracer))
    said = traced.named()
    assert said["embed"]["embedding.model_name"] == embedder.model
    assert said["embed"]["embedding.embeddings.0.embedding.text"] == "split training test set sample"
    vector = np.array(said["embed"]["embedding.embeddings.0.embedding.vector"])
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)
    assert vector == pytest.approx(embedder.encode(["split training test set sample"])[0], abs=1e-5)
    reranked, retrieved = said["rerank"], said["retrieve"]
    assert reranked["reranker.top_k"] == sum(key.endswith("document.content") for key in reranked)
    assert reranked["reranker.input_documents.0.document.id"] == retrieved["retrieval.documents.0.document.id"]
    assert "reranker.input_documents.0.document.content" not in reranked
    best = [reranked[f"reranker.output_documents.{at}.document.score"] for at in range(reranked["reranker.top_k"])]
    assert best == sorted(best, reverse=True)
    model = said["generate"]
    variables = json.loads(model["llm.prompt_template.variables"])
    assert model["llm.prompt_template.template"] == f"{SYSTEM}\n\n{PASSAGES}"
    assert SYSTEM.format(**variables) == model["llm.input_messages.0.message.content"]
    assert PASSAGES.format(**variables) == model["llm.input_messages.1.message.content"] == model["input.value"]
    assert reranked["reranker.output_documents.0.document.content"][:40] in variables["passages"]
    assert json.loads(model["llm.invocation_parameters"])["max_new_tokens"] == Limits().max_new_tokens
    assert model["llm.token_count.total"] == model["llm.token_count.prompt"] + model["llm.token_count.completion"]


def test_the_root_says_who_asked_whom_and_how_it_went(index: Index, embedder: Embedder, traced: Traced):
    asked = replace(whole_twin(index, embedder), labels={"release": "maya-000007", "canary": True})
    asker = Asker(user="5ec1", session="s-1")
    *_, given = answer_stream(asked, SPLIT, tracer=traced.tracer, asker=asker)
    said, metadata = traced.root()
    assert (said["session.id"], said["user.id"]) == ("s-1", "5ec1")
    assert (said["input.value"], said["output.value"]) == (SPLIT, given.text)
    assert 0 < metadata.pop("first_token_ms") == pytest.approx(given.first_token_ms, abs=0.001)
    assert metadata.pop("relevance") == pytest.approx(given.relevance, abs=0.001)
    assert len(metadata.pop("question_digest")) == 16
    assert metadata == {
        "author": "maya",
        "release": "maya-000007",
        "canary": True,
        "form": "answer",
        "outcome": given.outcome.value,
        "degraded": False,
        "support": round(given.support, 3),
        "citations": len(given.citations),
        "cached": False,
        "prompt_tokens": given.prompt_tokens,
        "completion_tokens": given.completion_tokens,
        "personal_data": 1,
    }


def test_the_first_token_is_an_event_of_the_model_where_it_comes_alone(
    index: Index, embedder: Embedder, traced: Traced
):
    list(answer_stream(whole_twin(index, embedder), SPLIT, tracer=traced.tracer))
    answer(whole_twin(index, embedder), SPLIT, tracer=traced.tracer)
    streamed, whole = [span for span in traced.steps() if span.name == "generate"]
    assert {span.status.code for span in traced.steps()} == {1}
    assert [event.name for event in streamed.events] == ["First Token Stream Event"]
    assert streamed.start_time_unix_nano < streamed.events[0].time_unix_nano < streamed.end_time_unix_nano
    assert not whole.events
    assert "metadata" not in attributes(whole)


def test_a_remembered_answer_costs_no_tokens_and_says_so(index: Index, embedder: Embedder, traced: Traced):
    remembering = replace(
        twin(index, embedder, Scripted("Split by document before you make a single sample.")),
        answers=LruCache(10, 100_000, lambda given: given.bytes),
    )
    first = answer(remembering, SPLIT, tracer=traced.tracer)
    again = answer(remembering, SPLIT, tracer=traced.tracer)
    roots = [json.loads(attributes(span)["metadata"]) for span in traced.steps() if span.name == "answer"]
    assert [each["cached"] for each in roots] == [False, True]
    assert [each["prompt_tokens"] for each in roots] == [first.prompt_tokens, 0]
    assert again.prompt_tokens == first.prompt_tokens  # of which the caller's allowance is drawn
    assert roots[0]["relevance"] == roots[1]["relevance"] > 0
    assert [span.name for span in traced.steps()].count("generate") == 1


@pytest.mark.parametrize(
    ("one", "other", "are_one"),
    [
        ("How do I split?", "  how do\nI SPLIT? ", True),
        ("Write to anna@loomworks.dev", "Write to ben@posteo.de", True),
        ("How do I split?", "How do I join?", False),
    ],
)
def test_repeats_are_seen_without_words(
    index: Index, embedder: Embedder, traced: Traced, one: str, other: str, are_one: bool
):
    for question in (one, other):
        answer(twin(index, embedder, None), question, tracer=traced.tracer)
    roots = [json.loads(attributes(span)["metadata"]) for span in traced.steps() if span.name == "answer"]
    assert len({each["question_digest"] for each in roots}) == (1 if are_one else 2)


def test_a_step_that_fails_is_seen_and_the_answer_goes_on(index: Index, embedder: Embedder, traced: Traced):
    lame = replace(
        whole_twin(index, embedder),
        condenser=Gone(),
        retriever=Retriever(index, embedder, rewriter=LlmRewriter("rewrite", Gone())),
    )
    answer(lame, SPLIT, history=HISTORY, tracer=traced.tracer)
    failed = [(span.name, span.status.message) for span in traced.steps() if span.status.code == 2]
    assert failed == [("rewrite", "LlmError: nobody answers")] * 2
    _, metadata = traced.root()
    assert "query rewriting failed" in metadata["reason"]


def test_who_leaves_while_the_model_writes_is_no_failure(index: Index, embedder: Embedder, traced: Traced):
    def left() -> str:
        raise EngineError("nobody waits", kind=Failure.CANCELLED)

    with pytest.raises(EngineError):
        answer(twin(index, embedder, Scripted(left)), SPLIT, tracer=traced.tracer)
    unread = answer_stream(twin(index, embedder, Scripted(SAYS)), SPLIT, tracer=traced.tracer)
    next(unread)
    unread.close()
    roots = [span for span in traced.steps() if span.name == "answer"]
    assert [span.status.code for span in roots] == [0, 0]
    assert ["outcome" in json.loads(attributes(span)["metadata"]) for span in roots] == [False, False]


def test_drafts_and_searches_are_traced_as_what_they_are(index: Index, embedder: Embedder, traced: Traced):
    write(twin(index, embedder, Scripted(SAYS)), "splitting", "article", tracer=traced.tracer)
    found = search(twin(index, embedder, None), SPLIT, 2, tracer=traced.tracer, asker=Asker(session="s"))
    draft, query = [span for span in traced.steps() if not span.parent_span_id]
    assert (draft.name, json.loads(attributes(draft)["metadata"])["form"]) == ("answer", "article")
    assert (query.name, attributes(query)["session.id"]) == ("search", "s")
    below = [span for span in traced.steps() if span.parent_span_id == query.span_id]
    assert [span.name for span in below] == ["embed", "retrieve"]
    assert attributes(below[1])["retrieval.documents.1.document.id"] == found.chunks[1].chunk_id


def test_the_same_is_answered_whoever_asks(index: Index, embedder: Embedder):
    shared = replace(
        twin(index, embedder, Scripted("Split by document before you make a single sample.")),
        answers=LruCache(10, 100_000, lambda given: given.bytes),
    )
    sampling = Sampling(8)
    answer(shared, SPLIT, sampling=sampling, asker=Asker("one", "a"))
    assert answer(shared, SPLIT, sampling=sampling, asker=Asker("two", "b")).cached
