"""One thing that somebody said about an answer, as it is written down the moment it is said, never to be changed."""

import uuid
from collections.abc import Mapping
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from llm_twin_assets.domain.chain import Reader
from llm_twin_assets.domain.feedback import Feedback, Source, Thumb
from resources.errors import StorageError

# An answer's identity is its trace's, 32 hexadecimal digits: it may stand in a path.
AnswerId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]

MAX_COMMENT = 2000
MAX_CORRECTION = 20_000
# Of the author's own keys; whichever of them it was, it is one voice.
AUTHOR = "author"
# Stands beside what was said of an answer, once a document that it drew on was forgotten: nobody takes it up again.
FORGOTTEN = "forgotten"


class Answered(BaseModel):
    """What the remark is about: the question as it stands by itself, the answer, the documents that it cites."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    question: str
    answer: str
    documents: tuple[str, ...] = ()


class Remark(BaseModel):
    """A thumb, a score, a comment, a corrected text, or several of them.

    `voice` tells apart who spoke, without a name. `answered` is None where who wrote it down did not know the answer.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    author: str
    answer_id: AnswerId
    voice: str
    author_key: bool
    created_at: AwareDatetime
    source: Source = "service"
    thumb: Thumb | None = None
    score: float | None = Field(default=None, allow_inf_nan=False)
    comment: str | None = None
    corrected_text: str | None = None
    answered: Answered | None = None

    @property
    def texts(self) -> tuple[str, ...]:
        """All words in it, those of the answer, too."""
        words = (
            self.comment,
            self.corrected_text,
            *((self.answered.question, self.answered.answer) if self.answered else ()),
        )
        return tuple(text for text in words if text)

    @property
    def documents(self) -> tuple[str, ...]:
        """The documents that its answer cites."""
        return self.answered.documents if self.answered else ()


def prefix(author: str) -> str:
    """Where an author's remarks are in the object store."""
    return f"feedback/{author}"


def folder(author: str, answer_id: str) -> str:
    """Where those on one answer are."""
    return f"{prefix(author)}/{answer_id}"


def new_path(remark: Remark) -> str:
    """A place for a remark that no other one has."""
    return f"{folder(remark.author, remark.answer_id)}/{uuid.uuid4().hex}.json"


def read(objects: Reader, path: str) -> Remark:
    """The remark that lies there; raises `StorageError` if it is none."""
    try:
        return Remark.model_validate_json(objects.find(path) or b"")
    except ValidationError as error:
        said = error.errors(include_input=False, include_url=False)[0]["msg"]
        raise StorageError(f"is no feedback: {said}", where=path, mend="Remove the object.") from None


def together(remarks: Mapping[str, Remark], answered: Answered) -> Feedback:
    """What one voice says about one answer, from its remarks by name: of each thing the latest."""
    ordered = sorted(remarks.items(), key=lambda each: (each[1].created_at, each[0]))
    last = ordered[-1][1]
    said: dict[str, object] = {}
    for _, remark in ordered:
        said |= remark.model_dump(include={"thumb", "score", "comment", "corrected_text"}, exclude_none=True)
    latest = last.model_copy(update=said)
    return Feedback(
        answer_id=last.answer_id,
        author=last.author,
        question=answered.question,
        answer=answered.answer,
        corrected_text=latest.corrected_text,
        thumb=latest.thumb,
        score=latest.score,
        comment=latest.comment,
        author_key=last.author_key,
        created_at=last.created_at,
        source=last.source,
        voice=last.voice,
        remarks=tuple(name for name, _ in ordered),
        in_phoenix=last.source == "phoenix",
    )
