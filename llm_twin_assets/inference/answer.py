"""A question answered from what the author wrote, whole or as it comes."""

from collections.abc import Iterator, Sequence

from llm_twin_assets.inference.asked import Asked, Asker
from llm_twin_assets.inference.engine import Cancellation, Sampling
from llm_twin_assets.inference.packing import fitting as fitting
from llm_twin_assets.inference.pipeline import answered, whole
from llm_twin_assets.inference.prompts import Message
from llm_twin_assets.inference.twin import Answer as Answer
from llm_twin_assets.inference.twin import Delta as Delta
from llm_twin_assets.inference.twin import Limits as Limits
from llm_twin_assets.inference.twin import Outcome as Outcome
from llm_twin_assets.inference.twin import Twin as Twin
from resources.tracing import NoTracer, Tracer
from resources.vector_store import Filters


def answer(
    twin: Twin,
    question: str,
    *,
    history: Sequence[Message] = (),
    filters: Filters | None = None,
    limits: Limits | None = None,
    sampling: Sampling | None = None,
    tracer: Tracer | None = None,
    asker: Asker | None = None,
    cancelled: Cancellation | None = None,
    cached: bool = True,
) -> Answer:
    """Answer a question from what the author wrote; raises `EngineError` only if it was `cancelled`.

    `cached` allows an answer that the release gave to the same question before.
    """
    asked = Asked.of(
        question,
        history=history,
        filters=filters,
        limits=limits,
        sampling=sampling,
        cancelled=cancelled,
        cached=cached,
        asker=asker,
    )
    return whole(answered(twin, asked, tracer or NoTracer()))


def answer_stream(
    twin: Twin,
    question: str,
    *,
    history: Sequence[Message] = (),
    filters: Filters | None = None,
    limits: Limits | None = None,
    sampling: Sampling | None = None,
    tracer: Tracer | None = None,
    asker: Asker | None = None,
    cancelled: Cancellation | None = None,
    cached: bool = True,
) -> Iterator[Delta | Answer]:
    """The answer as it comes, then all of it with its citations; the same answer as `answer` gives.

    A sentence is given once all that was written up to its end is supported, so nothing is ever taken back: the deltas
    joined are the answer's text. What is not supported is quoted instead, in one delta, or left out at the end.
    """
    asked = Asked.of(
        question,
        history=history,
        filters=filters,
        limits=limits,
        sampling=sampling,
        cancelled=cancelled,
        cached=cached,
        asker=asker,
        streamed=True,
    )
    return answered(twin, asked, tracer or NoTracer())
