import asyncio
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from bentos.errors import ApiError
from bentos.pool import Call, Pool, Wanted
from resources.errors import StorageError


async def wanted_always() -> None:
    """Nobody left, no key was taken back."""


def wanted(seconds: float = 10.0) -> Wanted:
    return Wanted(asyncio.get_running_loop().time() + seconds, wanted_always)


def once_cancelled(noticed: threading.Event) -> Callable[[threading.Event], Iterator[str]]:
    def work(cancelled: threading.Event) -> Iterator[str]:
        yield "begun"
        cancelled.wait(10)
        noticed.set()

    return work


@pytest.fixture
def pool() -> Iterator[Pool]:
    made = Pool("test", threads=1, queue=1)
    yield made
    made.close()


def test_items_come_in_order_and_errors_as_callers_may_know_them(pool: Pool):
    def fails(_: threading.Event) -> Iterator[int]:
        yield 1
        raise StorageError("secret", where="/home/x")

    async def collect() -> list[int]:
        items = pool.begin(lambda _: iter([1, 2, 3])).items(wanted())
        return [item async for item in items]

    async def fail() -> None:
        async for item in pool.begin(fails).items(wanted()):
            assert item == 1

    assert asyncio.run(collect()) == [1, 2, 3]
    with pytest.raises(ApiError, match="cannot answer at the moment") as caught:
        asyncio.run(fail())
    assert caught.value.status == 503


def test_who_finds_the_queue_full_is_told_when_to_come_again(pool: Pool):
    release = threading.Event()

    async def fill() -> ApiError:
        calls: list[Call[int]] = [pool.begin(lambda _: iter([release.wait(10)])) for _ in range(2)]
        with pytest.raises(ApiError) as caught:
            pool.begin(lambda _: iter([0]))
        release.set()
        assert [await call.only(wanted()) for call in calls] == [True, True]
        assert await pool.begin(lambda _: iter([7])).only(wanted()) == 7
        return caught.value

    error = asyncio.run(fill())
    assert (error.status, error.kind) == (429, "saturated")
    assert error.headers is not None
    assert int(error.headers["Retry-After"]) >= 1


def test_a_deadline_ends_the_wait_and_tells_the_work(pool: Pool):
    noticed = threading.Event()

    async def wait() -> None:
        await pool.begin(once_cancelled(noticed)).only(wanted(0.1))

    with pytest.raises(ApiError, match="too long") as caught:
        asyncio.run(wait())
    assert caught.value.status == 504
    assert noticed.wait(5)


def test_work_that_nobody_wants_any_more_is_told_so_also_while_items_come(pool: Pool):
    ended = threading.Event()

    def chatters(cancelled: threading.Event) -> Iterator[int]:
        while not cancelled.is_set():
            time.sleep(0.01)
            yield 1
        ended.set()

    async def revoked() -> None:
        raise ApiError(401, "unauthorized", "the key was revoked")

    async def listen() -> None:
        await pool.begin(chatters).only(Wanted(asyncio.get_running_loop().time() + 10, revoked))

    with pytest.raises(ApiError, match="revoked"):
        asyncio.run(listen())
    assert ended.wait(5)


def test_work_that_has_not_begun_never_does_once_nobody_waits(pool: Pool):
    noticed, began = threading.Event(), threading.Event()

    async def leave() -> None:
        first = pool.begin(once_cancelled(noticed))
        second = pool.begin(lambda _: iter([began.set()]))
        second.end()
        first.end()
        assert await pool.begin(lambda _: iter([1])).only(wanted()) == 1

    asyncio.run(leave())
    assert noticed.is_set()
    assert not began.is_set()
