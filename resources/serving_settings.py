"""The section of `twin.yaml` about how twins answer."""

from typing import Literal, Self

from pydantic import Field, model_validator

from resources.llm_settings import ChatEndpoint, Endpoint, Patience
from resources.section import Section


class ServingModel(ChatEndpoint):
    """A chat model that answers in a twin's place: vLLM, SGLang, llama.cpp, Ollama, or any of that protocol.

    `context_tokens` is how much it reads and writes together. Of `patience`, `timeout` is how long the next piece may
    take and `deadline` how long the whole answer; after so many `failures` in a row it is left alone for
    `pause_seconds`. `temperature` and `max_tokens` are the request's.
    """

    context_tokens: int = Field(default=8192, ge=256)
    max_kb: int = Field(default=8192, ge=1)
    pause_seconds: float = Field(default=15.0, gt=0)
    patience: Patience = Patience(timeout=20.0, deadline=60.0, attempts=3, longest_wait=5.0)


class Serving(Section):
    """How the service retrieves and answers; `warm` keeps the release before open, at the cost of its memory.

    `engine` is what writes: the released model (`transformers`), in the service `Engine`, which is started beside
    `Twin` or runs at `engine_url`; a chat model at `endpoint` (`openai`); or nobody (`extractive`: the author is
    quoted). `k` chunks are found; where the model's context has room left, up to `neighbours` to either side of each
    come with it, as far as its section goes. Questions whose best passage is below `relevance_threshold` are refused.
    `batch` requests run together at most; `waiting` more may queue, and each has `deadline_seconds`. `batching` is how:
    in `padded` batches, which wait for company for `batch_window_ms` and then take nobody in, in `continuous` ones,
    which take in and let go at every token, or (`auto`) in the latter on CUDA and in the former elsewhere. Of each
    release `cached_questions` vectors and `cached_answers` answers are remembered, `cache_mb` megabytes of both each.
    """

    engine: Literal["transformers", "openai", "extractive"] = "transformers"
    engine_url: Endpoint | None = None
    endpoint: ServingModel | None = None
    k: int = Field(default=6, ge=1, le=50)
    neighbours: int = Field(default=0, ge=0, le=16)
    max_new_tokens: int = Field(default=160, ge=8)
    support_threshold: float = Field(default=0.5, ge=0, le=1)
    relevance_threshold: float = Field(default=0.25, ge=0, le=1)
    warm: bool = True
    batch: int = Field(default=8, ge=1, le=256)
    batching: Literal["auto", "padded", "continuous"] = "auto"
    batch_window_ms: float = Field(default=3.0, ge=0, le=1000)
    waiting: int = Field(default=64, ge=0)
    deadline_seconds: float = Field(default=60.0, gt=0)
    cached_questions: int = Field(default=2000, ge=0)
    cached_answers: int = Field(default=500, ge=0)
    cache_mb: float = Field(default=8.0, ge=0)

    @model_validator(mode="after")
    def _has_who_answers(self) -> Self:
        if self.engine == "openai" and self.endpoint is None:
            raise ValueError("engine: openai needs endpoint: url and model of who answers")
        return self
