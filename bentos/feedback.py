"""`POST /v1/feedback`: what somebody says of an answer is written down before anything else is done with it."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter
from pydantic import AfterValidator, ConfigDict, Field, StringConstraints, model_validator
from pydantic.json_schema import SkipJsonSchema

from bentos.answer_log import Spoken
from bentos.door import Caller
from bentos.errors import ApiError
from bentos.native import RESPONSES
from bentos.schemas import Wire, encodable
from bentos.visit import Visit, Visiting
from llm_twin_assets.domain.feedback import Thumb, feedback_id
from llm_twin_assets.domain.remark import AUTHOR, MAX_COMMENT, MAX_CORRECTION, AnswerId, Remark, new_path
from llm_twin_assets.inference.answer import Twin
from llm_twin_assets.inference.spans import project_of
from resources.errors import StorageError
from resources.phoenix_annotations import annotations
from resources.settings import AuthorKey

# Any key at all may be lost or taken back; what was said with it is still one voice.
_NO_KEY = "local"
_SAID = ("thumb", "score", "comment", "corrected_text")

Comment = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_COMMENT, pattern=r"\S"),
    AfterValidator(encodable),
]
# Not stripped: it is somebody's text.
Correction = Annotated[
    str, StringConstraints(min_length=1, max_length=MAX_CORRECTION, pattern=r"\S"), AfterValidator(encodable)
]


class FeedbackRequest(Wire):
    """What is said of an answer: at least one of thumb, score, comment, corrected text; said again, it replaces.

    What is not said is left out. `author` is needed only where several twins are released and this service does not
    remember the answer.
    """

    model_config = ConfigDict(json_schema_extra={"anyOf": [{"required": [name]} for name in _SAID]})

    answer_id: AnswerId
    author: AuthorKey | None = None
    thumb: Thumb | SkipJsonSchema[None] = None
    score: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] | SkipJsonSchema[None] = None
    comment: Comment | SkipJsonSchema[None] = None
    corrected_text: Correction | SkipJsonSchema[None] = None

    @model_validator(mode="after")
    def _says_something(self) -> "FeedbackRequest":
        said = self.model_fields_set.intersection(_SAID)
        if not said or any(getattr(self, name) is None for name in said):
            raise ValueError(f"give at least one of {', '.join(_SAID)}, and none without a value")
        return self


class FeedbackResponse(Wire):
    """What was kept, personal data masked.

    `author_key`: it came with the author's own key. `answer_known`: the answer is remembered here; else its words are
    looked up in its trace later.
    """

    feedback_id: str
    answer_id: str
    author: str
    author_key: bool
    answer_known: bool
    created_at: datetime
    thumb: Thumb | None
    score: float | None
    comment: str | None
    corrected_text: str | None


router = APIRouter(prefix="/v1", responses=RESPONSES)


@router.post("/feedback")
async def feedback(body: FeedbackRequest, visit: Visiting) -> FeedbackResponse:
    """Say what you think of an answer: a thumb, a score, a comment, what it should have been."""
    spoken = visit.desk.log.spoken(body.answer_id)
    twin = visit.released(_author(body, spoken, visit.caller), "feedback").twin
    remark = _remark(body, twin, spoken, visit.caller)
    await visit.found(lambda: _keep(visit, remark))
    said = remark.model_dump(include=set(_SAID))
    identity = feedback_id(remark.author, remark.answer_id, remark.voice)
    told = annotations(identity, **{("correction" if name == "corrected_text" else name): said[name] for name in _SAID})
    visit.desk.annotator.annotate(project_of(twin.author), remark.answer_id, told)
    return FeedbackResponse(
        **said,
        feedback_id=identity,
        answer_id=remark.answer_id,
        author=remark.author,
        author_key=remark.author_key,
        answer_known=spoken is not None,
        created_at=remark.created_at,
    )


def _author(body: FeedbackRequest, spoken: Spoken | None, caller: Caller) -> str | None:
    """Whose twin gave the answer; raises `ApiError` where that is not who was said, or not for the key."""
    if spoken is None:
        return body.author
    hidden = caller.authors is not None and spoken.author not in caller.authors
    if hidden or body.author not in (None, spoken.author):
        raise ApiError(404, "unknown_answer", "no such answer is remembered", param="answer_id")
    return spoken.author


def _remark(body: FeedbackRequest, twin: Twin, spoken: Spoken | None, caller: Caller) -> Remark:
    is_author = caller.key is not None and caller.key.held_by == twin.author
    voice = AUTHOR if is_author else f"key-{caller.key.sha256[:16]}" if caller.key else _NO_KEY
    answered = spoken.answered if spoken else None
    return Remark(
        author=twin.author,
        answer_id=body.answer_id,
        voice=voice,
        author_key=is_author,
        created_at=datetime.now(UTC),
        thumb=body.thumb,
        score=body.score,
        comment=body.comment and twin.masked(body.comment),
        corrected_text=body.corrected_text and twin.masked(body.corrected_text),
        answered=answered and answered.model_copy(update={"question": twin.masked(answered.question)}),
    )


def _keep(visit: Visit, remark: Remark) -> None:
    try:
        visit.desk.releases.objects.put_new(new_path(remark), remark.model_dump_json(exclude_none=True).encode())
    except (OSError, StorageError) as error:
        raise ApiError(503, "not_kept", "it could not be kept; send it again", retry_after=10) from error
