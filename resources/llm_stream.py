"""One answer of a chat model, piece by piece, over the OpenAI chat-completions protocol with `stream: true`."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from resources.http.errors import BrokenError, HttpError
from resources.llm_errors import TransientError
from resources.llm_exchange import ChatExchange, said_of
from resources.sse import EventReader

if TYPE_CHECKING:
    import httpx

_DONE = "[DONE]"
# How long a response may take to end after its last event. Seconds.
_END = 0.1
# A service that sends this many events in a row that are none of ours speaks something else.
_MOST_MALFORMED = 100


@dataclass(frozen=True, slots=True)
class ChatPiece:
    """What an event says: more text, why the text ends, how many tokens there were; what it does not say is None."""

    text: str = ""
    finish: str | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class ChatStream(ChatExchange):
    """Sends requests and hears the answers as they are written."""

    async def pieces(self, body: Mapping[str, object], now: float) -> AsyncIterator[ChatPiece]:
        """The answer to one request; raises `TransientError`, `UnansweredError`, or `LlmError` where none will come.

        How long it waits for the next piece is up to the caller.
        """
        import httpx

        content = json.dumps({**body, "stream": True}, ensure_ascii=False).encode()
        headers = {"Content-Type": "application/json", "Accept": "text/event-stream", "Accept-Encoding": "identity"}
        address = f"{self._endpoint.url}/chat/completions"
        began = False
        try:
            async with self._client.stream("POST", address, content=content, headers=headers) as response:
                began = response.status_code == 200
                if not began:
                    raise self._refusal(response, await self._received(response), now)
                async for piece in self._events(response):
                    yield piece
        except (BrokenError, HttpError) as error:
            raise TransientError(getattr(error, "what", str(error)), charged=began) from error
        except httpx.HTTPError as error:
            raise TransientError(f"{error or ''} ({type(error).__name__})".strip(), charged=began) from error

    async def _events(self, response: "httpx.Response") -> AsyncIterator[ChatPiece]:
        reader, size, malformed, finished = EventReader(), 0, 0, False
        coming = response.aiter_bytes()
        async for received in coming:
            size += len(received)
            if size > self._endpoint.max_kb * 1024:
                raise TransientError(f"sent more than {self._endpoint.max_kb} kB", charged=True)
            for event in reader.feed(received):
                if event.strip() == _DONE:
                    await _to_the_end(coming)
                    return
                if (piece := _piece(event)) is None:
                    malformed += 1
                    if malformed > _MOST_MALFORMED:
                        raise TransientError("sends events that are no chat completion", charged=True)
                    continue
                finished = finished or piece.finish is not None
                yield piece
        if not finished:
            raise TransientError("the connection ended before the answer did", charged=True)


async def _to_the_end(coming: AsyncIterator[bytes]) -> None:
    """Hear a response end, shortly: only then is its connection used again, and a new one costs a millisecond."""
    import httpx

    with suppress(TimeoutError, httpx.HTTPError):
        async with asyncio.timeout(_END):
            async for _ in coming:
                pass


def _piece(event: str) -> ChatPiece | None:
    """What an event says; None for one that cannot be read, which costs its own words and no others.

    Raises `TransientError` for one that says why no more will come, as vLLM and our own engine send it.
    """
    try:
        said: Any = json.loads(event)
        usage = said.get("usage") or {}
        choice = (said.get("choices") or [{}])[0]
        text = (choice.get("delta") or {}).get("content") or ""
        finish, error = choice.get("finish_reason"), said.get("error")
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None
    if error:
        named = error.get("type") if isinstance(error, dict) else None
        raise TransientError(f"ended its answer{said_of(event)}", charged=True, named=str(named or "error"))
    if not isinstance(text, str) or not isinstance(usage, dict):
        return None
    # JSON can name half a character, which no file can hold.
    text = text.encode("utf-8", "replace").decode()
    return ChatPiece(text, finish, _count(usage, "prompt_tokens"), _count(usage, "completion_tokens"))


def _count(usage: Mapping[str, object], key: str) -> int | None:
    value = usage.get(key)
    return value if type(value) is int and value >= 0 else None
