"""What `Twin` and `Engine` say to each other beside OpenAI's protocol: a model is leased before it is asked."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from bentos.stored_model import ModelDigest
from llm_twin_assets.inference.engine import Sampling
from llm_twin_assets.inference.prompt_tokens import TokenizerData
from llm_twin_assets.inference.prompts import Message


class _Said(BaseModel):
    model_config = ConfigDict(frozen=True, protected_namespaces=())


class LeaseOut(_Said):
    """A model that is loaded: how much it reads and writes together, and how it counts."""

    context_tokens: int
    tokenizer: TokenizerData | None


class TurnIn(_Said):
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


class EngineRequest(_Said):
    """A conversation that the model of that digest is to go on with, streamed; without `pieces` in one event."""

    model: ModelDigest
    messages: Annotated[tuple[TurnIn, ...], Field(min_length=1)]
    max_tokens: int = Field(ge=1)
    temperature: float = Field(default=0.0, ge=0)
    top_p: float = Field(default=1.0, gt=0, le=1)
    seed: int | None = None
    stop: tuple[str, ...] = ()
    stream: Literal[True]
    pieces: bool = True

    @property
    def prompt(self) -> list[Message]:
        """The conversation."""
        return [{"role": turn.role, "content": turn.content} for turn in self.messages]

    @property
    def sampling(self) -> Sampling:
        """How the model is to write."""
        return Sampling(self.max_tokens, self.temperature, self.top_p, self.seed, self.stop)
