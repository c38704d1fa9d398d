"""Many questions under way at once, of which the first that fails for good ends all."""

import asyncio
from collections.abc import Coroutine, Iterable
from typing import TypeVar

T = TypeVar("T")


async def gathered(work: Iterable[Coroutine[object, object, T]]) -> list[T]:
    """All results in order; the first error is raised, and what is still under way is ended before."""
    tasks = [asyncio.ensure_future(each) for each in work]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
