"""The interface that OpenAI's clients speak: an author is a model."""

import time
from collections.abc import AsyncIterator
from uuid import uuid4

from fastapi import APIRouter
from starlette.responses import Response

from bentos import openai_errors
from bentos.desk import Asked
from bentos.errors import ApiError
from bentos.openai_replies import Completion, embeddings_out, model_out
from bentos.openai_schemas import (
    ChatRequest,
    ChatResponse,
    EmbeddingsOut,
    EmbeddingsRequest,
    EmbeddingsUsage,
    ModelOut,
    ModelsOut,
    OpenAIErrorOut,
)  # fmt: skip
from bentos.releases import Released
from bentos.sse import described, event
from bentos.visit import Visiting
from llm_twin_assets.inference.answer import Answer, Delta
from llm_twin_assets.inference.engine import Sampling
from llm_twin_assets.inference.prompts import Message

_SAID = {
    400: "the request is not well formed, or asks for what a twin does not do",
    401: "no key, or one that does not hold",
    403: "the key is not for this",
    404: "no such author",
    408: "the request did not arrive in time",
    413: "the request is too large",
    429: "too much at once; `Retry-After` says when to come again",
    500: "something went wrong here",
    503: "nothing is released, or its release cannot answer",
    504: "it took too long",
}
_ERRORS: dict[int | str, dict[str, object]] = {
    status: {"model": OpenAIErrorOut, "description": said} for status, said in _SAID.items()
}
_EVENTS: dict[str, object] = {"content": described()}

_CHAT = "/v1/chat/completions"
_DONE = event("[DONE]")

router = APIRouter(prefix="/v1", responses=_ERRORS)


@router.post("/chat/completions", response_model=ChatResponse, responses={200: _EVENTS})
async def chat_completions(body: ChatRequest, visit: Visiting) -> ChatResponse | Response:
    """Answer the last turn of a conversation, as the author of that name."""
    released = visit.answering(body.model, "answer", body.user)
    sampling = _sampling(body, visit.desk.serving.max_new_tokens)
    asked = Asked(
        body.messages[-1].text.strip(),
        _history(body),
        sampling=sampling,
        cached=visit.cached,
        who=visit.who(body.user),
    )
    completion = Completion(f"chatcmpl-{uuid4().hex}", int(time.time()), released.record, sampling.max_new_tokens)
    if body.stream:
        include_usage = body.stream_options is not None and body.stream_options.include_usage
        return visit.stream(released, asked, lambda parts: _events(parts, completion, include_usage=include_usage))
    return completion.whole(await visit.answer(released, asked))


@router.get("/models")
async def models(visit: Visiting) -> ModelsOut:
    """The authors whose twins answer."""
    return ModelsOut(data=tuple(model_out(each.record) for each in visit.desk.served(visit.caller.authors)))


@router.get("/models/{model}")
async def model(model: str, visit: Visiting) -> ModelOut:
    """An author whose twin answers."""
    return model_out(visit.desk.released(model, visit.caller.authors).record)


@router.post("/embeddings")
async def embeddings(body: EmbeddingsRequest, visit: Visiting) -> EmbeddingsOut:
    """Vectors of the embedding model that an author's release searches with."""
    released = visit.released(body.model, "embeddings")
    return await visit.found(lambda: _embedded(released, body))


def _embedded(released: Released, body: EmbeddingsRequest) -> EmbeddingsOut:
    embedder = released.embedder
    vectors = embedder.encode(body.texts)
    tokens = sum(embedder.token_counts(body.texts))
    return EmbeddingsOut(
        data=tuple(embeddings_out(vectors, as_base64=body.encoding_format == "base64")),
        model=body.model,
        usage=EmbeddingsUsage(prompt_tokens=tokens, total_tokens=tokens),
    )


def _history(body: ChatRequest) -> tuple[Message, ...]:
    """What user and assistant said before the question."""
    return tuple(
        {"role": each.role, "content": each.text} for each in body.messages[:-1] if each.role in ("user", "assistant")
    )


def _sampling(body: ChatRequest, max_new_tokens: int) -> Sampling:
    return Sampling(
        # Never more than the service grants: a caller may ask for less.
        min(body.max_completion_tokens or body.max_tokens or max_new_tokens, max_new_tokens),
        # OpenAI's default is 1; a twin says what is likeliest unless told otherwise.
        temperature=body.temperature or 0.0,
        top_p=1.0 if body.top_p is None else body.top_p,
        seed=body.seed,
        stop=body.stops,
    )


async def _events(
    parts: AsyncIterator[Delta | Answer], completion: Completion, *, include_usage: bool
) -> AsyncIterator[bytes]:
    yield event(completion.begin().model_dump_json(exclude_none=True))
    try:
        async for part in parts:
            if isinstance(part, Delta):
                yield event(completion.part(part.text).model_dump_json(exclude_none=True))
                continue
            yield event(completion.end(part).model_dump_json(exclude_none=True))
            if include_usage:
                yield event(completion.usage(part).model_dump_json(exclude_none=True))
    except ApiError as error:
        yield event(openai_errors.body(error.status, error.kind, error.message, error.param)[1])
        return
    yield _DONE
