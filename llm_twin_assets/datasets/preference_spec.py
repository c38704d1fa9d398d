"""The order for the process that lets a model on this machine answer, and what it leaves: files, both ways."""

import json
from collections.abc import Iterator
from pathlib import Path

from llm_twin_assets.domain.release import Record
from resources.errors import TwinError


class GenerationError(TwinError):
    """A model on this machine could not be made to answer."""


class Turn(Record):
    """One turn of a conversation."""

    role: str
    content: str


class Conversation(Record):
    """What is to be answered, and an answer of about what length is wanted."""

    key: str
    messages: tuple[Turn, ...]
    wanted: str
    length_ratio: float


class GenerationSpec(Record):
    """The model of a folder, and the conversations; `temperature` 0 takes the likeliest token each time."""

    model: Path
    conversations: tuple[Conversation, ...]
    max_new_tokens: int
    batch_size: int
    temperature: float
    seed: int
    output: Path


class Answer(Record):
    """One line of the output; `finished` is False where the answer was cut at its longest length.

    `special_tokens` counts the tokens of the chat template that stood in the answer; the text is without them.
    """

    key: str
    text: str
    prompt_tokens: int
    completion_tokens: int
    finished: bool
    special_tokens: int = 0


def answers(output: Path) -> Iterator[Answer]:
    """The lines that came whole: the process may have been killed while it wrote the last one."""
    if not output.is_file():
        return
    with output.open(encoding="utf-8") as lines:
        for line in lines:
            if line.endswith("\n"):
                yield Answer.model_validate(json.loads(line))
