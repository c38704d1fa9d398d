"""The HTTP interface, without the server around it."""

from typing import Annotated

from fastapi import Depends, FastAPI, Request

from bentos import errors
from bentos.desk import Desk
from bentos.schemas import AnswerRequest, AnswerResponse, ErrorOut, ReleaseOut
from resources.settings import AuthorKey

_ERRORS: dict[int | str, dict[str, object]] = {
    404: {"model": ErrorOut, "description": "no such author"},
    422: {"model": ErrorOut, "description": "the request is not well formed"},
    503: {"model": ErrorOut, "description": "nothing is released, or its release cannot answer"},
}


def create_app() -> FastAPI:
    """The app; `app.state.desk` is set by whoever starts it, and until then every answer is 503."""
    # FastAPI's own documentation pages load their scripts from elsewhere.
    app = FastAPI(title="LLM Twin", version="1", docs_url=None, redoc_url=None, openapi_url="/v1/openapi.json")
    errors.install(app)

    # Plain functions: FastAPI runs them in a thread, so that a model at work does not hold up the event loop.
    @app.post("/v1/answer", responses=_ERRORS)
    def answer(request: AnswerRequest, desk: Annotated[Desk, Depends(_desk)]) -> AnswerResponse:
        """Answer a question from what an author wrote, with citations."""
        return desk.answer(request)

    @app.get("/v1/releases/current", responses=_ERRORS)
    def current_release(desk: Annotated[Desk, Depends(_desk)], author: AuthorKey | None = None) -> ReleaseOut:
        """The release that answers now."""
        return desk.release(author)

    return app


def _desk(request: Request) -> Desk:
    desk = getattr(request.app.state, "desk", None)
    if not isinstance(desk, Desk):
        raise errors.ApiError(503, "not_ready", "the service is starting")
    return desk
