"""A draft in the author's voice, from what the author wrote on its topic."""

from collections.abc import Iterator

from llm_twin_assets.inference.asked import Asked, Asker
from llm_twin_assets.inference.asked import Form as Form
from llm_twin_assets.inference.engine import Cancellation, Sampling
from llm_twin_assets.inference.pipeline import answered, whole
from llm_twin_assets.inference.twin import Answer, Delta, Limits, Twin
from resources.tracing import NoTracer, Tracer
from resources.vector_store import Filters

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
    asker: Asker | None = None,
    cancelled: Cancellation | None = None,
    cached: bool = True,
) -> Answer:
    """A draft. Marks stand where it draws on the record; `reason` says how many sentences stand on nothing there.

    Where the model gives no draft, the best passages are quoted, to write from (`outcome` is "quoted").
    """
    asked = _asked(topic, form, filters, limits, sampling, cancelled, asker, cached=cached, streamed=False)
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
    asker: Asker | None = None,
    cancelled: Cancellation | None = None,
    cached: bool = True,
) -> Iterator[Delta | Answer]:
    """The draft as it comes, a sentence at a time, then all of it; the deltas joined are its text."""
    asked = _asked(topic, form, filters, limits, sampling, cancelled, asker, cached=cached, streamed=True)
    return answered(twin, asked, tracer or NoTracer())


def instruction(form: Form, topic: str) -> str:
    """What a model is asked for a draft."""
    return _INSTRUCTIONS[form].format(topic=topic)


def _asked(
    topic: str,
    form: Form,
    filters: Filters | None,
    limits: Limits | None,
    sampling: Sampling | None,
    cancelled: Cancellation | None,
    asker: Asker | None,
    *,
    cached: bool,
    streamed: bool,
) -> Asked:
    return Asked.of(
        instruction(form, topic),
        filters=filters,
        limits=limits,
        sampling=sampling,
        cancelled=cancelled,
        cached=cached,
        streamed=streamed,
        topic=topic,
        form=form,
        asker=asker,
    )
