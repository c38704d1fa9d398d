"""What goes over the wire: questions and what they may draw on."""

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from llm_twin_assets.domain.document import Category
from resources.settings import AuthorKey
from resources.vector_store import Filters


def encodable(text: str) -> str:
    """Text as it is; raises `ValueError` if JSON spelt half of a surrogate pair, which no tokenizer can carry."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("holds half of a surrogate pair") from None
    return text


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


# The longest question, and the longest turn of a conversation before it, in characters.
MAX_QUESTION = 2000
MAX_TURN = 8000
MAX_TURNS = 40

Text = Annotated[str, AfterValidator(encodable)]
# Not blanks alone: the pattern says so in the schema, too.
Question = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_QUESTION, pattern=r"\S"),
    AfterValidator(encodable),
]
# What a client calls a conversation; it is stored with every trace, so it should tell nothing of anybody.
Session = Annotated[str, StringConstraints(min_length=1, max_length=128), AfterValidator(encodable)]
Turn = Annotated[str, StringConstraints(max_length=MAX_TURN), AfterValidator(encodable)]
Moment = Annotated[datetime, AfterValidator(_aware)]


class Wire(BaseModel):
    """A part of a request or an answer: immutable, and nothing unknown is passed over."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())


class FiltersIn(Wire):
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


class TurnIn(Wire):
    """What was said before."""

    role: Literal["user", "assistant"]
    content: Turn


class _Asked(Wire):
    """What every request to a twin may say; the author may be left out where only one is released.

    Requests of one `session` are one conversation in traces.
    """

    author: AuthorKey | None = None
    session: Session | None = None
    filters: FiltersIn = FiltersIn()
    k: int | None = Field(default=None, ge=1, le=50)


class AnswerRequest(_Asked):
    """A question to a twin.

    `history` is the conversation so far, oldest first. Without `style` the author is quoted and the model not asked.
    With `stream` the answer comes as server-sent events.
    """

    question: Question
    history: Annotated[tuple[TurnIn, ...], Field(max_length=MAX_TURNS)] = ()
    style: bool = True
    stream: bool = False


class SearchRequest(_Asked):
    """What to look for, in one's own words."""

    query: Question


class WriteRequest(_Asked):
    """What to draft, and in which form; with `stream` it comes as server-sent events."""

    topic: Question
    form: Literal["post", "article"] = "post"
    stream: bool = False


class CitationOut(Wire):
    """The mark `[marker]` in the answer: `quote` is the cleaned document's text from `start` to `end`."""

    marker: int
    document_id: str
    url: str | None
    title: str
    start: int
    end: int
    quote: str
    score: float


class Usage(Wire):
    """Tokens that the model read and wrote."""

    prompt_tokens: int
    completion_tokens: int


class AnswerResponse(Wire):
    """An answer. `reason` says why it is `degraded`.

    Either the author is quoted because the model could not answer, or a part of the search failed.
    `answer_id` is what `/v1/answers/{answer_id}/lineage` knows it by.
    """

    answer_id: str
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


class ChunkOut(Wire):
    """A chunk found: `text` is the cleaned document's text from `start` to `end`; a higher `score` is better."""

    chunk_id: str
    document_id: str
    category: str
    platform: str
    url: str | None
    title: str
    context: str
    start: int
    end: int
    text: str
    score: float


class SearchResponse(Wire):
    """What was found, best first; `lacking` says which parts of the search failed."""

    chunks: tuple[ChunkOut, ...]
    author: str
    release: str
    snapshot: str
    degraded: bool
    lacking: tuple[str, ...]


class AuthorOut(Wire):
    """Somebody whose twin answers."""

    author: str
    author_name: str
    release: str


class AuthorsOut(Wire):
    """Everybody whose twin answers and whom the key may ask."""

    authors: tuple[AuthorOut, ...]


class ReleaseOut(Wire):
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


class DocumentOut(Wire):
    """A document that an answer cites."""

    document_id: str
    url: str | None
    title: str


class LineageOut(Wire):
    """What an answer stands on: its release, what that was made of, and the documents it cites."""

    answer_id: str
    answered_at: datetime
    outcome: str
    release: ReleaseOut
    documents: tuple[DocumentOut, ...]
    trace_id: str
    trace_url: str | None


class ErrorBody(Wire):
    """What went wrong: a stable type for programs, a message for people."""

    type: str
    message: str


class ErrorOut(Wire):
    """Every error looks like this."""

    error: ErrorBody
