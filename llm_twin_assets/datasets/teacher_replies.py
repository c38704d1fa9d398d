"""What a teacher's replies have to look like, and what makes an instruction useless."""

import re
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StringConstraints, ValidationError

from llm_twin_assets.datasets.words import ngrams, word_count, words_of
from resources.errors import TwinError
from resources.llm_json import json_of

F = TypeVar("F", bound="Form")

_Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000)]
# Twice what is asked for: counting is not what models do best.
_LONGEST = 120
# An instruction of which more than this share of 5-grams is the answer's has copied it.
_GRAM, _COPIED = 5, 0.5
# The tags that the text came in.
_TAG = re.compile(r"</?(text|question|instruction)-[0-9a-f]{12}>")


class UnusableReplyError(TwinError):
    """A reply that is not what was asked for."""


class Form(BaseModel):
    """What a reply has to look like; what it holds besides is passed over."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    @classmethod
    def of(cls: type[F], value: object) -> F | None:
        """The value in this form, or None; a bare value is taken for that of a form with a single key."""
        [first, *others] = cls.model_fields
        if not others and not isinstance(value, dict):
            value = {first: value}
        try:
            return cls.model_validate(value)
        except ValidationError:
            return None


class Instruction(Form):
    """An instruction."""

    instruction: _Text


class Instructions(Form):
    """Several, each to be looked at by itself."""

    instructions: list[JsonValue]


class Question(Form):
    """A question, and the words that answer it."""

    question: _Text
    quote: _Text


class Questions(Form):
    """Several, each to be looked at by itself."""

    questions: list[JsonValue]


class Answerable(Form):
    """Whether a text answers a question, and with which words."""

    answerable: bool
    quote: str = ""


class Score(Form):
    """From 1 (useless) to 5 (just what was asked for)."""

    score: int = Field(ge=1, le=5)


def read(reply: str, form: type[F]) -> F:
    """A reply in a form; raises `UnusableReplyError`."""
    found = json_of(reply)
    if found is None:
        raise UnusableReplyError("the reply is no JSON")
    if (read := form.of(found)) is None:
        raise UnusableReplyError("the reply has another form")
    return read


def one_line(instruction: str) -> str:
    """An instruction without line breaks: none was asked for."""
    return " ".join(instruction.split())


def fault_of(instruction: str, answer: str) -> str | None:
    """Why an instruction is of no use with this answer, if it is of none."""
    if word_count(instruction) > _LONGEST:
        return "the instruction is too long"
    if _TAG.search(instruction):
        return "the instruction quotes our tags"
    own, given = (set(ngrams(words_of(text), _GRAM).tolist()) for text in (instruction, answer))
    if own and len(own & given) > _COPIED * len(own):
        return "the instruction copies the answer"
    return None
