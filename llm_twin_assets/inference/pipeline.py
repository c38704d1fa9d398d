"""The one pipeline from a question to its answer: real time, batch, drafts and evaluation all go through it.

Question, made to stand by itself → retrieval of the release's own snapshot → does the record hold anything on it? →
prompt within the model's context → engine → as far as it is supported → citations. Where the engine fails or its answer
has no support, the author's best passages are quoted instead.
"""

from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from llm_twin_assets.domain.chunk import FoundChunk
from llm_twin_assets.domain.identity import digest
from llm_twin_assets.features.retrieve import Retrieved
from llm_twin_assets.inference import spans
from llm_twin_assets.inference.citations import quoted
from llm_twin_assets.inference.engine import Cancellation, EngineError, Failure, Generated, Piece, Sampling
from llm_twin_assets.inference.packing import fitting
from llm_twin_assets.inference.prompts import Message, prompt_digest
from llm_twin_assets.inference.quotes import best_quotes
from llm_twin_assets.inference.relevance import relevance
from llm_twin_assets.inference.standalone import condensed, standalone
from llm_twin_assets.inference.support import Support
from llm_twin_assets.inference.supported_text import SupportedText
from llm_twin_assets.inference.twin import Answer, Delta, Limits, Outcome, Twin
from resources.llm_errors import LlmError
from resources.tracing import Span, Tracer
from resources.vector_store import Filters

_Given: TypeAlias = Generator[Delta, None, Answer]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with all that bears on its answer.

    With a `topic` the question is what to write on that: a draft, which may say more than the record does.
    """

    question: str
    history: tuple[Message, ...]
    filters: Filters
    limits: Limits
    sampling: Sampling
    cancelled: Cancellation | None = None
    cached: bool = True
    streamed: bool = False
    topic: str | None = None

    @property
    def key(self) -> str:
        """The same for what must have the same answer from the same release."""
        return digest(
            [str(each) for each in (self.question, self.topic, self.history, self.filters, self.limits, self.sampling)]
        )


def answered(twin: Twin, asked: Asked, tracer: Tracer) -> Iterator[Delta | Answer]:
    """What of the answer may be given, as it comes; then the whole answer. Traced, and cached where that is allowed."""
    with tracer.trace(spans.project_of(twin.author), "answer") as span:
        metadata: dict[str, object] = {"author": twin.author, **twin.labels}
        span.set(spans.question_asked(asked.question, metadata))
        keeps = twin.answers if asked.cached and asked.sampling.repeatable else None
        known = keeps.get(asked.key) if keeps is not None else None
        if known is None:
            given = yield from _worked_out(twin, asked, span)
            if keeps is not None and not given.degraded:
                keeps.put(asked.key, given)
        else:
            given = known
            yield Delta(given.text)
        given = replace(given, answer_id=span.trace_id, trace_id=span.trace_id, trace_url=tracer.address(span.trace_id))
        metadata |= {
            "outcome": given.outcome.value,
            "degraded": given.degraded,
            "cause": given.cause,
            "support": round(given.support, 3),
            "citations": len(given.citations),
            "cached": known is not None,
        }
        span.set(spans.answer_given(given.text, metadata))
        yield given


def whole(parts: Iterable[Delta | Answer]) -> Answer:
    """The answer at the end of its parts."""
    return next(part for part in parts if isinstance(part, Answer))


def _worked_out(twin: Twin, asked: Asked, span: Span) -> _Given:
    question, lacking = _question(twin, asked)
    found = _retrieved(twin if asked.cached else twin.uncached, asked.topic or question, asked, span)
    if relevance(asked.topic or question, found.chunks) < asked.limits.relevance_threshold:
        given = _nothing_found(twin)
        yield Delta(given.text)
    else:
        given = yield from _from_passages(twin, question, found.chunks, asked, span)
    return _with_lacking(given, (*lacking, *found.lacking))


def _question(twin: Twin, asked: Asked) -> tuple[str, list[str]]:
    """The question as it stands by itself, and what could not be done for it."""
    if not asked.history:
        return asked.question, []
    if twin.condenser is not None:
        try:
            return condensed(asked.question, asked.history, twin.condenser), []
        except LlmError as error:
            return standalone(asked.question, asked.history), [f"condensing the history failed: {error.what}"]
    return standalone(asked.question, asked.history), []


def _retrieved(twin: Twin, question: str, asked: Asked, span: Span) -> Retrieved:
    with span.child("retrieve") as step:
        step.set(spans.retrieval_asked(question))
        found = twin.retriever.find(question, asked.limits.k, asked.filters)
        step.set(spans.documents_found(found.chunks, found.lacking))
        return found


def _with_lacking(given: Answer, lacking: Sequence[str]) -> Answer:
    """An answer from a search that had to do without one of its parts says so."""
    if not lacking:
        return given
    reason = "; ".join((*([given.reason] if given.reason else []), *lacking))
    return replace(given, degraded=True, reason=reason, cause=given.cause or "search_degraded")


def _from_passages(twin: Twin, question: str, chunks: Sequence[FoundChunk], asked: Asked, span: Span) -> _Given:
    passages = [chunk.text for chunk in chunks]
    threshold = asked.limits.support_threshold
    support = Support(passages, question=question, threshold=0.0 if asked.topic else threshold)
    text = SupportedText(chunks, support, twin.masked, marks_from=threshold if asked.topic else 0.0)
    failure: EngineError | None = None
    usage = Generated("", 0, 0)
    if twin.engine is not None:
        try:
            usage = yield from _written(twin, question, chunks, asked, span, text)
        except EngineError as error:
            if error.kind is Failure.CANCELLED:
                raise
            failure = error
            text.end(finished=False)
    given = _kept(text, failure) if text.kept else _quoted(twin, asked.topic or question, chunks, text, failure)
    if rest := given.text[text.given :]:
        yield Delta(rest)
    # The text is masked already, sentence by sentence; what it cites is not.
    citations = tuple(replace(each, quote=twin.masked(each.quote)) for each in given.citations)
    return replace(
        given, citations=citations, prompt_tokens=usage.prompt_tokens, completion_tokens=usage.completion_tokens
    )


def _written(
    twin: Twin, question: str, chunks: Sequence[FoundChunk], asked: Asked, span: Span, text: SupportedText
) -> Generator[Delta, None, Generated]:
    """Have the model write, and give what of it is supported, as it comes."""
    engine, sampling = twin.opened_engine, asked.sampling
    with span.child("generate") as step:
        prompt = fitting(engine, question, chunks, author_name=twin.author_name, max_new_tokens=sampling.max_new_tokens)
        variables = {"author_name": twin.author_name, "question": question}
        step.set(spans.model_asked(engine.name, prompt, sampling, variables, prompt_digest()))
        generated = Generated("", engine.token_count(prompt), 0, finished=False)
        for piece in _pieces(twin, prompt, asked):
            if isinstance(piece, Generated):
                generated = piece
                break
            text.add(piece.text)
            if fresh := text.fresh() if asked.streamed else "":
                yield Delta(fresh)
            if text.hopeless and asked.streamed:
                break  # to go on would only cost
            # A piece is about a token: what is known of the usage if this ends early.
            generated = replace(generated, completion_tokens=generated.completion_tokens + 1)
        text.end(finished=generated.finished and generated.completion_tokens < sampling.max_new_tokens)
        step.set(spans.model_answered(generated))
        return generated


def _pieces(twin: Twin, prompt: Sequence[Message], asked: Asked) -> Iterator[Piece | Generated]:
    if asked.streamed:
        yield from twin.opened_engine.stream(prompt, asked.sampling, asked.cancelled)
    else:
        generated = twin.opened_engine.generate(prompt, asked.sampling, asked.cancelled)
        yield Piece(generated.text)
        yield generated


def _kept(text: SupportedText, failure: EngineError | None) -> Answer:
    """The model's own words, as far as they are supported."""
    written, citations = text.answer()
    cause: str | None
    reason: str | None
    if failure is not None:
        cause, reason = _cause(failure), f"it ends early: {failure.what}"
    elif not text.whole:
        cause = "partly_unsupported"
        reason = f"what followed is left out: {text.verdict.reason or 'it has no end'}"
    else:
        cause, reason = None, text.unmarked
    return Answer(written, citations, Outcome.ANSWERED, cause is not None, reason, cause, text.support)


def _quoted(
    twin: Twin, question: str, chunks: Sequence[FoundChunk], text: SupportedText, failure: EngineError | None
) -> Answer:
    quotes = best_quotes(question, chunks, twin.embedder)
    if not quotes:
        return _nothing_found(twin)
    written, citations = quoted(quotes, f"What {twin.author_name} wrote on this:")
    cause: str | None
    reason: str | None
    if twin.engine is None:
        cause = reason = None
    elif failure is not None:
        cause, reason = _cause(failure), f"the model could not answer: {failure.what}"
    else:
        cause, reason = str(text.verdict.fault), text.verdict.reason
    return Answer(twin.masked(written), citations, Outcome.QUOTED, cause is not None, reason, cause, text.support)


def _cause(failure: EngineError) -> str:
    return f"engine_{failure.kind.value}"


def _nothing_found(twin: Twin) -> Answer:
    return Answer(
        text=f"I find nothing on this in what {twin.author_name} has written. "
        "Ask it in other words, or with fewer filters.",
        citations=(),
        outcome=Outcome.NOTHING_FOUND,
        degraded=False,
        reason="the record holds nothing on this",
        cause=Outcome.NOTHING_FOUND.value,
        support=0.0,
    )
