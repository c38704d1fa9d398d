"""Server-sent events (WHATWG HTML, 9.2), ended by the deadline of their answer however slowly they are read."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

# Proxies that gather an answer before they pass it on would undo streaming.
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}

# Seconds in which the event that says the time is up can still be sent.
_GRACE = 2.0


def event(data: object, name: str | None = None) -> bytes:
    """One event; JSON has no line break, so its data is one line."""
    said = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    head = f"event: {name}\n" if name else ""
    return f"{head}data: {said}\n\n".encode()


def described(*names: str) -> dict[str, object]:
    """The events of a stream for OpenAPI, which describes each one (3.2, 4.14.4); without names they have none."""
    data = {"type": "string", "contentMediaType": "application/json"}
    properties = {"data": data, "event": {"type": "string", "enum": list(names)}} if names else {"data": data}
    schema = {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}
    return {"text/event-stream": {"schema": schema}}


class EventStream(StreamingResponse):
    """Events as they come, until the event loop's clock says `until`; `end` is called whatever becomes of them."""

    media_type = "text/event-stream"

    def __init__(self, events: AsyncIterator[bytes], until: float, end: Callable[[], None]) -> None:
        super().__init__(events, headers=_HEADERS)
        self._until = until + _GRACE
        self._end = end

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the events to one request."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._end()

    async def stream_response(self, send: Send) -> None:
        """Send the events. Who does not read them in time is hung up on: nothing more can be said to them."""
        with suppress(TimeoutError):
            async with asyncio.timeout_at(self._until):
                await super().stream_response(send)
