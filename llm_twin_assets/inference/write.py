"""A draft in the author's voice, from what the author wrote on its topic."""

from typing import Literal

from llm_twin_assets.inference.answer import Answer, Limits, Twin, answer
from llm_twin_assets.inference.engine import Cancellation, Sampling
from resources.tracing import Tracer
from resources.vector_store import Filters

Form = Literal["post", "article"]


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
    """A draft, with citations of what it draws on; `support` and `reason` say how much of it the record does not hold.

    Where the model gives no draft, the best passages are quoted, to write from (`outcome` is "quoted").
    """
    return answer(twin, topic, filters=filters, limits=limits, sampling=sampling, tracer=tracer, cancelled=cancelled)
