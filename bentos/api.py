"""The HTTP interface, without the server around it."""

from typing import Any

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from bentos import errors, feedback, metrics_api, native, openai_api, openai_errors
from bentos.chat_page import page
from bentos.desk import Desk
from bentos.door import Door
from bentos.drain import Drain
from bentos.gate import Gate
from bentos.visit import Pools


class _Described(FastAPI):
    def openapi(self) -> dict[str, Any]:
        """FastAPI names its own 422 everywhere; where OpenAI's clients ask, what is not well formed is 400."""
        described = super().openapi()
        for path, operations in described["paths"].items():
            for operation in operations.values() if openai_errors.speaks(path) else ():
                operation["responses"].pop("422", None)
        return described


def create_app() -> FastAPI:
    """The app, before `open_up`: it stands open to this machine alone, and every answer is 503."""
    # FastAPI's own documentation pages load their scripts from elsewhere.
    app = _Described(title="LLM Twin", version="1", docs_url=None, redoc_url=None, openapi_url="/v1/openapi.json")
    app.state.door, app.state.drain = Door(), Drain()
    errors.install(app)
    app.include_router(native.router)
    app.include_router(feedback.router)
    app.include_router(openai_api.router)
    app.include_router(metrics_api.router)
    app.include_router(page())
    app.add_middleware(Gate)
    app.add_middleware(metrics_api.Counted)
    return app


def open_up(app: FastAPI, desk: Desk, door: Door | None = None) -> None:
    """Begin to answer from a desk; once for an app, before its first request."""
    app.state.desk = desk
    app.state.door = door = door or app.state.door
    app.state.pools = Pools.of(door.access)
    app.state.metrics = desk.metrics
    if origins := door.access.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=origins,
            allow_methods=["GET", "POST"],
            allow_headers=["Authorization", "Content-Type"],
            expose_headers=["Retry-After"],
        )
