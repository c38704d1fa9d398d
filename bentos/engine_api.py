"""The HTTP interface of the service `Engine`: leases of models, and OpenAI's chat protocol for what is leased.

It is for `Twin` and nobody else: by a socket of this machine, or with the key that both were given.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from threading import Event
from typing import Annotated
from uuid import uuid4

from fastapi import APIRouter, FastAPI, Path, Request
from starlette.responses import JSONResponse, Response

from bentos import engine_metrics, errors
from bentos.door import Door
from bentos.drain import Drain
from bentos.engine_schemas import EngineRequest, LeaseOut
from bentos.errors import ApiError
from bentos.gate import Gate
from bentos.model_host import ModelHost, ModelNotLoadedError
from bentos.pool import Pool, Wanted
from bentos.sse import EventStream, event
from bentos.stored_model import ModelDigest, StoredModel
from llm_twin_assets.inference.engine import EngineError, Failure, Generated, Piece
from llm_twin_assets.inference.transformers_engine import TransformersEngine
from resources.serving_settings import Serving

# How often somebody who waits for words hears that there is still somebody here. Seconds.
_SIGN_OF_LIFE = 1.0
_WAITING = b": waiting\n\n"
_DONE = event("[DONE]")

_logger = logging.getLogger(__name__)

_STATUS = {
    Failure.FAILED: 500, Failure.SATURATED: 429, Failure.DEADLINE: 504, Failure.CANCELLED: 499, Failure.REFUSED: 422,
}  # fmt: skip

LeaseId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]
Digest = Annotated[ModelDigest, Path()]

router = APIRouter(prefix="/v1")


def create_engine_app() -> FastAPI:
    """The app, before `open_engine`: it stands open to this machine alone, and every answer is 503."""
    app = FastAPI(title="LLM Twin engine", version="1", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.door, app.state.drain = Door(), Drain()
    app.state.host = None
    errors.install(app)
    app.include_router(router)
    app.include_router(engine_metrics.router)
    app.add_middleware(Gate)
    return app


def open_engine(app: FastAPI, host: ModelHost, serving: Serving, door: Door) -> None:
    """Begin to serve models; once for an app, before its first request."""
    app.state.host, app.state.door, app.state.seconds = host, door, serving.deadline_seconds
    # One batch runs while the next gathers; the batcher is left to say no only where these threads are not the limit.
    app.state.pool = Pool("model", 2 * serving.batch, serving.waiting)


def _host(request: Request) -> ModelHost:
    host = request.app.state.host
    if not isinstance(host, ModelHost):
        raise ApiError(503, "not_ready", "the engine is starting")
    return host


@router.get("/models")
async def models(request: Request) -> JSONResponse:
    """What is leased."""
    held = [{"id": digest, "object": "model", "owned_by": "llm-twin"} for digest in _host(request).leased]
    return JSONResponse({"object": "list", "data": held})


@router.put("/models/{digest}/leases/{lease}", response_model=LeaseOut)
async def take(digest: Digest, lease: LeaseId, body: StoredModel, request: Request) -> LeaseOut | Response:
    """Take or renew a lease: 200 once the model is loaded, 202 until then, 409 where it cannot be."""
    if body.digest != digest:
        raise ApiError(422, "invalid_request", "the digest is another", param="digest")
    try:
        engine = _host(request).lease(body, lease)
    except ModelNotLoadedError as error:
        raise ApiError(409, "not_loadable", str(error)) from error
    if engine is None:
        return Response(status_code=202)
    # Who renews knows the rest.
    tokenizer = engine.tokenizer_data if request.query_params.get("first") else None
    return LeaseOut(context_tokens=engine.context_tokens, tokenizer=tokenizer)


@router.delete("/models/{digest}/leases/{lease}", status_code=204)
async def give_back(digest: Digest, lease: LeaseId, request: Request) -> None:
    """End a lease."""
    _host(request).give_back(digest, lease)


@router.post("/chat/completions")
async def chat_completions(body: EngineRequest, request: Request) -> EventStream:
    """The model's answer, as events."""
    engine = _host(request).find(body.model)
    if engine is None:
        raise ApiError(404, "model_not_found", "the model is not leased", param="model")
    until = asyncio.get_running_loop().time() + request.app.state.seconds
    call = request.app.state.pool.begin(lambda cancelled: _written(engine, body, cancelled))
    parts = call.items(Wanted(until, _always))
    return EventStream(_with_signs_of_life(_events(parts, body)), until, call.end)


async def _always() -> None:
    """Nobody takes a key back here; who leaves is noticed by the stream."""


def _written(engine: TransformersEngine, body: EngineRequest, cancelled: Event) -> Iterator[Piece | Generated]:
    try:
        if body.pieces:
            yield from engine.stream(body.prompt, body.sampling, cancelled)
        else:
            yield engine.generate(body.prompt, body.sampling, cancelled)
    except EngineError as error:
        # By its kind `Twin` knows what to say of its answer (inference/openai_engine.py); the rest is for the log here.
        _logger.warning("%s: %s", engine.name, error)
        raise ApiError(_STATUS[error.kind], error.kind.value, "the model gives no answer") from error


async def _events(parts: AsyncIterator[Piece | Generated], body: EngineRequest) -> AsyncGenerator[bytes, None]:
    completion = {
        "id": f"chatcmpl-{uuid4().hex}", "object": "chat.completion.chunk", "created": int(time.time()),
        "model": body.model,
    }  # fmt: skip

    def chunk(text: str, finish: str | None = None) -> bytes:
        return event({**completion, "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": finish}]})

    async for part in parts:
        if isinstance(part, Piece):
            yield chunk(part.text)
            continue
        usage = {"prompt_tokens": part.prompt_tokens, "completion_tokens": part.completion_tokens}
        last = chunk("" if body.pieces else part.text, "stop" if part.finished else "length")
        # Three events in one write.
        yield last + event({**completion, "choices": [], "usage": usage}) + _DONE


async def _with_signs_of_life(events: AsyncGenerator[bytes, None]) -> AsyncIterator[bytes]:
    """The events, and a comment wherever none comes for a while; an error is an event, the last."""
    coming = asyncio.ensure_future(_next(events))
    try:
        while True:
            done, _ = await asyncio.wait({coming}, timeout=_SIGN_OF_LIFE)
            if not done:
                yield _WAITING
                continue
            if (said := coming.result()) is None:
                return
            yield said
            coming = asyncio.ensure_future(_next(events))
    except ApiError as error:
        yield event(errors.body_of(error))
    finally:
        coming.cancel()
        with contextlib.suppress(asyncio.CancelledError, ApiError):
            await coming


async def _next(events: AsyncGenerator[bytes, None]) -> bytes | None:
    return await anext(events, None)
