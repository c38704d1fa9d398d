"""The desk: takes a question, finds whose twin is asked, and has it answered from one release throughout."""

from collections.abc import Mapping
from dataclasses import dataclass

from bentos.errors import ApiError
from bentos.follower import ReleaseFollower
from bentos.releases import Released
from bentos.schemas import AnswerRequest, AnswerResponse, ReleaseOut, answer_out, release_out
from llm_twin_assets.inference.answer import Limits, answer
from resources.settings import Serving
from resources.tracing import Tracer


@dataclass(frozen=True, slots=True)
class Desk:
    """What a request needs."""

    releases: ReleaseFollower
    serving: Serving
    tracer: Tracer

    def answer(self, request: AnswerRequest) -> AnswerResponse:
        """Answer a question; raises `ApiError` if nobody can."""
        released = self._released(request.author)
        limits = Limits(
            k=request.k or self.serving.k,
            max_new_tokens=self.serving.max_new_tokens,
            support_threshold=self.serving.support_threshold,
        )
        given = answer(
            released.twin, request.question, filters=request.filters.as_filters(), limits=limits, tracer=self.tracer
        )
        return answer_out(given, released.record)

    def release(self, author: str | None) -> ReleaseOut:
        """The release that answers for an author; raises `ApiError` if there is none."""
        return release_out(self._released(author).record)

    def _released(self, author: str | None) -> Released:
        current = self.releases.current
        if not current:
            raise ApiError(503, "nothing_released", self._why_nothing())
        if author is None:
            return _only(current)
        if released := current.get(author):
            return released
        if author in self.releases.known:
            raise ApiError(503, "not_loaded", f"the release of '{author}' is not loaded")
        raise ApiError(404, "unknown_author", f"there is no released twin of '{author}'")

    def _why_nothing(self) -> str:
        if self.releases.known:
            return "a release is being loaded, or cannot be; try again in a moment"
        return "no twin has been released yet"


def _only(current: Mapping[str, Released]) -> Released:
    if len(current) > 1:
        raise ApiError(422, "author_needed", f"several twins are released; name one of: {', '.join(sorted(current))}")
    return next(iter(current.values()))
