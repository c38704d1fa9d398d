"""The desk: takes a question, finds whose twin is asked, and has it answered from one release throughout."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TypedDict

from bentos.annotator import Annotator, NoAnnotator
from bentos.answer_log import AnswerLog
from bentos.errors import ApiError
from bentos.follower import ReleaseFollower
from bentos.metrics import ServiceMetrics
from bentos.releases import Released
from llm_twin_assets.features.retrieve import Retrieved
from llm_twin_assets.inference.answer import Answer, Delta, Limits, Twin, answer, answer_stream
from llm_twin_assets.inference.asked import Asker
from llm_twin_assets.inference.engine import Cancellation, Sampling
from llm_twin_assets.inference.opening import limits_of
from llm_twin_assets.inference.prompts import Message
from llm_twin_assets.inference.search import search
from llm_twin_assets.inference.standalone import standalone
from llm_twin_assets.inference.write import Form, instruction, write, write_stream
from resources.pseudonyms import Pseudonyms
from resources.settings import Serving
from resources.tracing import Tracer
from resources.vector_store import Filters


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of a twin, however it came over the wire; with a `form` it is the topic of a draft.

    Without `style` the author is quoted; unless `cached`, nothing that was remembered is said. `who` names who asks:
    it goes no further than this process.
    """

    question: str
    history: tuple[Message, ...] = ()
    filters: Filters = field(default_factory=Filters)
    k: int | None = None
    sampling: Sampling | None = None
    form: Form | None = None
    style: bool = True
    cached: bool = True
    who: tuple[str, ...] = ()
    session: str | None = None


class _How(TypedDict):
    filters: Filters
    limits: Limits
    sampling: Sampling | None
    tracer: Tracer
    asker: Asker
    cancelled: Cancellation | None


@dataclass(frozen=True, slots=True)
class Desk:
    """What a request needs. Whatever it does takes its time: it is called in a thread."""

    releases: ReleaseFollower
    serving: Serving
    tracer: Tracer
    log: AnswerLog = field(default_factory=AnswerLog)
    metrics: ServiceMetrics = field(default_factory=ServiceMetrics)
    annotator: Annotator = field(default_factory=NoAnnotator)
    pseudonyms: Pseudonyms | None = None

    def answer(self, released: Released, asked: Asked, cancelled: Cancellation) -> Answer:
        """Answer a question, or draft on a topic; raises `TwinError` if neither can be."""
        twin, how = self._twin(released, asked), self._how(asked, cancelled)
        with (
            self.releases.canaries.watching(released) as watched,
            self.metrics.answering(released.record.author) as counted,
        ):
            if asked.form is None:
                given = answer(twin, asked.question, history=asked.history, cached=asked.cached, **how)
            else:
                given = write(twin, asked.question, asked.form, cached=asked.cached, **how)
            counted.answered(given)
            watched(given)
        self.log.keep(_standing_alone(asked), given, released.record)
        return given

    def answer_stream(self, released: Released, asked: Asked, cancelled: Cancellation) -> Iterator[Delta | Answer]:
        """The same as it comes; the deltas joined are the text of the answer that ends them."""
        twin, how = self._twin(released, asked), self._how(asked, cancelled)
        if asked.form is None:
            parts = answer_stream(twin, asked.question, history=asked.history, cached=asked.cached, **how)
        else:
            parts = write_stream(twin, asked.question, asked.form, cached=asked.cached, **how)
        with (
            self.releases.canaries.watching(released) as watched,
            self.metrics.answering(released.record.author) as counted,
        ):
            for part in parts:
                counted.begun()
                if isinstance(part, Answer):
                    counted.answered(part)
                    watched(part)
                    self.log.keep(_standing_alone(asked), part, released.record)
                yield part

    def search(self, released: Released, asked: Asked) -> Retrieved:
        """Chunks of the release's snapshot."""
        twin = released.twin if asked.cached else released.twin.uncached
        asker = self._asker(asked)
        return search(twin, asked.question, asked.k or self.serving.k, asked.filters, tracer=self.tracer, asker=asker)

    def served(self, authors: Collection[str] | None = None) -> list[Released]:
        """What answers now, of these authors."""
        current = self.releases.current
        return [current[author] for author in sorted(current) if authors is None or author in authors]

    def released(self, author: str | None, authors: Collection[str] | None = None) -> Released:
        """The release that answers for an author; raises `ApiError` if there is none, or not for who may ask these."""
        if author is not None and authors is not None and author not in authors:
            # The same words as for nobody: who may not ask need not know who there is.
            raise _unknown(author)
        current = {each.record.author: each for each in self.served(authors)}
        if author is None:
            return self._only(current)
        if released := current.get(author):
            return released
        if author in self.releases.known:
            raise ApiError(503, "not_loaded", f"the release of '{author}' is not loaded", retry_after=5)
        if not self.releases.current:
            raise self._nothing()
        raise _unknown(author)

    def _twin(self, released: Released, asked: Asked) -> Twin:
        twin = _styled(released.twin, asked)
        return twin.muted if released.record.author in self.releases.paused else twin

    def _how(self, asked: Asked, cancelled: Cancellation) -> _How:
        limits = limits_of(self.serving, asked.k, asked.sampling.max_new_tokens if asked.sampling else None)
        return _How(
            filters=asked.filters,
            limits=limits,
            sampling=asked.sampling,
            tracer=self.tracer,
            asker=self._asker(asked),
            cancelled=cancelled,
        )

    def _asker(self, asked: Asked) -> Asker:
        user = self.pseudonyms.of(*asked.who) if asked.who and self.pseudonyms else None
        return Asker(user, asked.session)

    def _only(self, current: Mapping[str, Released]) -> Released:
        if not current:
            raise self._nothing()
        if len(current) > 1:
            known = ", ".join(sorted(current))
            raise ApiError(422, "author_needed", f"several twins are released; name one of: {known}", param="author")
        return next(iter(current.values()))

    def _nothing(self) -> ApiError:
        if self.releases.known:
            why = "a release is being loaded, or cannot be; try again in a moment"
            return ApiError(503, "nothing_released", why, retry_after=5)
        return ApiError(503, "nothing_released", "no twin has been released yet", retry_after=60)


def _standing_alone(asked: Asked) -> str:
    """The question as who has not heard the conversation would be asked it."""
    return instruction(asked.form, asked.question) if asked.form else standalone(asked.question, asked.history)


def _styled(twin: Twin, asked: Asked) -> Twin:
    # Answers that are remembered are the model's.
    return twin if asked.style else replace(twin, engine=None, answers=None)


def _unknown(author: str) -> ApiError:
    return ApiError(404, "unknown_author", f"there is no released twin of '{author}'", param="author")
