"""What goes over the wire."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from llm_twin_assets.domain.document import Category
from llm_twin_assets.domain.release import Release
from llm_twin_assets.inference.answer import Answer
from resources.settings import AuthorKey
from resources.vector_store import Filters


def _encodable(text: str) -> str:
    # JSON may spell half of a surrogate pair; no tokenizer and no trace can carry it.
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("holds half of a surrogate pair") from None
    return text


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


Text = Annotated[str, AfterValidator(_encodable)]
Question = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000), AfterValidator(_encodable)
]
Moment = Annotated[datetime, AfterValidator(_aware)]


class _Wire(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())


class FiltersIn(_Wire):
    """Which of the author's documents an answer may draw on; a date without a zone is UTC."""

    categories: Annotated[tuple[Category, ...], Field(min_length=1)] | None = None
    platforms: Annotated[tuple[Text, ...], Field(min_length=1, max_length=20)] | None = None
    languages: Annotated[tuple[Text, ...], Field(min_length=1, max_length=20)] | None = None
    tags: Annotated[tuple[Text, ...], Field(min_length=1, max_length=50)] | None = None
    published_after: Moment | None = None
    published_before: Moment | None = None

    def as_filters(self) -> Filters:
        """The same for the index."""
        return Filters(
            categories=tuple(each.value for each in self.categories) if self.categories else None,
            platforms=self.platforms,
            languages=self.languages,
            # Lower case, as tags are stored.
            tags=tuple(each.lower() for each in self.tags) if self.tags else None,
            published_after=self.published_after,
            published_before=self.published_before,
        )


class AnswerRequest(_Wire):
    """A question to a twin; the author may be left out where only one is released."""

    question: Question
    author: AuthorKey | None = None
    filters: FiltersIn = FiltersIn()
    k: int | None = Field(default=None, ge=1, le=50)


class CitationOut(_Wire):
    """The mark `[marker]` in the answer: `quote` is the cleaned document's text from `start` to `end`."""

    marker: int
    document_id: str
    url: str | None
    title: str
    start: int
    end: int
    quote: str
    score: float


class Usage(_Wire):
    """Tokens that the model read and wrote."""

    prompt_tokens: int
    completion_tokens: int


class AnswerResponse(_Wire):
    """An answer. `reason` says why it is `degraded`.

    Either the author is quoted because the model could not answer, or a part of the search failed.
    """

    answer: str
    citations: tuple[CitationOut, ...]
    author: str
    release: str
    model_version: str
    snapshot: str
    outcome: str
    degraded: bool
    reason: str | None
    support: float
    usage: Usage
    trace_id: str
    trace_url: str | None


class ReleaseOut(_Wire):
    """A release that is being served."""

    release: str
    author: str
    author_name: str
    sequence: int
    model_name: str
    model_version: str
    base: str
    dataset: str
    snapshot: str
    embedder: str
    approver: str
    reason: str | None
    verdict: str | None
    override: bool
    released_at: datetime


class ErrorBody(_Wire):
    """What went wrong: a stable type for programs, a message for people."""

    type: str
    message: str


class ErrorOut(_Wire):
    """Every error looks like this."""

    error: ErrorBody


def answer_out(answer: Answer, release: Release) -> AnswerResponse:
    """An answer and the release that gave it, for the wire."""
    return AnswerResponse(
        answer=answer.text,
        citations=tuple(
            CitationOut(
                marker=each.marker,
                document_id=each.document_id,
                url=each.url,
                title=each.title,
                start=each.start,
                end=each.end,
                quote=each.quote,
                score=round(each.score, 4),
            )
            for each in answer.citations
        ),
        author=release.author,
        release=release.release_id,
        model_version=release.model_version,
        snapshot=release.snapshot,
        outcome=answer.outcome.value,
        degraded=answer.degraded,
        reason=answer.reason,
        support=round(answer.support, 3),
        usage=Usage(prompt_tokens=answer.prompt_tokens, completion_tokens=answer.completion_tokens),
        trace_id=answer.trace_id,
        trace_url=answer.trace_url,
    )


def release_out(release: Release) -> ReleaseOut:
    """A release for the wire: no path of this machine, no digest that means nothing to a caller."""
    return ReleaseOut(
        release=release.release_id,
        author=release.author,
        author_name=release.author_name,
        sequence=release.sequence,
        model_name=release.model_name,
        model_version=release.model_version,
        base=release.base,
        dataset=release.dataset,
        snapshot=release.snapshot,
        embedder=release.embedder,
        approver=release.approver,
        reason=release.reason,
        verdict=release.verdict,
        override=release.override,
        released_at=release.released_at,
    )
