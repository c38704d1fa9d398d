"""What an engine is: a model that answers a conversation, whole or piece by piece, and how it fails."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from llm_twin_assets.inference.prompts import Message
from resources.errors import TwinError


class Failure(StrEnum):
    """How an engine fails; whoever serves answers each in its own way."""

    FAILED = "failed"
    SATURATED = "saturated"
    DEADLINE = "deadline"
    CANCELLED = "cancelled"
    REFUSED = "refused"


class EngineError(TwinError):
    """The engine cannot answer this; the caller falls back to quoting, unless it was the caller who cancelled.

    `retry_after` is after how many seconds it may be asked again, where that is known.
    """

    def __init__(self, what: str, *, kind: Failure = Failure.FAILED, retry_after: float | None = None) -> None:
        super().__init__(what)
        self.kind = kind
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Sampling:
    """How a model writes: greedily at temperature 0, else by chance, which a `seed` makes the same every time.

    What a `stop` string begins is not written.
    """

    max_new_tokens: int
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int | None = None
    stop: tuple[str, ...] = ()

    @property
    def repeatable(self) -> bool:
        """Whether the same prompt gets the same text."""
        return self.temperature == 0 or self.seed is not None


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of the text, as it is written."""

    text: str


@dataclass(frozen=True, slots=True)
class Generated:
    """What a model wrote, and how many tokens went in and came out; not `finished` if a limit cut it off."""

    text: str
    prompt_tokens: int
    completion_tokens: int
    finished: bool = True


class Cancellation(Protocol):
    """Whether nobody waits any more, such as a `threading.Event`."""

    def is_set(self) -> bool: ...  # noqa: D102


class Engine(Protocol):
    """A model that answers a conversation, from several threads at once."""

    @property
    def name(self) -> str:
        """What the model is called in traces."""
        ...

    @property
    def context_tokens(self) -> int:
        """How many tokens prompt and completion may take together."""
        ...

    def token_count(self, messages: Sequence[Message]) -> int:
        """Length of the rendered prompt in the model's tokens."""
        ...

    def generate(
        self, messages: Sequence[Message], sampling: Sampling, cancelled: Cancellation | None = None
    ) -> Generated:
        """The model's answer; raises `EngineError` if it has none to give, or nobody waits for it any more."""
        ...

    def stream(
        self, messages: Sequence[Message], sampling: Sampling, cancelled: Cancellation | None = None
    ) -> Iterator[Piece | Generated]:
        """The answer as it is written, then all of it at once; raises as `generate` does.

        To close the iterator is to cancel. The pieces joined are the text, but for blanks at its ends.
        """
        ...
