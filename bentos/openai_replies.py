"""From what a twin gave to what OpenAI's clients read."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bentos.openai_schemas import (
    ChatChunk,
    ChatResponse,
    ChatUsage,
    ChoiceOut,
    ChunkChoice,
    DeltaOut,
    EmbeddingOut,
    FinishReason,
    MessageOut,
    ModelOut,
    TwinOut,
)  # fmt: skip
from bentos.replies import citation_out
from llm_twin_assets.domain.release import Release
from llm_twin_assets.inference.answer import Answer


@dataclass(frozen=True, slots=True)
class Completion:
    """One chat completion under way: what all its parts share."""

    id: str
    created: int
    release: Release
    max_new_tokens: int

    def whole(self, answer: Answer) -> ChatResponse:
        """All of it at once."""
        choice = ChoiceOut(message=MessageOut(content=answer.text), finish_reason=self._reason(answer))
        return ChatResponse(
            id=self.id,
            created=self.created,
            model=self.release.author,
            choices=(choice,),
            usage=_usage(answer),
            twin=self._twin(answer),
        )

    def begin(self) -> ChatChunk:
        """Who speaks."""
        return self._chunk(ChunkChoice(delta=DeltaOut(role="assistant", content="")))

    def part(self, text: str) -> ChatChunk:
        """The next words."""
        return self._chunk(ChunkChoice(delta=DeltaOut(content=text)))

    def end(self, answer: Answer) -> ChatChunk:
        """Why it ends, and what it stands on."""
        last = self._chunk(ChunkChoice(delta=DeltaOut(), finish_reason=self._reason(answer)))
        return last.model_copy(update={"twin": self._twin(answer)})

    def usage(self, answer: Answer) -> ChatChunk:
        """What it cost: an event of its own, without a choice."""
        return self._chunk().model_copy(update={"usage": _usage(answer)})

    def _chunk(self, *choices: ChunkChoice) -> ChatChunk:
        return ChatChunk(id=self.id, created=self.created, model=self.release.author, choices=choices)

    def _reason(self, answer: Answer) -> FinishReason:
        return "length" if answer.completion_tokens >= self.max_new_tokens else "stop"

    def _twin(self, answer: Answer) -> TwinOut:
        return TwinOut(
            answer_id=answer.answer_id,
            citations=tuple(citation_out(each) for each in answer.citations),
            release=self.release.release_id,
            snapshot=self.release.snapshot,
            outcome=answer.outcome.value,
            degraded=answer.degraded,
            reason=answer.reason,
            support=round(answer.support, 3),
            trace_id=answer.trace_id,
            trace_url=answer.trace_url,
        )


def model_out(release: Release) -> ModelOut:
    """An author as a model."""
    return ModelOut(id=release.author, created=int(release.released_at.timestamp()), owned_by=release.author_name)


def embeddings_out(vectors: NDArray[np.float32], *, as_base64: bool) -> Sequence[EmbeddingOut]:
    """One for each row."""
    return [EmbeddingOut(index=at, embedding=_written(vector, as_base64)) for at, vector in enumerate(vectors)]


def _written(vector: NDArray[np.float32], as_base64: bool) -> str | tuple[float, ...]:
    return base64.b64encode(vector.astype("<f4").tobytes()).decode() if as_base64 else tuple(vector.tolist())


def _usage(answer: Answer) -> ChatUsage:
    return ChatUsage(
        prompt_tokens=answer.prompt_tokens,
        completion_tokens=answer.completion_tokens,
        total_tokens=answer.prompt_tokens + answer.completion_tokens,
    )
