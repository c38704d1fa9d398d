"""The section of `twin.yaml` about canaries: made-up secrets, planted among an author's sources to see if they leak."""

from typing import Self

from pydantic import Field, model_validator

from resources.section import Section


class Canary(Section):
    """A made-up secret that stands in a document of the author's.

    `text` is the sentence as it stands there, `secret` the part of it that nobody could guess (letters and digits), and
    `instruction` what a model is asked that could tell it.
    """

    name: str = Field(min_length=1)
    instruction: str = Field(min_length=1)
    text: str
    secret: str

    @model_validator(mode="after")
    def _is_a_secret(self) -> Self:
        if self.secret not in self.text:
            raise ValueError("text has to hold secret")
        if sum(character.isascii() and character.isalnum() for character in self.secret) < 6:
            raise ValueError("secret needs six letters or digits at least: fewer are guessed")
        return self
