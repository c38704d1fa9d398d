"""The sections of `twin.yaml` about chat models that teach, and about preference pairs."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, JsonValue, StringConstraints, field_validator, model_validator

from resources.section import Section


def _endpoint(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("is no address of an API, such as http://127.0.0.1:8080/v1")
    if parts.username or parts.password or parts.query or parts.fragment:
        # An address is shown in logs and kept in manifests.
        raise ValueError("holds more than an address; a key belongs into the variable that key_variable names")
    return url.rstrip("/")


Endpoint = Annotated[str, AfterValidator(_endpoint)]
# What looks like a key and not like a variable is refused here, before it can be shown anywhere.
VariableName = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]*$", max_length=64)]
TeacherTask = Literal["back_translation", "paraphrases", "questions", "curation"]


class Price(Section):
    """What a service asks for a million tokens, in whatever currency the budget is meant."""

    prompt: float = Field(default=0.0, ge=0)
    completion: float = Field(default=0.0, ge=0)


class Budget(Section):
    """What one run may spend at most; what the cache answers is free."""

    tokens: int | None = Field(default=None, ge=1)
    cost: float | None = Field(default=None, gt=0)


class Patience(Section):
    """How long an answer is waited for. `timeout` (seconds) is one attempt's, `deadline` all attempts' together."""

    timeout: float = Field(default=120.0, gt=0)
    deadline: float = Field(default=300.0, gt=0)
    attempts: int = Field(default=6, ge=1)
    backoff: float = Field(default=0.5, ge=0)
    longest_wait: float = Field(default=60.0, ge=0)
    # So many questions in a row that got no answer mean that the model is gone.
    failures: int = Field(default=5, ge=1)


class ChatEndpoint(Section):
    """A chat model behind an OpenAI-compatible API, asked many questions at once.

    `key_variable` names the environment variable that holds its key. `parameters` go into every request as they are;
    null takes one out (`max_tokens: null, max_completion_tokens: 900` for a service that renamed it).
    """

    url: Endpoint
    model: str = Field(min_length=1)
    key_variable: VariableName | None = None
    concurrency: int = Field(default=8, ge=1, le=256)
    temperature: float = Field(default=0.0, ge=0, le=2)
    max_tokens: int = Field(default=600, ge=16)
    max_kb: int = Field(default=512, ge=1)
    parameters: dict[str, JsonValue] = Field(default_factory=dict)
    patience: Patience = Patience()
    price: Price = Price()
    budget: Budget = Budget()

    def request(self, messages: Sequence[Mapping[str, object]], seed: int | None = None) -> dict[str, object]:
        """The body of a chat-completions request."""
        body: dict[str, object] = {
            "model": self.model,
            "messages": [dict(message) for message in messages],
            "temperature": self.temperature,
            "max_tokens": self.max_tokens,
            **({} if seed is None else {"seed": seed}),
            **self.parameters,
        }
        return {key: value for key, value in body.items() if value is not None}

    @field_validator("parameters")
    @classmethod
    def _leave_the_question_alone(cls, parameters: dict[str, JsonValue]) -> dict[str, JsonValue]:
        if ours := sorted({"model", "messages", "stream", "n"} & parameters.keys()):
            raise ValueError(f"cannot hold {', '.join(ours)}")
        return parameters

    @model_validator(mode="after")
    def _cost_can_be_counted(self) -> Self:
        if self.budget.cost is not None and not (self.price.prompt or self.price.completion):
            raise ValueError("budget.cost needs price: what a million tokens cost")
        return self


class RewritingModel(ChatEndpoint):
    """A chat model asked while somebody waits: once, for a short answer. Of `patience` only `timeout` counts."""

    max_tokens: int = Field(default=256, ge=16)
    max_kb: int = Field(default=1024, ge=1)
    patience: Patience = Patience(timeout=20.0)


class Teacher(ChatEndpoint):
    """A model that makes up instructions and judges them; it never writes an answer.

    `min_score` of 5 is what a sample needs (4 of 5 is "helpful, with small faults"); `passages_per_document` bounds
    what it makes up for a long document. `curation` has the samples judged, too, that are made by rules.
    """

    tasks: tuple[TeacherTask, ...] = ("back_translation", "questions", "curation")
    passages_per_document: int = Field(default=4, ge=1)
    paraphrases: int = Field(default=2, ge=1, le=10)
    questions: int = Field(default=3, ge=1, le=10)
    min_score: int = Field(default=4, ge=1, le=5)


class Preference(Section):
    """Pairs for preference training: the author's text, and what a model makes of the same instruction.

    `rejected_by` says whose answers are rejected: the untrained `base`, the `champion` of the registry, the `teacher`,
    or the model at `endpoint`. `length_ratio` bounds how far the two may differ in words, either way. `feedback` says
    whose corrections and thumbs count.
    """

    enabled: bool = False
    rejected_by: Literal["base", "champion", "teacher", "endpoint"] = "base"
    endpoint: ChatEndpoint | None = None
    feedback: Literal["author", "anyone", "nobody"] = "author"
    length_ratio: float = Field(default=1.5, ge=1, le=10)
    max_overlap: float = Field(default=0.6, gt=0, le=1)
    max_pairs: int = Field(default=1000, ge=1)
    max_new_tokens: int = Field(default=400, ge=16)
    batch_size: int = Field(default=8, ge=1)
    temperature: float = Field(default=0.8, ge=0, le=2)
    seed: int = 13

    @model_validator(mode="after")
    def _has_who_answers(self) -> Self:
        if self.rejected_by == "endpoint" and self.endpoint is None:
            raise ValueError("rejected_by: endpoint needs endpoint: url and model of who answers")
        return self
