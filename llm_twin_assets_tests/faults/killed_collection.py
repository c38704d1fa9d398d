"""A collection that is killed at its n-th commit."""

import asyncio
import os
import signal
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

from llm_twin_assets.collection.connectors import connector
from llm_twin_assets.collection.engine import intake, stored
from llm_twin_assets.collection.engine.collected import Collected
from llm_twin_assets.collection.engine.collector import Collector
from llm_twin_assets.collection.engine.documents import Scrubbing
from llm_twin_assets.collection.engine.links import link_copies
from llm_twin_assets.collection.visit import Person
from resources.http import HttpClient, HttpPolicy
from resources.warehouse import Warehouse

T = TypeVar("T")
WEB = connector("web")


class Killed(Warehouse):
    """A warehouse whose process dies, as by a power cut, right before or right after its n-th commit."""

    def __init__(self, root: str, number: int, when: str) -> None:
        super().__init__(root)
        self._left = number
        self._when = when

    def _insist(self, table: str, act: Callable[[], T]) -> T:
        self._left -= 1
        if self._left == 0 and self._when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        done = super()._insist(table, act)
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return done


def collect(warehouse: Warehouse, web: str) -> Collected:
    """The pages of a local site, in batches so small that there are many commits."""
    # More commits, more places to be killed at.
    intake.BATCH_DOCUMENTS = 4
    options = WEB.options.model_validate({"url": web})

    async def run() -> Collected:
        policy = HttpPolicy(requests_per_second=1e6, concurrency_per_host=1, allowed=(web.partition("//")[2],))
        async with HttpClient(policy) as http:
            known = stored.known_documents(warehouse, "maya")
            now = datetime(2026, 1, 1, tzinfo=UTC)
            collector = Collector(Person("maya", "Maya"), warehouse, http, Scrubbing(()), known, now)
            return await collector.visit(WEB, options)

    collected = asyncio.run(run())
    link_copies(warehouse, "maya")
    return collected


def collect_and_die(home: str, web: str, number: int, when: str) -> None:
    """Collect, and die right before or right after the n-th commit."""
    collect(Killed(home, number, when), web)
