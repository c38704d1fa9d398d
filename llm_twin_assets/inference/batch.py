"""Many questions answered one after the other, by the pipeline that answers people; how they are asked and given."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from pydantic import BaseModel, ConfigDict, Field

from llm_twin_assets.inference.answer import Answer, Limits, Twin, answer
from llm_twin_assets.inference.citations import Citation
from resources.errors import TwinError
from resources.vector_store import Filters


class _Line(BaseModel):
    """A line of JSON, between the process that has the questions and the one that has the model."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class BatchQuestion(_Line):
    """A question, and which documents its answer may draw on."""

    question_id: str
    question: str = Field(min_length=1)
    filters: Filters = Filters()


class BatchAnswer(_Line):
    """An answer, as the service would give it."""

    question_id: str
    answer: str
    outcome: str
    degraded: bool
    cause: str | None
    reason: str | None
    support: float
    citations: tuple[Citation, ...]
    prompt_tokens: int
    completion_tokens: int


class BatchFailure(_Line):
    """A question that could not be answered; it may be asked again."""

    question_id: str
    failed: str


def batch_answers(
    twin: Twin, questions: Sequence[BatchQuestion], limits: Limits, at_once: int, paused: Callable[[], bool]
) -> Iterator[BatchAnswer | BatchFailure]:
    """An answer a question, in their order; `at_once` questions are worked on together.

    Before each is asked whether the twin is `paused`: from then on the author is quoted, as the service does it.
    """
    with ThreadPoolExecutor(at_once, thread_name_prefix="batch") as pool:
        yield from pool.map(lambda asked: _answered(twin, asked, limits, paused), questions)


def _answered(
    twin: Twin, asked: BatchQuestion, limits: Limits, paused: Callable[[], bool]
) -> BatchAnswer | BatchFailure:
    try:
        answering = twin.muted if paused() else twin
        given = answer(answering, asked.question, filters=asked.filters, limits=limits)
    except TwinError as error:
        return BatchFailure(question_id=asked.question_id, failed=str(error))
    return _line(asked, given)


def _line(asked: BatchQuestion, given: Answer) -> BatchAnswer:
    return BatchAnswer(
        question_id=asked.question_id,
        answer=given.text,
        outcome=given.outcome.value,
        degraded=given.degraded,
        cause=given.cause,
        reason=given.reason,
        support=given.support,
        citations=given.citations,
        prompt_tokens=given.prompt_tokens,
        completion_tokens=given.completion_tokens,
    )
