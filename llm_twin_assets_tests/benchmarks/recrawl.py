"""What it costs to visit an unchanged site of 1,000 pages again: through the whole engine, to the tables."""

import asyncio
import json
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from llm_twin_assets.collection.connectors import connector
from llm_twin_assets.collection.engine import stored
from llm_twin_assets.collection.engine.collected import Collected
from llm_twin_assets.collection.engine.collector import Collector
from llm_twin_assets.collection.engine.documents import Scrubbing
from llm_twin_assets.collection.engine.links import link_copies
from llm_twin_assets.collection.visit import Person
from llm_twin_assets_tests.benchmarks.measuring import Row
from resources.http import HttpClient, HttpPolicy
from resources.settings import Collection
from resources.warehouse import Warehouse

MODULE = "llm_twin_assets_tests.benchmarks.recrawl"
PAGES = 1_000
SECONDS = 3.0


def measure() -> list[Row]:
    """A first visit, then three more over the unchanged site; the median of those counts."""
    with tempfile.TemporaryDirectory() as home, served() as url:
        warehouse = Warehouse(home)
        first, first_seconds = _timed(warehouse, url)
        before = _counts(url)
        again = [_timed(warehouse, url) for _ in range(3)]
        after = _counts(url)
    seconds = sorted(each[1] for each in again)[1]
    unconditional = after["plain"] - before["plain"]
    unchanged = [each[0] for each in again]
    kept = all((each.new, each.changed, each.unchanged) == (0, 0, PAGES) for each in unchanged)
    return [
        Row("first visit", f"{first.new:,} documents in {first_seconds:.1f} s"),
        Row("unchanged visit", f"{seconds:.2f} s", f"at most {SECONDS:.0f} s", seconds <= SECONDS),
        Row("documents that it leaves alone", f"{unchanged[0].unchanged:,}", f"{PAGES:,}", kept),
        # robots.txt and the sitemap's own robots line are asked for anew; neither has validators to ask with.
        Row("requests without a condition", f"{unconditional / 3:.0f} a visit", "at most 2", unconditional <= 6),
    ]


def _timed(warehouse: Warehouse, url: str) -> tuple[Collected, float]:
    began = time.perf_counter()
    collected = asyncio.run(_visit(warehouse, url))
    link_copies(warehouse, "bench")
    return collected, time.perf_counter() - began


async def _visit(warehouse: Warehouse, url: str) -> Collected:
    found = connector("web")
    options = found.options.model_validate({"url": f"{url}/sitemap.xml"})
    policy = HttpPolicy(requests_per_second=1e9, concurrency_per_host=8, allowed=(url.removeprefix("http://"),))
    async with HttpClient(policy) as http:
        known = stored.known_documents(warehouse, "bench")
        scrubbing = Scrubbing(Collection().scrub)
        now = datetime(2026, 1, 1, tzinfo=UTC)
        collector = Collector(Person("bench", "Bench"), warehouse, http, scrubbing, known, now)
        collected = await collector.visit(found, options)
    if collected.error:
        raise collected.error
    return collected


def _counts(url: str) -> dict[str, int]:
    with urllib.request.urlopen(f"{url}/counts") as response:
        counts: dict[str, int] = json.load(response)
        return counts


# The server


@contextmanager
def served() -> Iterator[str]:
    """The address of a site in another process, which ends with the block."""
    server = subprocess.Popen([sys.executable, "-m", MODULE], stdout=subprocess.PIPE, text=True)
    try:
        if server.stdout is None:
            raise RuntimeError("the server has no output to say its port on")
        yield f"http://127.0.0.1:{int(server.stdout.readline())}"
    finally:
        server.terminate()
        server.wait()


class _Site(asyncio.Protocol):
    """A sitemap without dates and 1,000 pages that answer 304 to those who know them."""

    counts = {"plain": 0, "conditional": 0}  # noqa: RUF012 - one site, many connections

    def __init__(self) -> None:
        self._heard = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._heard += data
        while b"\r\n\r\n" in self._heard:
            head, _, self._heard = self._heard.partition(b"\r\n\r\n")
            if isinstance(self._transport, asyncio.Transport):
                self._transport.write(self._answer(head))

    def _answer(self, head: bytes) -> bytes:
        path = head.split(b" ", 2)[1].decode()
        host = next(line for line in head.split(b"\r\n") if line.lower().startswith(b"host:"))[5:].strip().decode()
        if path == "/counts":
            return _reply(json.dumps(self.counts), "application/json", None)
        conditional = b"if-none-match" in head.lower()
        self.counts["conditional" if conditional else "plain"] += 1
        if conditional:
            return b'HTTP/1.1 304 Not Modified\r\nETag: "1"\r\nContent-Length: 0\r\n\r\n'
        if path == "/sitemap.xml":
            pages = "".join(f"<url><loc>http://{host}/posts/piece-{number}</loc></url>" for number in range(PAGES))
            return _reply(f"<urlset>{pages}</urlset>", "application/xml", '"1"')
        if path.startswith("/posts/"):
            return _reply(_page(path.rpartition("/")[2]), "text/html", '"1"')
        return _reply("", "text/plain", None)


def _page(number: str) -> str:
    words = " ".join(f"word{number}x{place}" for place in range(400))
    return f"<html><head><title>{number}</title></head><body><article><h1>{number}</h1><p>{words}</p></article></html>"


def _reply(body: str, media_type: str, etag: str | None) -> bytes:
    data = body.encode()
    tag = f"ETag: {etag}\r\n" if etag else ""
    return f"HTTP/1.1 200 OK\r\nContent-Type: {media_type}\r\n{tag}Content-Length: {len(data)}\r\n\r\n".encode() + data


async def _serve() -> None:
    server = await asyncio.get_running_loop().create_server(_Site, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)  # noqa: T201 - that is how the parent learns it
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve())
