"""The ASGI layer around the app: asks the door, counts requests and bytes as they come, sets the security headers."""

import asyncio
from collections.abc import Awaitable, Callable

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bentos import errors
from bentos.door import Door
from bentos.drain import Drain
from bentos.errors import ApiError
from bentos.headers import SECURITY_HEADERS

# A body that takes longer to arrive is somebody holding the line.
_BODY_SECONDS = 30.0


class Gate:
    """Stands before the app; `app.state.door` is asked anew for each request."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request; other kinds of connection pass."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        door: Door = scope["app"].state.door
        drain: Drain = scope["app"].state.drain
        guarded_send = _with_headers(send)
        try:
            drain.check()
            scope.setdefault("state", {})["caller"] = door.admit(scope)
            _check_declared(Headers(scope=scope), door.max_bytes)
        except ApiError as error:
            await errors.response(error, scope["path"])(scope, receive, guarded_send)
            return
        with drain.request():
            await self._app(scope, _counted(receive, door.max_bytes), guarded_send)


def _check_declared(headers: Headers, most: int) -> None:
    declared = headers.get("content-length", "0")
    if declared.isdecimal() and int(declared) > most:
        raise _too_large(most)


def _counted(receive: Receive, most: int) -> Receive:
    """The body as it comes: not more than so many bytes of it, and not for ever."""
    seen = 0
    whole = False
    until = asyncio.get_running_loop().time() + _BODY_SECONDS

    async def counted() -> Message:
        nonlocal seen, whole
        if whole:
            return await receive()
        message = await _in_time(receive, until)
        seen += len(message.get("body", b""))
        whole = not message.get("more_body", False)
        if seen > most:
            raise _too_large(most)
        return message

    return counted


async def _in_time(receive: Callable[[], Awaitable[Message]], until: float) -> Message:
    try:
        async with asyncio.timeout_at(until):
            return await receive()
    except TimeoutError:
        raise ApiError(408, "too_slow", f"the request did not arrive within {_BODY_SECONDS:.0f} s") from None


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in SECURITY_HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return sending


def _too_large(most: int) -> ApiError:
    return ApiError(413, "too_large", f"a request may have {most // 1024} KiB")
