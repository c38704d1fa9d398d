"""One request and its answer on the wire: bounded in time and size, and saying what broke if it breaks.

This is httpx's engine (httpcore) without httpx's client on top. Only there can the network be replaced by one that
checks addresses; and what the client adds (a cookie jar shared by all sources, proxies from the environment, redirects,
decoding without a limit) would have to be switched off piece by piece.
"""

import asyncio
import functools
import ssl
from collections.abc import Iterable, Iterator, Mapping

import httpcore
import httpx

from resources.http.address import shown
from resources.http.body import ACCEPT_ENCODING, Body
from resources.http.errors import AddressRefusedError, BrokenError, HttpError, TooLargeError
from resources.http.network import GuardedNetwork, Resolve, UnknownHostError
from resources.http.policy import HttpPolicy
from resources.http.response import HttpCounts, Response

# At a pace of one request in some seconds a connection would else not live to its second request.
_KEEP_ALIVE = 60.0
# Of an answer that is no success so much is read: enough for any message, and for using the connection again.
_OTHER_BYTES = 64 * 2**10


class Exchange:
    """Sends requests over connections that are used again. One per client; close it with `aclose`."""

    def __init__(
        self, policy: HttpPolicy, counts: HttpCounts, resolve: Resolve, tls: ssl.SSLContext | None = None
    ) -> None:
        self._policy = policy
        self._counts = counts
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=tls or _public_authorities(),
            max_connections=policy.concurrency,
            max_keepalive_connections=policy.concurrency,
            keepalive_expiry=_KEEP_ALIVE,
            network_backend=GuardedNetwork(resolve, policy.allowed),
        )

    async def aclose(self) -> None:
        """Close every connection."""
        await self._pool.aclose()

    async def get(self, url: httpx.URL, headers: Mapping[str, str], cut: int | None = None) -> Response:
        """One answer, whatever its status; `cut` ends the body there instead of refusing a larger one.

        Raises `BrokenError`, and what is wrong for good: `AddressRefusedError`, `TooLargeError`, `HttpError`.
        """
        request = httpcore.Request(
            "GET",
            httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
            headers=self._headers(url, headers),
            extensions={"timeout": {"connect": self._policy.connect_timeout}},
        )
        where = shown(str(url))
        self._counts.requests += 1
        try:
            # The deadline is for all of it: a timeout for each read would let a byte a second go on for ever.
            async with asyncio.timeout(self._policy.timeout):
                return await self._answer(request, str(url), where, cut)
        except AddressRefusedError:
            self._counts.requests -= 1  # it never left
            raise
        except TimeoutError as error:
            raise BrokenError(f"took longer than {self._policy.timeout:g} s") from error
        except httpcore.LocalProtocolError as error:
            raise HttpError(f"cannot be asked for like this: {error}", where=where) from error
        except httpcore.RemoteProtocolError as error:
            raise _unreadable(error, where) from error
        except (httpcore.NetworkError, httpcore.TimeoutException, OSError) as error:
            raise _broken(error) from error

    async def _answer(self, request: httpcore.Request, url: str, where: str, cut: int | None) -> Response:
        answer = await self._pool.handle_async_request(request)
        try:
            headers = _text(answer.headers)
            if not 200 <= answer.status < 300:
                cut = _OTHER_BYTES
            content = await self._read(answer, headers, where, cut)
        finally:
            await answer.aclose()
        return Response(url, answer.status, content, headers, url)

    async def _read(self, answer: httpcore.Response, headers: Mapping[str, str], where: str, cut: int | None) -> bytes:
        limit = self._policy.max_bytes if cut is None else cut
        stated = headers.get("content-length", "")
        if cut is None and stated.isdecimal() and int(stated) > limit:
            raise TooLargeError(f"is {int(stated):,} bytes, more than {limit:,}", where=where)
        coding = headers.get("content-encoding", "")
        body = Body(coding, limit=limit, max_ratio=self._policy.max_ratio, where=where)
        try:
            async for data in answer.aiter_stream():
                body.feed(data)
            return body.end()
        except TooLargeError:
            if cut is None:
                raise
            return body.content
        finally:
            self._counts.bytes += body.sent

    def _headers(self, url: httpx.URL, headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
        own = {"host": url.netloc.decode("ascii"), "user-agent": self._policy.user_agent}
        whole = {"accept": "*/*", **headers, **own, "accept-encoding": ACCEPT_ENCODING}
        return [(name.encode("ascii"), value.encode("utf-8")) for name, value in whole.items()]


@functools.cache
def _public_authorities() -> ssl.SSLContext:
    """The certificates that certifi trusts; reading them takes 40 ms, and no setting of a client changes them."""
    return httpx.create_ssl_context(trust_env=False)


def _text(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Names in lower case; a field that comes more than once is one list (RFC 9110, section 5.3)."""
    result: dict[str, str] = {}
    for raw_name, raw_value in headers:
        name, value = raw_name.decode("ascii").lower(), _value(raw_value)
        result[name] = f"{result[name]}, {value}" if name in result else value
    return result


def _value(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what led to it; httpcore raises `from None` on the way, which leaves the context."""
    cause: BaseException | None = error
    while cause:
        yield cause
        cause = cause.__cause__ or cause.__context__


def _unreadable(error: httpcore.RemoteProtocolError, where: str) -> HttpError | BrokenError:
    """Headers beyond h11's limit come again the next time; anything else may have been an interruption."""
    if any(getattr(each, "error_status_hint", None) == 431 for each in _causes(error)):
        return TooLargeError("has headers larger than 100 KiB", where=where)
    return BrokenError(f"the answer broke off or is no HTTP: {error}")


def _broken(error: Exception) -> BrokenError:
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return BrokenError(f"its certificate is not valid: {cause.verify_message}", final=True)
    what = str(error) or ("no connection in time" if isinstance(error, httpcore.ConnectTimeout) else "no connection")
    return BrokenError(what, final=isinstance(error, UnknownHostError))
