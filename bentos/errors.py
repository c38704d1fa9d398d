"""Errors as callers see them: one shape, the right status, and nothing of the inside.

Where the service speaks as OpenAI's does, its errors do too (`openai_errors`).
"""

import logging
import math
from collections.abc import Callable
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from bentos import openai_errors
from bentos.headers import SECURITY_HEADERS
from resources.errors import TwinError

_logger = logging.getLogger(__name__)

_KINDS = {404: "not_found", 405: "method_not_allowed", 413: "too_large"}


class ApiError(HTTPException):
    """An answer that is an error: its status, a stable type for programs, a message for people.

    `retry_after` are the seconds after which it may be another answer, `param` is the part of the request at fault.
    """

    def __init__(
        self, status: int, kind: str, message: str, *, retry_after: float | None = None, param: str | None = None
    ) -> None:
        headers = {"Retry-After": str(max(1, math.ceil(retry_after)))} if retry_after is not None else {}
        if status == HTTPStatus.UNAUTHORIZED:
            headers["WWW-Authenticate"] = "Bearer"
        super().__init__(status, message, headers or None)
        self.status = status
        self.kind = kind
        self.message = message
        self.param = param


def install(app: FastAPI) -> None:
    """Give every error of the app its one shape."""
    for kind in (ApiError, RequestValidationError, HTTPException, TwinError, Exception):
        app.add_exception_handler(kind, _handler)


def response(error: Exception, path: str) -> JSONResponse:
    """An error as the answer to a request to that path."""
    known = as_api_error(error)
    if openai_errors.speaks(path):
        status, body = openai_errors.body(known.status, known.kind, known.message, known.param)
        return JSONResponse(body, status_code=status, headers=known.headers)
    return JSONResponse(body_of(known), status_code=known.status, headers=known.headers)


def body_of(error: ApiError) -> dict[str, dict[str, str]]:
    """What is said of an error, also in the middle of a stream."""
    return {"error": {"type": error.kind, "message": error.message}}


def as_api_error(error: Exception) -> ApiError:
    """Any error as what a caller may know of it; what they may not goes to the log."""
    for kind, said in _SAID:
        if isinstance(error, kind):
            return said(error)
    _logger.error("an answer failed: %s", error, exc_info=error)
    return ApiError(500, "internal_error", "something went wrong on our side")


async def _handler(request: Request, error: Exception) -> JSONResponse:
    answer = response(error, request.url.path)
    # What nobody foresaw is answered outside of the gate.
    answer.headers.update(SECURITY_HEADERS)
    return answer


def _known(error: Exception) -> ApiError:
    assert isinstance(error, ApiError)  # noqa: S101 — for the type checker: `_SAID` calls it for it alone
    return error


def _invalid(error: Exception) -> ApiError:
    assert isinstance(error, RequestValidationError)  # noqa: S101 — as above
    found = [(".".join(str(part) for part in each["loc"][1:]), each["msg"]) for each in error.errors()]
    message = "; ".join(f"{place or 'body'}: {said}" for place, said in found)
    # Text that was sent may come back in an error, and it may hold what no JSON can carry.
    message = message.encode("utf-8", "replace").decode("utf-8")
    return ApiError(422, "invalid_request", message, param=found[0][0] or None)


def _http(error: Exception) -> ApiError:
    assert isinstance(error, HTTPException)  # noqa: S101 — as above
    if error.status_code == HTTPStatus.BAD_REQUEST:  # FastAPI's word for a body that is not even text
        return ApiError(422, "invalid_request", str(error.detail))
    found = ApiError(error.status_code, _KINDS.get(error.status_code, "http_error"), str(error.detail))
    found.headers = error.headers
    return found


def _unavailable(error: Exception) -> ApiError:
    # Where it happened and why is for the log: an address or a path says nothing to a caller.
    _logger.error("an answer failed: %s", error)
    return ApiError(503, "unavailable", "this twin cannot answer at the moment")


_SAID: tuple[tuple[type[Exception], Callable[[Exception], ApiError]], ...] = (
    (ApiError, _known),
    (RequestValidationError, _invalid),
    (HTTPException, _http),
    (TwinError, _unavailable),
)
