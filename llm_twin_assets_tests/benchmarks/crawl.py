"""What the crawl's HTTP client costs beside plain httpx, over the same pages of a server in a process of its own.

Politeness is off; everything else is on: robots.txt, the address guard, deadlines, bounded decoding.
"""

import asyncio
import gc
import gzip
import json
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psutil  # type: ignore[import-untyped]

from llm_twin_assets_tests.benchmarks.measuring import Row
from resources.http import HttpClient, HttpPolicy

MODULE = "llm_twin_assets_tests.benchmarks.crawl"
PAGES, ROUNDS, AT_ONCE = 1500, 7, 8
MANY = 20_000
RATIO = 0.8
GROWTH = 4.0


@dataclass(frozen=True, slots=True)
class Speed:
    """Of one round: pages a second by the clock, and seconds of the client's processor time a page."""

    pages: float
    cpu: float


def measure() -> list[Row]:
    """Rounds of both by turns; then 20,000 pages in a process of their own."""
    with served() as url:
        rounds = [(asyncio.run(plain(url, PAGES)), asyncio.run(ours(url, PAGES))) for _ in range(ROUNDS + 1)][1:]
        grown = json.loads(_python("grow", url))
    httpx_, client = ([each[side] for each in rounds] for side in (0, 1))
    by_clock = statistics.median(mine.pages / other.pages for other, mine in rounds)
    by_cpu = statistics.median(other.cpu / mine.cpu for other, mine in rounds)
    return [
        Row("plain httpx", _speed(httpx_)),
        Row("HttpClient", _speed(client)),
        Row("HttpClient / httpx, pages a second", f"{by_clock:.2f}", f"at least {RATIO}", by_clock >= RATIO),
        Row("the same by processor time", f"{by_cpu:.2f}", f"at least {RATIO}", by_cpu >= RATIO),
        Row(
            f"memory from page 2,000 to page {MANY:,}",
            f"{grown['growth']:+.1f} MiB on {grown['before']:.0f} MiB",
            f"at most {GROWTH:.0f} MiB",
            grown["growth"] <= GROWTH,
        ),
    ]


def _speed(rounds: list[Speed]) -> str:
    pages = statistics.median(each.pages for each in rounds)
    return f"{pages:,.0f} pages a second, {statistics.median(each.cpu for each in rounds) * 1e3:.2f} ms of CPU a page"


async def plain(url: str, pages: int) -> Speed:
    """httpx as one would write it down."""
    import httpx

    async with httpx.AsyncClient(trust_env=False) as client:

        async def fetch(address: str) -> int:
            return len((await client.get(address)).content)

        return await _timed(fetch, url, pages)


async def ours(url: str, pages: int) -> Speed:
    """The client of the crawl."""
    async with HttpClient(_impolite(url)) as client:

        async def fetch(address: str) -> int:
            return len((await client.get(address)).content)

        return await _timed(fetch, url, pages)


async def _grow(url: str) -> dict[str, float]:
    """MiB resident after 2,000 pages, and how many more at the end."""
    async with HttpClient(_impolite(url)) as client:

        async def fetch(address: str) -> int:
            return len((await client.get(address)).text)

        await _timed(fetch, url, 2000)
        before = _resident()
        await _timed(fetch, url, MANY - 2000)
        return {"before": before, "growth": _resident() - before}


def _impolite(url: str) -> HttpPolicy:
    return HttpPolicy(requests_per_second=1e9, concurrency_per_host=AT_ONCE, allowed=(url.removeprefix("http://"),))


async def _timed(fetch: Callable[[str], Awaitable[int]], url: str, pages: int) -> Speed:
    numbers = iter(range(pages))

    async def work() -> None:
        for number in numbers:
            if not await fetch(f"{url}/page/{number}"):
                raise RuntimeError(f"page {number} came empty")

    began, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(work() for _ in range(AT_ONCE)))
    return Speed(pages / (time.perf_counter() - began), (time.process_time() - cpu) / pages)


def _resident() -> float:
    """MiB now. Not `ru_maxrss`: on Linux a child inherits its parent's peak over exec, which hides growth below it."""
    gc.collect()
    return float(psutil.Process().memory_info().rss) / 2**20


def _python(*arguments: str) -> str:
    return subprocess.run(
        [sys.executable, "-m", MODULE, *arguments], stdout=subprocess.PIPE, text=True, check=True
    ).stdout


# The server


@contextmanager
def served() -> Iterator[str]:
    """The address of a server in another process, which ends with the block."""
    server = subprocess.Popen([sys.executable, "-m", MODULE, "serve"], stdout=subprocess.PIPE, text=True)
    try:
        if server.stdout is None:
            raise RuntimeError("the server has no output to say its port on")
        yield f"http://127.0.0.1:{int(server.stdout.readline())}"
    finally:
        server.terminate()
        server.wait()


class _Pages(asyncio.Protocol):
    """The least that is HTTP: what it costs to serve a page is no part of what is measured."""

    def __init__(self, answers: list[bytes]) -> None:
        self._answers = answers
        self._heard = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._heard += data
        while b"\r\n\r\n" in self._heard:
            head, _, self._heard = self._heard.partition(b"\r\n\r\n")
            target = head.split(b" ", 2)[1]
            if isinstance(self._transport, asyncio.Transport):
                self._transport.write(self._answer(target))

    def _answer(self, target: bytes) -> bytes:
        if target == b"/robots.txt":
            return _reply(b"User-agent: *\nDisallow: /private\nDisallow: /*?print=\n", "text/plain")
        return self._answers[int(target.rpartition(b"/")[2]) % len(self._answers)]


def _reply(body: bytes, media_type: str) -> bytes:
    packed = gzip.compress(body)
    head = (
        f"HTTP/1.1 200 OK\r\nContent-Type: {media_type}; charset=utf-8\r\nContent-Encoding: gzip\r\n"
        f'Content-Length: {len(packed)}\r\nETag: "{len(body)}"\r\nServer: bench\r\nCache-Control: max-age=60\r\n\r\n'
    )
    return head.encode() + packed


def _page(number: int) -> bytes:
    """An article of 4 to 40 kB; the words differ from page to page and from each other."""
    draw = random.Random(number)  # noqa: S311 - the same pages each time
    words = ["".join(draw.choices("abcdefghijklmnopqrstuvwxyzäö", k=draw.randint(2, 11))) for _ in range(400)]
    text = " ".join(draw.choices(words, k=600 + 350 * (number % 16)))
    return f"<!doctype html><html><head><title>{number}</title></head><body><p>{text}</p></body></html>".encode()


async def _serve() -> None:
    answers = [_reply(_page(number), "text/html") for number in range(64)]
    server = await asyncio.get_running_loop().create_server(lambda: _Pages(answers), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)  # noqa: T201 - that is how the parent learns it
    await server.serve_forever()


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        asyncio.run(_serve())
    else:
        print(json.dumps(asyncio.run(_grow(sys.argv[2]))))  # noqa: T201 - the answer to the parent
