"""OpenAI's chat, models and embeddings, as far as a twin can honour them.

What would change the answer and cannot be done is refused; what is a hint to somebody else's servers is passed over.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from bentos.schemas import MAX_QUESTION, MAX_TURN, MAX_TURNS, CitationOut, Text, Turn, Wire

ModelName = Annotated[Text, StringConstraints(min_length=1, max_length=200)]
Zero = Annotated[float, Field(ge=0, le=0)]
Stop = Annotated[Text, StringConstraints(min_length=1, max_length=200)]
Embedded = Annotated[Text, StringConstraints(min_length=1, max_length=MAX_TURN)]
_MAX_NEW_TOKENS = 8192


class _In(BaseModel):
    # Clients send keys that concern OpenAI's own servers, and new ones every month.
    model_config = ConfigDict(frozen=True, extra="ignore", protected_namespaces=())


class TextPart(_In):
    """A part of a message; there are only parts of text."""

    type: Literal["text"]
    text: Turn


class ChatMessage(_In):
    """A turn. What `system` and `developer` say is not followed: a twin speaks as its author."""

    role: Literal["system", "developer", "user", "assistant"]
    content: Turn | Annotated[tuple[TextPart, ...], Field(min_length=1, max_length=20)]

    @property
    def text(self) -> str:
        """What it says."""
        if isinstance(self.content, str):
            return self.content
        return "\n".join(part.text for part in self.content)


class StreamOptions(_In):
    """What a stream tells beside the text."""

    include_usage: bool = False


class TextFormat(_In):
    """A twin answers in prose."""

    type: Literal["text"]


class ChatRequest(_In):
    """A conversation that ends with a user's turn: the question. `model` is the author."""

    model: ModelName
    messages: Annotated[tuple[ChatMessage, ...], Field(min_length=1, max_length=MAX_TURNS + 2)]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_tokens: int | None = Field(default=None, ge=1, le=_MAX_NEW_TOKENS)
    max_completion_tokens: int | None = Field(default=None, ge=1, le=_MAX_NEW_TOKENS)
    temperature: float | None = Field(default=None, ge=0, le=2)
    top_p: float | None = Field(default=None, gt=0, le=1)
    seed: int | None = Field(default=None, ge=-(2**63), lt=2**63)
    stop: Stop | Annotated[tuple[Stop, ...], Field(max_length=4)] | None = None
    n: Literal[1] | None = None
    logprobs: Literal[False] | None = None
    tools: Annotated[tuple[object, ...], Field(max_length=0)] | None = None
    response_format: TextFormat | None = None
    presence_penalty: Zero | None = None
    frequency_penalty: Zero | None = None
    user: Annotated[Text, StringConstraints(max_length=512)] | None = None

    @property
    def stops(self) -> tuple[str, ...]:
        """The strings that end the answer."""
        return (self.stop,) if isinstance(self.stop, str) else self.stop or ()

    @model_validator(mode="after")
    def _ends_with_a_question(self) -> "ChatRequest":
        last = self.messages[-1]
        if last.role != "user" or not last.text.strip():
            raise ValueError("the last message has to be a user's question")
        if len(last.text) > MAX_QUESTION:
            raise ValueError(f"a question may have {MAX_QUESTION} characters")
        return self


class EmbeddingsRequest(_In):
    """Texts for the embedding model of an author's release; tokens are not taken, for they are another model's."""

    model: ModelName
    input: Embedded | Annotated[tuple[Embedded, ...], Field(min_length=1, max_length=100)]
    encoding_format: Literal["float", "base64"] = "float"

    @property
    def texts(self) -> list[str]:
        """What is to be embedded."""
        return [self.input] if isinstance(self.input, str) else list(self.input)


class ChatUsage(Wire):
    """Tokens that the model read and wrote."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class TwinOut(Wire):
    """What a twin tells beside the text: what `/v1/answer` tells."""

    answer_id: str
    citations: tuple[CitationOut, ...]
    release: str
    snapshot: str
    outcome: str
    degraded: bool
    reason: str | None
    support: float
    trace_id: str
    trace_url: str | None


class MessageOut(Wire):
    """The answer."""

    role: Literal["assistant"] = "assistant"
    content: str
    refusal: None = None


FinishReason = Literal["stop", "length"]


class ChoiceOut(Wire):
    """The one answer."""

    index: Literal[0] = 0
    message: MessageOut
    finish_reason: FinishReason
    logprobs: None = None


class ChatResponse(Wire):
    """A chat completion; `twin` is ours."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    choices: tuple[ChoiceOut, ...]
    usage: ChatUsage
    twin: TwinOut


class DeltaOut(Wire):
    """A part of the answer."""

    role: Literal["assistant"] | None = None
    content: str | None = None


class ChunkChoice(Wire):
    """A part of the one answer."""

    index: Literal[0] = 0
    delta: DeltaOut
    finish_reason: FinishReason | None = None
    logprobs: None = None


class ChatChunk(Wire):
    """One event of a stream; `twin` comes with the last part."""

    id: str
    object: Literal["chat.completion.chunk"] = "chat.completion.chunk"
    created: int
    model: str
    choices: tuple[ChunkChoice, ...]
    usage: ChatUsage | None = None
    twin: TwinOut | None = None


class ModelOut(Wire):
    """An author."""

    id: str
    object: Literal["model"] = "model"
    created: int
    owned_by: str


class ModelsOut(Wire):
    """All authors whom the key may ask."""

    object: Literal["list"] = "list"
    data: tuple[ModelOut, ...]


class EmbeddingOut(Wire):
    """A vector; in base64 as little-endian float32."""

    object: Literal["embedding"] = "embedding"
    index: int
    embedding: tuple[float, ...] | str


class EmbeddingsUsage(Wire):
    """Tokens that the embedding model read."""

    prompt_tokens: int
    total_tokens: int


class EmbeddingsOut(Wire):
    """Vectors in the order of the texts."""

    object: Literal["list"] = "list"
    data: tuple[EmbeddingOut, ...]
    model: str
    usage: EmbeddingsUsage


class OpenAIErrorBody(Wire):
    """What went wrong, as OpenAI's clients read it."""

    message: str
    type: str
    param: str | None
    code: str | None


class OpenAIErrorOut(Wire):
    """Every error on these paths looks like this."""

    error: OpenAIErrorBody
