"""One question and its answer over the OpenAI chat-completions protocol: bounded in time and size, read with care."""

import asyncio
import json
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from resources.errors import ConfigurationError
from resources.http.body import ACCEPT_ENCODING, Body
from resources.http.errors import BrokenError, HttpError
from resources.http.retry import asked_wait, may_be_transient
from resources.llm_cache import Reply
from resources.llm_errors import LlmError, RefusedError, TransientError
from resources.llm_settings import ChatEndpoint
from resources.llm_usage import estimated_tokens

if TYPE_CHECKING:
    import httpx

# A body that unpacks to more than this many times its size is no chat completion.
_MAX_RATIO = 100
# Of what a service says about a refusal so much is shown.
_SAID = 200
# Seconds after which an idle connection is not used again. Uvicorn closes it after five: who asks has to be first.
_IDLE = 4.0
# What the service will say to every question, whatever it is about: RFC 9110, section 15.5.
_FOR_ALL = {401, 402, 403, 404, 405, 407, 410}
_MOST_TOKENS = 10**9
_MEND = {
    401: "Its key is missing, wrong or expired: see key_variable in twin.yaml.",
    402: "The account has no credit left.",
    403: "The key may not use this model.",
    404: "Is the address the one that ends in /v1, and the model's name right?",
}


def api_key(endpoint: ChatEndpoint) -> str | None:
    """The key from the variable that the configuration names; raises `ConfigurationError`, which never shows it."""
    if endpoint.key_variable is None:
        return None
    key = os.environ.get(endpoint.key_variable, "").strip()
    # Anything else could not stand in a header, and the error about that would quote it.
    if not key or not key.isascii() or not key.isprintable() or " " in key:
        state = "holds no key that can be sent" if key else "is not set"
        raise ConfigurationError(
            f"the variable {endpoint.key_variable} {state}",
            where=endpoint.url,
            mend="Set it, or leave out key_variable if the service wants no key.",
        )
    return key


class ChatExchange:
    """Sends requests over connections that are used again; close it with `aclose`.

    Where the service is a neighbour that listens at a UNIX `socket`, its address only names it.
    """

    def __init__(self, endpoint: ChatEndpoint, socket: str | None = None) -> None:
        # Imported here: few who load the graph ask a chat model.
        import httpx

        key = api_key(endpoint)
        most = endpoint.concurrency
        limits = httpx.Limits(max_connections=most, max_keepalive_connections=most, keepalive_expiry=_IDLE)
        self._endpoint = endpoint
        self._client = httpx.AsyncClient(
            headers={
                "Accept": "application/json",
                "Accept-Encoding": ACCEPT_ENCODING,
                **({"Authorization": f"Bearer {key}"} if key else {}),
            },
            timeout=endpoint.patience.timeout,
            limits=limits,
            transport=httpx.AsyncHTTPTransport(uds=socket, limits=limits) if socket else None,
            # A key must not travel to another host.
            follow_redirects=False,
        )

    async def aclose(self) -> None:
        """Close every connection."""
        await self._client.aclose()

    async def ask(self, body: Mapping[str, object], now: float) -> Reply:
        """The answer to one request; raises `TransientError`, `UnansweredError`, or `LlmError` where none will come."""
        import httpx

        content = json.dumps(body, ensure_ascii=False).encode()
        began = False
        try:
            async with (
                # For all of an answer: httpx's own timeout, for each read, would let a byte a second go on for ever.
                asyncio.timeout(self._endpoint.patience.timeout),
                self._client.stream(
                    "POST",
                    f"{self._endpoint.url}/chat/completions",
                    content=content,
                    headers={"Content-Type": "application/json"},
                ) as response,
            ):
                began = response.status_code == 200
                received = await self._received(response)
        except TimeoutError as error:
            said = f"took longer than {self._endpoint.patience.timeout:g} s"
            raise TransientError(said, charged=began) from error
        except (BrokenError, HttpError) as error:
            raise TransientError(getattr(error, "what", str(error)), charged=began) from error
        except httpx.HTTPError as error:
            raise TransientError(f"{error or ''} ({type(error).__name__})".strip(), charged=began) from error
        if response.status_code != 200:
            raise self._refusal(response, received, now)
        return _reply(received, len(content))

    async def _received(self, response: "httpx.Response") -> bytes:
        body = Body(
            response.headers.get("content-encoding", ""),
            limit=self._endpoint.max_kb * 1024,
            max_ratio=_MAX_RATIO,
            where=self._endpoint.url,
        )
        async for data in response.aiter_raw():
            body.feed(data)
        return body.end()

    def _refusal(self, response: "httpx.Response", received: bytes, now: float) -> Exception:
        status = response.status_code
        what = f"answered {status}{said_of(received)}"
        if may_be_transient(status, response.headers):
            return TransientError(what, wait=asked_wait(status, response.headers, now))
        if status in _FOR_ALL or status < 400:
            return LlmError(f"the chat model {what}", where=self._endpoint.url, mend=_MEND.get(status))
        return RefusedError(f"the chat model {what}", where=self._endpoint.url)


def _reply(received: bytes, asked_bytes: int) -> Reply:
    try:
        body: Any = json.loads(received)
        choice = body["choices"][0]
        text = choice["message"]["content"]
        finished = choice.get("finish_reason") != "length"
        usage = body.get("usage")
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        raise TransientError("answered with something other than a chat completion", charged=True) from None
    if text is not None and not isinstance(text, str):
        raise TransientError("answered with a message that is no text", charged=True)
    # JSON can name half a character, which no file can hold.
    text = (text or "").encode("utf-8", "replace").decode()
    stated = (_count(usage, "prompt_tokens"), _count(usage, "completion_tokens"))
    if stated[0] is None or stated[1] is None:
        return Reply(text, estimated_tokens(asked_bytes), estimated_tokens(len(text.encode())), finished, True)
    return Reply(text, stated[0], stated[1], finished)


def _count(usage: object, key: str) -> int | None:
    value = usage.get(key) if isinstance(usage, dict) else None
    return value if type(value) is int and 0 <= value <= _MOST_TOKENS else None


def said_of(received: bytes | str) -> str:
    """What the service says of an error, on one line."""
    try:
        error: Any = json.loads(received)["error"]
        said = error["message"] if isinstance(error, dict) else error
    except (ValueError, LookupError, TypeError, RecursionError):
        return ""
    line = "".join(each if each.isprintable() else " " for each in str(said))
    return f": {' '.join(line.split())[:_SAID]}"
