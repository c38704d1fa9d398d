"""The one pipeline from a question to its answer: real time, batch, drafts and evaluation all go through it.

Question, made to stand by itself → retrieval of the release's own snapshot → does the record hold anything on it? →
prompt within the model's context → engine → as far as it is supported → citations. Where the engine fails or its answer
has no support, the author's best passages are quoted instead.
"""

import logging
import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TypeAlias

from llm_twin_assets.domain.chunk import FoundChunk
from llm_twin_assets.inference import spans
from llm_twin_assets.inference.asked import Asked
from llm_twin_assets.inference.citations import quoted
from llm_twin_assets.inference.engine import EngineError, Failure, Generated, Piece
from llm_twin_assets.inference.masking import CountingMask
from llm_twin_assets.inference.neighbours import neighbours_of
from llm_twin_assets.inference.packing import fitting
from llm_twin_assets.inference.prompts import Message
from llm_twin_assets.inference.quotes import best_quotes
from llm_twin_assets.inference.relevance import relevance
from llm_twin_assets.inference.search_spans import SearchSpans
from llm_twin_assets.inference.standalone import condensed, standalone
from llm_twin_assets.inference.support import Support
from llm_twin_assets.inference.supported_text import SupportedText
from llm_twin_assets.inference.twin import Answer, Delta, Outcome, Twin
from resources.llm_errors import LlmError
from resources.tracing import Span, Tracer

_Given: TypeAlias = Generator[Delta, None, Answer]
_LOG = logging.getLogger(__name__)

_PAUSED = ("paused", "the twin is paused: until it goes on, the author is quoted")


def answered(twin: Twin, asked: Asked, tracer: Tracer) -> Iterator[Delta | Answer]:
    """What of the answer may be given, as it comes; then the whole answer. Traced, and cached where that is allowed."""
    with tracer.trace(spans.project_of(twin.author), "answer", twin.scrubber.masked) as span:
        labels = spans.labels_of(twin, asked)
        span.set(spans.question_asked(asked, labels))
        given = yield from _remembered(twin, asked, span)
        given = replace(given, answer_id=span.trace_id, trace_id=span.trace_id, trace_url=tracer.address(span.trace_id))
        span.set(spans.answer_given(given, labels))
        yield given


def _remembered(twin: Twin, asked: Asked, span: Span) -> _Given:
    keeps = twin.answers if asked.cached and asked.sampling.repeatable else None
    if keeps is None:
        return (yield from _Work(twin, asked, span).answer())
    with keeps.alone(asked.key, asked.cancelled):
        if (known := keeps.get(asked.key)) is None:
            work = _Work(twin, asked, span)
            given = yield from work.answer()
            if work.lasting:
                keeps.put(asked.key, given)
            return given
    yield Delta(known.text)
    return replace(known, cached=True, first_token_ms=None)


def whole(parts: Iterable[Delta | Answer]) -> Answer:
    """The answer at the end of its parts, which are all taken: a trace ends well with the last."""
    [given] = [part for part in parts if isinstance(part, Answer)]
    return given


class _Work:
    """The work on one answer, and what is noted of it on the way.

    It is `lasting` unless a part failed: what the model says without support, it would say again.
    """

    def __init__(self, twin: Twin, asked: Asked, span: Span) -> None:
        self.lasting = True
        self._twin = twin
        self._asked = asked
        self._span = span
        self._masked = CountingMask(twin.scrubber)
        self._began = time.perf_counter()
        self._first_token_ms: float | None = None

    def answer(self) -> _Given:
        """What may be given, as it comes; returns the answer."""
        question, lacking = self._question()
        about = self._asked.topic or question
        twin = self._twin if self._asked.cached else self._twin.uncached
        steps = SearchSpans(twin, self._span)
        found = twin.retriever.find(about, self._asked.limits.k, self._asked.filters, steps)
        near = relevance(about, found.chunks)
        if near < self._asked.limits.relevance_threshold:
            given = _nothing_found(self._twin)
            yield Delta(given.text)
        else:
            around = neighbours_of(twin, found.chunks, self._asked.limits.neighbours)
            lacking += around.lacking
            given = yield from self._from_passages(question, found.chunks, around.chunks)
        noted = replace(given, relevance=near, first_token_ms=self._first_token_ms, personal_data=self._masked.found)
        lacking += found.lacking
        self.lasting = self.lasting and not lacking
        return _with_lacking(noted, lacking)

    def _question(self) -> tuple[str, list[str]]:
        """The question as it stands by itself, and what could not be done for it."""
        asked, condenser = self._asked, self._twin.condenser
        if not asked.history:
            return asked.question, []
        if condenser is None:
            return standalone(asked.question, asked.history), []
        try:
            with SearchSpans(self._twin, self._span).rewrite(asked.question) as told:
                question = condensed(asked.question, asked.history, condenser)
                told(question)
        except LlmError as error:
            _LOG.warning("condensing the history failed, rules do it: %s", error)
            return standalone(asked.question, asked.history), ["condensing the history failed"]
        return question, []

    def _from_passages(self, question: str, found: Sequence[FoundChunk], around: Sequence[FoundChunk]) -> _Given:
        twin, asked = self._twin, self._asked
        chunks = [*found, *around]
        passages = [chunk.text for chunk in chunks]
        threshold = asked.limits.support_threshold
        support = Support(passages, question=question, threshold=0.0 if asked.topic else threshold)
        text = SupportedText(chunks, support, self._masked, marks_from=threshold if asked.topic else 0.0)
        failure: EngineError | None = None
        usage = Generated("", 0, 0)
        if twin.engine is not None:
            try:
                usage = yield from self._written(question, found, around, text)
            except EngineError as error:
                if error.kind is Failure.CANCELLED:
                    self._span.abandoned()
                    raise
                failure = error
                self.lasting = False
                text.end(finished=False)
        given = _kept(text, failure) if text.kept else self._quoted(asked.topic or question, found, text, failure)
        if rest := given.text[text.given :]:
            yield Delta(rest)
        # The text is masked already, sentence by sentence; what it cites is not.
        citations = tuple(replace(each, quote=self._masked(each.quote)) for each in given.citations)
        return replace(
            given, citations=citations, prompt_tokens=usage.prompt_tokens, completion_tokens=usage.completion_tokens
        )

    def _written(
        self, question: str, found: Sequence[FoundChunk], around: Sequence[FoundChunk], text: SupportedText
    ) -> Generator[Delta, None, Generated]:
        """Have the model write, and give what of it is supported, as it comes."""
        twin, asked, engine, limit = (
            self._twin,
            self._asked,
            self._twin.opened_engine,
            self._asked.sampling.max_new_tokens,
        )
        with self._span.child("generate") as step:
            prompt = fitting(engine, question, found, around, author_name=twin.author_name, max_new_tokens=limit)
            variables = {"author_name": twin.author_name, "question": question}
            step.set(spans.model_asked(engine, prompt, asked, variables))
            generated = Generated("", engine.token_count(prompt), 0, finished=False)
            for piece in self._pieces(prompt, step):
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
            text.end(finished=generated.finished and generated.completion_tokens < limit)
            step.set(spans.model_answered(generated, self._first_token_ms))
            return generated

    def _pieces(self, prompt: Sequence[Message], step: Span) -> Iterator[Piece | Generated]:
        engine, asked = self._twin.opened_engine, self._asked
        if not asked.streamed:
            generated = engine.generate(prompt, asked.sampling, asked.cancelled)
            yield Piece(generated.text)
            yield generated
            return
        for piece in engine.stream(prompt, asked.sampling, asked.cancelled):
            if self._first_token_ms is None:
                self._first_token_ms = 1000 * (time.perf_counter() - self._began)
                step.event(spans.FIRST_TOKEN)
            yield piece

    def _quoted(
        self, question: str, chunks: Sequence[FoundChunk], text: SupportedText, failure: EngineError | None
    ) -> Answer:
        twin = self._twin
        quotes = best_quotes(question, chunks, twin.embedder)
        if not quotes:
            return _nothing_found(twin)
        written, citations = quoted(quotes, f"What {twin.author_name} wrote on this:")
        cause: str | None
        reason: str | None
        if twin.engine is None:
            cause, reason = _PAUSED if twin.paused else (None, None)
        elif failure is not None:
            cause, reason = _cause(failure), f"the model could not answer: {failure.what}"
        else:
            cause, reason = str(text.verdict.fault), text.verdict.reason
        degraded = cause is not None
        return Answer(self._masked(written), citations, Outcome.QUOTED, degraded, reason, cause, text.support)


def _with_lacking(given: Answer, lacking: Sequence[str]) -> Answer:
    """An answer from a search that had to do without one of its parts says so."""
    if not lacking:
        return given
    reason = "; ".join((*([given.reason] if given.reason else []), *lacking))
    return replace(given, degraded=True, reason=reason, cause=given.cause or "search_degraded")


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
