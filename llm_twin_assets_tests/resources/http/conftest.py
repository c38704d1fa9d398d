"""A badly behaved server, and a client in a hurry to ask it."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from llm_twin_assets_tests.resources.http.raw_web import Crawler, RawWeb, raw_web


@pytest.fixture
def web() -> Iterator[RawWeb]:
    with raw_web() as web:
        yield web


@pytest.fixture
def crawling() -> Iterator[Callable[..., Crawler]]:
    """Make crawlers: `crawling(max_bytes=100)`, `crawling(resolve=…)`; policy by name, surroundings too."""
    begun: list[Crawler] = []

    def begin(**named: Any) -> Crawler:
        surroundings = {name: named.pop(name) for name in ("resolve", "tls") if name in named}
        begun.append(Crawler(named, **surroundings))
        return begun[-1]

    yield begin
    for crawler in begun:
        crawler.close()


@pytest.fixture
def crawler(crawling: Callable[..., Crawler]) -> Crawler:
    return crawling()
