"""The one pipeline that answers a question: real time, batch and evaluation all call it.

Question → retrieval of the release's own snapshot → prompt within the model's context → engine → is it supported? →
citations. Where the engine fails or its answer has no support, the author's best passages are quoted instead.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from uuid import uuid4

from llm_twin_assets.domain.chunk import FoundChunk
from llm_twin_assets.features.retrieve import Retrieved, Retriever
from llm_twin_assets.inference import spans
from llm_twin_assets.inference.citations import Citation, cited, quoted, unmarked
from llm_twin_assets.inference.engine import Cancellation, Engine, EngineError, Generated, Sampling
from llm_twin_assets.inference.prompts import Message, Passage, messages, prompt_digest
from llm_twin_assets.inference.quotes import best_quotes
from llm_twin_assets.inference.support import DEFAULT_THRESHOLD, Verdict, judge
from llm_twin_assets.inference.words import sentences
from resources.embedder import Embedder
from resources.tracing import NoTracer, Span, Tracer
from resources.vector_store import Filters


class Outcome(StrEnum):
    """How a question was answered."""

    ANSWERED = "answered"
    QUOTED = "quoted"
    NOTHING_FOUND = "nothing_found"


@dataclass(frozen=True, slots=True)
class Twin:
    """One author's released parts, opened; `labels` (release, snapshot, …) go into every trace."""

    author: str
    author_name: str
    retriever: Retriever
    embedder: Embedder
    engine: Engine
    labels: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is retrieved and written, and how well it has to be supported."""

    k: int = 6
    max_new_tokens: int = 160
    support_threshold: float = DEFAULT_THRESHOLD


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer with what it stands on. `reason` says why it is not the model's own, or what its search lacked."""

    text: str
    citations: tuple[Citation, ...]
    outcome: Outcome
    degraded: bool
    reason: str | None
    cause: str | None
    support: float
    prompt_tokens: int
    completion_tokens: int
    trace_id: str
    trace_url: str | None
    answer_id: str = field(default_factory=lambda: uuid4().hex)


@dataclass(frozen=True, slots=True)
class Delta:
    """The next part of an answer that is being given."""

    text: str


@dataclass(frozen=True, slots=True)
class _Attempt:
    """What the engine gave, or why it gave nothing."""

    text: str
    verdict: Verdict
    cause: str | None
    reason: str | None
    generated: Generated | None = None


def answer(
    twin: Twin,
    question: str,
    *,
    history: Sequence[Message] = (),
    filters: Filters | None = None,
    limits: Limits | None = None,
    sampling: Sampling | None = None,
    tracer: Tracer | None = None,
    cancelled: Cancellation | None = None,
    cached: bool = True,
) -> Answer:
    """Answer a question from what the author wrote."""
    tracer = tracer or NoTracer()
    limits = limits or Limits()
    with tracer.trace(spans.project_of(twin.author), "answer") as span:
        metadata: dict[str, object] = {"author": twin.author, **twin.labels}
        span.set(spans.question_asked(question, metadata))
        found = _retrieved(twin, question, limits.k, filters or Filters(), span)
        given = _answered(twin, question, found.chunks, limits, span, tracer.address(span.trace_id))
        given = _with_lacking(given, found.lacking)
        metadata |= {
            "outcome": given.outcome.value,
            "degraded": given.degraded,
            "cause": given.cause,
            "support": round(given.support, 3),
            "citations": len(given.citations),
        }
        span.set(spans.answer_given(given.text, metadata))
        return given


def answer_stream(
    twin: Twin,
    question: str,
    *,
    history: Sequence[Message] = (),
    filters: Filters | None = None,
    limits: Limits | None = None,
    sampling: Sampling | None = None,
    tracer: Tracer | None = None,
    cancelled: Cancellation | None = None,
    cached: bool = True,
) -> Iterator[Delta | Answer]:
    """The answer as it comes, then all of it with its citations.

    A sentence is given once all that was written up to its end is supported, so nothing is ever taken back: the deltas
    joined are the answer's text. What is not supported is quoted instead, in one delta, or left out at the end.
    """
    given = answer(
        twin, question, history=history, filters=filters, limits=limits, sampling=sampling, tracer=tracer,
        cancelled=cancelled, cached=cached,
    )  # fmt: skip
    yield Delta(given.text)
    yield given


def fitting(
    engine: Engine, question: str, chunks: Sequence[FoundChunk], *, author_name: str, max_new_tokens: int
) -> list[Message]:
    """The prompt with as many passages, best first, as leave room for the answer; the question is never cut."""
    for count in range(len(chunks), -1, -1):
        passages = [Passage(chunk.context or chunk.title, chunk.text) for chunk in chunks[:count]]
        prompt = messages(question, passages, author_name=author_name)
        if engine.token_count(prompt) + max_new_tokens <= engine.context_tokens:
            return prompt
    raise EngineError(f"the question is too long for the model's context of {engine.context_tokens} tokens")


def _retrieved(twin: Twin, question: str, k: int, filters: Filters, span: Span) -> Retrieved:
    with span.child("retrieve") as step:
        step.set(spans.retrieval_asked(question))
        found = twin.retriever.find(question, k, filters)
        step.set(spans.documents_found(found.chunks, found.lacking))
        return found


def _with_lacking(given: Answer, lacking: Sequence[str]) -> Answer:
    """An answer from a search that had to do without one of its parts says so."""
    if not lacking:
        return given
    reason = "; ".join((*([given.reason] if given.reason else []), *lacking))
    return replace(given, degraded=True, reason=reason, cause=given.cause or "search_degraded")


def _answered(
    twin: Twin, question: str, chunks: Sequence[FoundChunk], limits: Limits, span: Span, address: str | None
) -> Answer:
    if not chunks:
        return _nothing_found(twin, span.trace_id, address)
    attempt = _attempt(twin, question, chunks, limits, span)
    usage = attempt.generated or Generated("", 0, 0)
    if attempt.cause is None:
        text, citations = cited(attempt.text, attempt.verdict.sentences, chunks)
        outcome, degraded = Outcome.ANSWERED, False
    elif quotes := best_quotes(question, chunks, twin.embedder):
        text, citations = quoted(quotes, f"What {twin.author_name} wrote on this:")
        outcome, degraded = Outcome.QUOTED, True
    else:
        return _nothing_found(twin, span.trace_id, address, usage)
    return Answer(
        text, citations, outcome, degraded, attempt.reason, attempt.cause, attempt.verdict.score,
        usage.prompt_tokens, usage.completion_tokens, span.trace_id, address,
    )  # fmt: skip


def _nothing_found(twin: Twin, trace_id: str, address: str | None, usage: Generated | None = None) -> Answer:
    usage = usage or Generated("", 0, 0)
    return Answer(
        text=f"I find nothing on this in what {twin.author_name} has written. "
        "Ask it in other words, or with fewer filters.",
        citations=(),
        outcome=Outcome.NOTHING_FOUND,
        degraded=False,
        reason="the record holds nothing on this",
        cause=Outcome.NOTHING_FOUND.value,
        support=0.0,
        prompt_tokens=usage.prompt_tokens,
        completion_tokens=usage.completion_tokens,
        trace_id=trace_id,
        trace_url=address,
    )


def _attempt(twin: Twin, question: str, chunks: Sequence[FoundChunk], limits: Limits, span: Span) -> _Attempt:
    try:
        generated = _generated(twin, question, chunks, limits, span)
    except EngineError as error:
        return _Attempt("", Verdict(0.0), "engine_failed", f"the model could not answer: {error.what}")
    text = unmarked(_complete(generated, limits.max_new_tokens))
    verdict = judge(text, [chunk.text for chunk in chunks], question=question, threshold=limits.support_threshold)
    return _Attempt(text, verdict, verdict.fault.value if verdict.fault else None, verdict.reason, generated)


def _generated(twin: Twin, question: str, chunks: Sequence[FoundChunk], limits: Limits, span: Span) -> Generated:
    with span.child("generate") as step:
        prompt = fitting(
            twin.engine, question, chunks, author_name=twin.author_name, max_new_tokens=limits.max_new_tokens
        )
        variables = {"author_name": twin.author_name, "question": question}
        step.set(spans.model_asked(twin.engine.name, prompt, limits.max_new_tokens, variables, prompt_digest()))
        generated = twin.engine.generate(prompt, Sampling(limits.max_new_tokens))
        step.set(spans.model_answered(generated))
        return generated


def _complete(generated: Generated, max_new_tokens: int) -> str:
    """A text that ran into its limit ends with its last whole sentence, if it has one."""
    if generated.completion_tokens < max_new_tokens:
        return generated.text
    found = list(sentences(generated.text))
    return generated.text[: found[-2].end] if len(found) > 1 else generated.text
