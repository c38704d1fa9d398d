"""A server that writes exactly the bytes a test wants, as badly as it wants; and the client on a time of its own."""

import asyncio
import gzip
import ssl
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

from resources.http import HttpClient, HttpPolicy, Response
from resources.http.clock import Clock

LOCAL = "127.0.0.1"
BEGAN = 1_800_000_000.0


@dataclass(frozen=True, slots=True)
class Heard:
    """One request as it came; `connection` counts from 1."""

    target: str
    headers: Mapping[str, str]
    connection: int


Script: TypeAlias = Callable[[Heard, asyncio.StreamWriter], Awaitable[None]]
Page: TypeAlias = bytes | list[bytes] | Script


def reply(body: bytes | str = b"", status: str = "200 OK", length: int | None = None, **headers: str) -> bytes:
    """An answer; `Content_Type="…"` becomes a header, `length` is what it says of itself."""
    data = body.encode() if isinstance(body, str) else body
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(data) if length is None else length}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + data


def to(location: str, status: str = "302 Found") -> bytes:
    """A redirect."""
    return reply(b"moved", status, Location=location)


def zipped(body: bytes) -> bytes:
    """An answer in gzip."""
    return reply(gzip.compress(body), Content_Encoding="gzip")


class RawWeb:
    """Pages by target. A list is answered one by one, the last one for ever. `Connection: close` closes."""

    def __init__(self, scheme: str = "http") -> None:
        self.pages: dict[str, Page] = {}
        self.heard: list[Heard] = []
        self.connections = 0
        self.port = 0
        self.scheme = scheme

    @property
    def url(self) -> str:
        return f"{self.scheme}://{LOCAL}:{self.port}"

    @property
    def asked(self) -> list[str]:
        """Targets in the order that they were asked for, without robots.txt."""
        return [each.target for each in self.heard if each.target != "/robots.txt"]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        connection = self.connections
        try:
            open_still = True
            while open_still:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                fields = (line.partition(":") for line in head[1:] if line)
                headers = {name.lower(): value.strip() for name, _, value in fields}
                heard = Heard(head[0].split(" ")[1], headers, connection)
                self.heard.append(heard)
                open_still = await self._answer(heard, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _answer(self, heard: Heard, writer: asyncio.StreamWriter) -> bool:
        page = self.pages.get(heard.target, reply(b"nothing here", "404 Not Found"))
        if isinstance(page, list):
            page = page.pop(0) if len(page) > 1 else page[0]
        if not isinstance(page, bytes):
            await page(heard, writer)
            return False
        writer.write(page)
        await writer.drain()
        return b"\r\nconnection: close\r\n" not in page.lower()


@contextmanager
def raw_web(tls: ssl.SSLContext | None = None) -> Iterator[RawWeb]:
    """A server on a free port of 127.0.0.1, in a thread of its own, gone after the block."""
    web = RawWeb("https" if tls else "http")
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(asyncio.start_server(web.serve, LOCAL, 0, ssl=tls))
    web.port = server.sockets[0].getsockname()[1]
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def end() -> None:
        server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    try:
        yield web
    finally:
        asyncio.run_coroutine_threadsafe(end(), loop).result(5)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()


class FastClock(Clock):
    """Sleeps in no time; who sleeps shorter wakes first. `slept` is every sleep, in the order that they began."""

    def __init__(self) -> None:
        self.time = 0.0
        self.slept: list[float] = []
        self._asleep: list[float] = []

    def now(self) -> float:
        return BEGAN + self.time

    def elapsed(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        until = self.time + seconds
        self._asleep.append(until)
        await asyncio.sleep(0)
        while until > min(self._asleep):
            await asyncio.sleep(0)
        self._asleep.remove(until)
        self.time = max(self.time, until)


class Crawler:
    """The client as these tests use it: without `await`, in a hurry, on its own time, allowed to ask 127.0.0.1."""

    def __init__(self, policy: Mapping[str, Any] | None = None, **surroundings: Any) -> None:
        self.clock = FastClock()
        hurry = {"requests_per_second": 1e6, "concurrency_per_host": 8, "timeout": 5.0, "allowed": (LOCAL,)}
        self.client = HttpClient(
            HttpPolicy(**{**hurry, **(policy or {})}), clock=self.clock, chance=lambda: 1.0, **surroundings
        )
        self._runner = asyncio.Runner()
        self._runner.run(self._begin())

    async def _begin(self) -> None:
        await self.client.__aenter__()

    def get(self, url: str, **more: Any) -> Response:
        return self._runner.run(self.client.get(url, **more))

    def together(self, *urls: str, **more: Any) -> list[Response | BaseException]:
        """All at once; what went wrong stands where the answer would be."""

        async def gathered() -> list[Response | BaseException]:
            return await asyncio.gather(*(self.client.get(url, **more) for url in urls), return_exceptions=True)

        return self._runner.run(gathered())

    def close(self) -> None:
        async def end() -> None:
            await self.client.__aexit__(None, None, None)

        self._runner.run(end())
        self._runner.close()
