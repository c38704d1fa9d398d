"""The service's own interface: answers, searches, drafts, and what they stand on."""

from collections.abc import AsyncIterator

from fastapi import APIRouter
from starlette.responses import Response

from bentos import errors
from bentos.desk import Asked
from bentos.errors import ApiError
from bentos.releases import Released
from bentos.replies import answer_out, release_out, search_out
from bentos.schemas import (
    AnswerRequest,
    AnswerResponse,
    AuthorOut,
    AuthorsOut,
    ErrorOut,
    LineageOut,
    ReleaseOut,
    SearchRequest,
    SearchResponse,
    WriteRequest,
)  # fmt: skip
from bentos.sse import described, event
from bentos.visit import Visit, Visiting
from llm_twin_assets.inference.answer import Answer, Delta
from llm_twin_assets.inference.prompts import Message
from resources.settings import AuthorKey

_SAID = {
    401: "no key, or one that does not hold",
    403: "the key is not for this",
    404: "no such author or answer",
    408: "the request did not arrive in time",
    413: "the request is too large",
    422: "the request is not well formed",
    429: "too much at once; `Retry-After` says when to come again",
    500: "something went wrong here",
    503: "nothing is released, or its release cannot answer",
    504: "it took too long",
}
RESPONSES: dict[int | str, dict[str, object]] = {
    status: {"model": ErrorOut, "description": said} for status, said in _SAID.items()
}
_EVENTS = {
    "description": (
        "The answer; with `stream` as events: `delta` with a part of the text, at last `answer` with all of it, or "
        "`error`"
    ),
    "content": described("delta", "answer", "error"),
}

router = APIRouter(prefix="/v1", responses=RESPONSES)


@router.post("/answer", response_model=AnswerResponse, responses={200: _EVENTS})
async def answer(body: AnswerRequest, visit: Visiting) -> AnswerResponse | Response:
    """Answer a question from what an author wrote, with citations."""
    released = visit.answering(body.author, "answer", body.session)
    history: tuple[Message, ...] = tuple({"role": each.role, "content": each.content} for each in body.history)
    filters = body.filters.as_filters()
    asked = Asked(
        body.question,
        history,
        filters,
        body.k,
        style=body.style,
        cached=visit.cached,
        who=visit.who(),
        session=body.session,
    )
    return await _answered(visit, released, asked, stream=body.stream)


@router.post("/search")
async def search(body: SearchRequest, visit: Visiting) -> SearchResponse:
    """Find what an author wrote on something: chunks with their exact places."""
    released = visit.released(body.author, "search")
    asked = Asked(
        body.query,
        filters=body.filters.as_filters(),
        k=body.k,
        cached=visit.cached,
        who=visit.who(),
        session=body.session,
    )
    return search_out(await visit.found(lambda: visit.desk.search(released, asked)), released.record)


@router.post("/write", response_model=AnswerResponse, responses={200: _EVENTS})
async def write(body: WriteRequest, visit: Visiting) -> AnswerResponse | Response:
    """Draft a post or an article on a topic in an author's voice, with citations of what it draws on."""
    released = visit.answering(body.author, "write", body.session)
    asked = Asked(
        body.topic,
        filters=body.filters.as_filters(),
        k=body.k,
        form=body.form,
        cached=visit.cached,
        who=visit.who(),
        session=body.session,
    )
    return await _answered(visit, released, asked, stream=body.stream)


@router.get("/authors")
async def authors(visit: Visiting) -> AuthorsOut:
    """Whose twins answer."""
    records = [each.record for each in visit.desk.served(visit.caller.authors)]
    return AuthorsOut(
        authors=tuple(
            AuthorOut(author=each.author, author_name=each.author_name, release=each.release_id) for each in records
        )
    )


@router.get("/releases/current")
async def current_release(visit: Visiting, author: AuthorKey | None = None) -> ReleaseOut:
    """The release that answers now."""
    return release_out(visit.desk.released(author, visit.caller.authors).record)


@router.get("/answers/{answer_id}/lineage")
async def lineage(answer_id: str, visit: Visiting) -> LineageOut:
    """What an answer stands on: release, model, dataset, snapshot, documents. The newest answers are remembered."""
    found = visit.desk.log.lineage(answer_id)
    allowed = visit.caller.authors
    if found is None or (allowed is not None and found.release.author not in allowed):
        raise ApiError(404, "unknown_answer", "no such answer is remembered", param="answer_id")
    return found


async def _answered(visit: Visit, released: Released, asked: Asked, *, stream: bool) -> AnswerResponse | Response:
    if stream:
        return visit.stream(released, asked, lambda parts: _events(parts, released))
    return answer_out(await visit.answer(released, asked), released.record)


async def _events(parts: AsyncIterator[Delta | Answer], released: Released) -> AsyncIterator[bytes]:
    try:
        async for part in parts:
            if isinstance(part, Delta):
                yield event({"text": part.text}, "delta")
            else:
                yield event(answer_out(part, released.record).model_dump_json(), "answer")
    except ApiError as error:
        yield event(errors.body_of(error), "error")
