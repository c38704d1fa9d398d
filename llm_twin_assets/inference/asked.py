"""What is asked of a twin, with all that bears on the answer, and by whom."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from llm_twin_assets.domain.identity import digest
from llm_twin_assets.inference.engine import Cancellation, Sampling
from llm_twin_assets.inference.prompts import Message
from llm_twin_assets.inference.twin import Limits
from resources.vector_store import Filters

Form = Literal["post", "article"]


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, as a trace may know it: `user` is a pseudonym, `session` what the client calls the conversation."""

    user: str | None = None
    session: str | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with all that bears on its answer.

    With a `topic` the question is what to write on that, in a `form`: a draft, which may say more than the record does.
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
    form: Form | None = None
    asker: Asker = Asker()

    @classmethod
    def of(
        cls,
        question: str,
        *,
        history: Sequence[Message] = (),
        filters: Filters | None = None,
        limits: Limits | None = None,
        sampling: Sampling | None = None,
        cancelled: Cancellation | None = None,
        cached: bool = True,
        streamed: bool = False,
        topic: str | None = None,
        form: Form | None = None,
        asker: Asker | None = None,
    ) -> "Asked":
        """What is left open is as usual; sampling goes as far as the limits."""
        limits = limits or Limits()
        return cls(
            question=question,
            history=tuple(history),
            filters=filters or Filters(),
            limits=limits,
            sampling=sampling or Sampling(limits.max_new_tokens),
            cancelled=cancelled,
            cached=cached,
            streamed=streamed,
            topic=topic,
            form=form,
            asker=asker or Asker(),
        )

    @property
    def key(self) -> str:
        """The same for what must have the same answer from the same release, whoever asks."""
        return digest(
            [str(each) for each in (self.question, self.topic, self.history, self.filters, self.limits, self.sampling)]
        )
