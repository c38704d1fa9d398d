"""The desk: takes a question, finds whose twin is asked, and has it answered from one release throughout."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from bentos.answer_log import AnswerLog
from bentos.errors import ApiError
from bentos.follower import ReleaseFollower
from bentos.releases import Released
from llm_twin_assets.features.retrieve import Retrieved
from llm_twin_assets.inference.answer import Answer, Delta, Limits, answer, answer_stream
from llm_twin_assets.inference.engine import Cancellation, Sampling
from llm_twin_assets.inference.prompts import Message
from llm_twin_assets.inference.search import search
from llm_twin_assets.inference.write import Form, write
from resources.settings import Serving
from resources.tracing import Tracer
from resources.vector_store import Filters


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of a twin, however it came over the wire."""

    question: str
    history: tuple[Message, ...] = ()
    filters: Filters = field(default_factory=Filters)
    k: int | None = None
    sampling: Sampling | None = None


@dataclass(frozen=True, slots=True)
class Desk:
    """What a request needs. Whatever it does takes its time: it is called in a thread."""

    releases: ReleaseFollower
    serving: Serving
    tracer: Tracer
    log: AnswerLog = field(default_factory=AnswerLog)

    def answer(self, released: Released, asked: Asked, cancelled: Cancellation | None = None) -> Answer:
        """Answer a question; raises `TwinError` if it cannot be."""
        given = answer(
            released.twin,
            asked.question,
            history=asked.history,
            filters=asked.filters,
            limits=self._limits(asked),
            sampling=asked.sampling,
            tracer=self.tracer,
            cancelled=cancelled,
        )
        self.log.keep(given, released.record)
        return given

    def answer_stream(
        self, released: Released, asked: Asked, cancelled: Cancellation | None = None
    ) -> Iterator[Delta | Answer]:
        """The same as it comes; the deltas joined are the text of the answer that ends them."""
        for part in answer_stream(
            released.twin,
            asked.question,
            history=asked.history,
            filters=asked.filters,
            limits=self._limits(asked),
            sampling=asked.sampling,
            tracer=self.tracer,
            cancelled=cancelled,
        ):
            if isinstance(part, Answer):
                self.log.keep(part, released.record)
            yield part

    def search(self, released: Released, asked: Asked) -> Retrieved:
        """Chunks of the release's snapshot."""
        return search(released.twin, asked.question, asked.k or self.serving.k, asked.filters)

    def write(self, released: Released, asked: Asked, form: Form, cancelled: Cancellation | None = None) -> Answer:
        """A draft in the author's voice."""
        given = write(
            released.twin,
            asked.question,
            form,
            filters=asked.filters,
            limits=self._limits(asked),
            sampling=asked.sampling,
            tracer=self.tracer,
            cancelled=cancelled,
        )
        self.log.keep(given, released.record)
        return given

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

    def _limits(self, asked: Asked) -> Limits:
        return Limits(
            k=asked.k or self.serving.k,
            max_new_tokens=asked.sampling.max_new_tokens if asked.sampling else self.serving.max_new_tokens,
            support_threshold=self.serving.support_threshold,
        )

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


def _unknown(author: str) -> ApiError:
    return ApiError(404, "unknown_author", f"there is no released twin of '{author}'", param="author")
