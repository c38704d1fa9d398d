"""A draft in the author's voice, from what the author wrote on its topic."""

from collections.abc import Iterator
from typing import Literal

from llm_twin_assets.inference.engine import Cancellation, Sampling
from llm_twin_assets.inference.pipeline import Asked, answered, whole
from llm_twin_assets.inference.twin import Answer, Delta, Limits, Twin
from resources.tracing import NoTracer, Tracer
from resources.vector_store import Filters

Form = Literal["post", "article"]

# As training words it (datasets/instructions.py), so that a model knows what is wanted.
_INSTRUCTIONS: dict[Form, str] = {
    "post": "Write a post about {topic}.",
    "article": 'Write the opening of the article "{topic}".',
}


def write(
    twin: Twin,
    topic: str,
    form: Form = "post",
    *,
    filters: Filters | None = None,
    limits: Limits | None = None,
    sampling: Sampling | None = None,
    tracer: Tracer | None = None,
    cancelled: Cancellation | None = None,
) -> Answer:
    """A draft. Marks stand where it draws on the record; `reason` says how many sentences stand on nothing there.

    Where the model gives no draft, the best passages are quoted, to write from (`outcome` is "quoted").
    """
    asked = _asked(topic, form, filters, limits, sampling, cancelled, streamed=False)
    return whole(answered(twin, asked, tracer or NoTracer()))


def write_stream(
    twin: Twin,
    topic: str,
    form: Form = "post",
    *,
    filters: Filters | None = None,
    limits: Limits | None = None,
    sampling: Sampling | None = None,
    tracer: Tracer | None = None,
    cancelled: Cancellation | None = None,
) -> Iterator[Delta | Answer]:
    """The draft as it comes, a sentence at a time, then all of it; the deltas joined are its text."""
    asked = _asked(topic, form, filters, limits, sampling, cancelled, streamed=True)
    return answered(twin, asked, tracer or NoTracer())


def _asked(
    topic: str,
    form: Form,
    filters: Filters | None,
    limits: Limits | None,
    sampling: Sampling | None,
    cancelled: Cancellation | None,
    *,
    streamed: bool,
) -> Asked:
    limits = limits or Limits()
    return Asked(
        _INSTRUCTIONS[form].format(topic=topic),
        (),
        filters or Filters(),
        limits,
        sampling or Sampling(limits.max_new_tokens),
        cancelled,
        streamed=streamed,
        topic=topic,
    )
