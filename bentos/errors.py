"""Errors as callers see them: one shape, the right status, and nothing of the inside."""

import logging
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from resources.errors import TwinError

_logger = logging.getLogger(__name__)


class ApiError(Exception):
    """An answer that is an error: its status, a stable type for programs, a message for people."""

    def __init__(self, status: int, kind: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind
        self.message = message


def install(app: FastAPI) -> None:
    """Give every error of the app its one shape."""
    app.add_exception_handler(ApiError, _api_error)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(TwinError, _unavailable)
    app.add_exception_handler(Exception, _internal)


def _response(status: int, kind: str, message: str) -> JSONResponse:
    return JSONResponse({"error": {"type": kind, "message": message}}, status_code=status)


async def _api_error(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ApiError)  # noqa: S101 — for the type checker: the handler is registered for it alone
    return _response(error.status, error.kind, error.message)


async def _invalid(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 — as above
    found = [f"{'.'.join(str(part) for part in each['loc'][1:]) or 'body'}: {each['msg']}" for each in error.errors()]
    return _response(422, "invalid_request", "; ".join(found))


async def _http_error(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 — as above
    if error.status_code == HTTPStatus.BAD_REQUEST:  # FastAPI's word for a body that is not even text
        return _response(422, "invalid_request", str(error.detail))
    kind = {404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "http_error")
    return _response(error.status_code, kind, str(error.detail))


async def _unavailable(_: Request, error: Exception) -> JSONResponse:
    # Where it happened and why is for the log: an address or a path says nothing to a caller.
    _logger.error("an answer failed: %s", error)
    return _response(503, "unavailable", "this twin cannot answer at the moment")


async def _internal(_: Request, error: Exception) -> JSONResponse:
    _logger.error("an answer failed: %s", error, exc_info=error)
    return _response(500, "internal_error", "something went wrong on our side")
