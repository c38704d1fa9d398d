"""When the client asks again, how long it waits, and how it keeps to a host's pace."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_twin_assets_tests.resources.http.raw_web import BEGAN, Crawler, RawWeb, raw_web, reply
from resources.http import HttpError, HttpStatusError, Response, TooLargeError, UnavailableError
from resources.http.retry import asked_wait, backoff

Crawling = Callable[..., Crawler]
OK = reply("ok")
TOO_MANY = "429 Too Many Requests"


def http_date(seconds: float) -> str:
    return format_datetime(datetime.fromtimestamp(BEGAN + seconds, UTC), usegmt=True)


@pytest.mark.parametrize(
    "status", ["500 Oops", "502 Bad", "503 Later", "504 Slow", "520 Unknown", "408 Timeout", TOO_MANY]
)
def test_a_failure_that_passes_is_waited_out_ever_longer(web: RawWeb, crawler: Crawler, status: str) -> None:
    web.pages["/"] = [reply("no", status)] * 4 + [OK]

    assert crawler.get(f"{web.url}/", robots=False).text == "ok"
    assert crawler.clock.slept == pytest.approx([1, 2, 4, 8])
    assert crawler.client.counts.retries == 4
    assert crawler.client.counts.waited == pytest.approx(15)


def test_patience_ends(web: RawWeb, crawling: Crawling) -> None:
    web.pages["/"] = reply("no", "503 Later")

    with pytest.raises(UnavailableError, match="answered 503 at attempt 3") as failed:
        crawling(retries=2).get(f"{web.url}/", robots=False)

    assert failed.value.retry_at is None
    assert web.asked == ["/"] * 3


@pytest.mark.parametrize("status", [TOO_MANY, "503 Later", "403 Forbidden"])
@pytest.mark.parametrize("asked", ["42", http_date(42), "Sunday, 15-Jan-27 08:00:42 GMT", "Fri Jan 15 08:00:42 2027"])
def test_a_wait_that_the_server_names_is_kept(web: RawWeb, crawler: Crawler, status: str, asked: str) -> None:
    web.pages["/"] = [reply("no", status, Retry_After=asked), OK]

    assert crawler.get(f"{web.url}/", robots=False).text == "ok"
    assert crawler.clock.time == pytest.approx(42)


@pytest.mark.parametrize(
    "headers",
    [
        {"X_RateLimit_Remaining": "0", "X_RateLimit_Reset": f"{BEGAN + 42:.0f}"},
        {"RateLimit_Remaining": "0", "RateLimit_Reset": "42"},
        {"X_RateLimit_Remaining": "0", "X_RateLimit_Reset": "2027-01-15T08:00:42Z"},
    ],
    ids=["GitHub", "IETF", "Mastodon"],
)
@pytest.mark.parametrize("status", ["403 Forbidden", TOO_MANY])
def test_a_limit_that_is_used_up_is_waited_for(
    web: RawWeb, crawler: Crawler, status: str, headers: dict[str, str]
) -> None:
    web.pages["/"] = [reply("no", status, **headers), OK]

    assert crawler.get(f"{web.url}/", robots=False).text == "ok"
    assert crawler.clock.time == pytest.approx(42)


def test_a_403_with_requests_left_is_a_refusal(web: RawWeb, crawler: Crawler) -> None:
    web.pages["/"] = reply("no", "403 No", X_RateLimit_Remaining="4999", X_RateLimit_Reset=f"{BEGAN + 42:.0f}")

    with pytest.raises(HttpStatusError):
        crawler.get(f"{web.url}/", robots=False)


def test_a_wait_beyond_patience_is_an_error_that_says_when(web: RawWeb, crawling: Crawling) -> None:
    web.pages["/"], web.pages["/other"] = reply("no", TOO_MANY, Retry_After="3600"), OK
    crawler = crawling(max_wait=300.0)

    for path in ("/", "/other"):
        with pytest.raises(UnavailableError) as failed:
            crawler.get(f"{web.url}{path}", robots=False)
        assert failed.value.retry_at == datetime.fromtimestamp(BEGAN + 3600, UTC)

    assert web.asked == ["/"], "a host that asks for an hour's rest is not asked for its other pages"
    crawler.clock.time += 3600
    assert crawler.get(f"{web.url}/other", robots=False).text == "ok"


def test_a_host_that_asks_for_rest_gets_it_from_all_requests(web: RawWeb, crawling: Crawling) -> None:
    crawler = crawling(concurrency_per_host=1)
    heard_at: dict[str, float] = {}

    async def page(heard, writer) -> None:
        heard_at[heard.target] = crawler.clock.time
        writer.write(OK)

    web.pages["/limited"] = [reply("no", TOO_MANY, Retry_After="30"), OK]
    web.pages["/1"] = web.pages["/2"] = page

    crawler.together(*(f"{web.url}/{name}" for name in ("limited", "1", "2")), robots=False)

    assert set(heard_at) == {"/1", "/2"}
    assert all(moment >= 30 for moment in heard_at.values())


@pytest.mark.parametrize("nonsense", ["soon", "-5", "", "1e9", "99" * 40, "Mon, 99 Foo 2027 00:00:00 GMT", "٣"])
def test_a_wait_that_makes_no_sense_counts_as_none(web: RawWeb, crawler: Crawler, nonsense: str) -> None:
    web.pages["/"] = [b"HTTP/1.1 429 No\r\nContent-Length: 0\r\nRetry-After: " + nonsense.encode() + b"\r\n\r\n", OK]

    assert crawler.get(f"{web.url}/", robots=False).text == "ok"
    assert crawler.clock.slept == pytest.approx([1])


@given(st.text(max_size=40), st.text(max_size=40), st.sampled_from([429, 403, 503]))
def test_any_header_gives_a_wait_that_can_be_a_date(after: str, reset: str, status: int) -> None:
    headers = {"retry-after": after, "x-ratelimit-remaining": "0", "x-ratelimit-reset": reset}

    wait = asked_wait(status, headers, BEGAN)

    assert wait is None or 0 <= wait <= 366 * 86400


@given(st.integers(0, 10_000), st.floats(0, 1), st.floats(0.01, 100))
def test_the_wait_between_attempts_has_a_limit(attempt: int, chance: float, base: float) -> None:
    assert 0 <= backoff(attempt, base, 300.0, lambda: chance) <= 300


# Broken answers


@pytest.mark.parametrize(
    "broken",
    [
        reply("half", length=1000, Connection="close"),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n5\r\nhello\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\nzz\r\nhello\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Le" + b"\r\nConnection: close\r\n",
        b"\r\nConnection: close\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.6\r\nConnection: close\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\nConnection: close\r\n\r\nhello",
    ],
    ids=[
        "short",
        "chunks that stop",
        "chunks that are none",
        "half a header",
        "nothing",
        "another protocol",
        "two lengths",
    ],
)
def test_an_answer_that_breaks_off_is_asked_for_again(web: RawWeb, crawler: Crawler, broken: bytes) -> None:
    web.pages["/"] = [broken, OK]

    assert crawler.get(f"{web.url}/", robots=False).text == "ok"
    assert crawler.client.counts.retries == 1


def test_an_answer_that_always_breaks_off_is_never_taken_for_whole(web: RawWeb, crawler: Crawler) -> None:
    web.pages["/"] = reply("half", length=1000, Connection="close")

    with pytest.raises(UnavailableError, match="broke off"):
        crawler.get(f"{web.url}/", robots=False)


def test_nobody_there_is_an_error_after_all_attempts(crawler: Crawler) -> None:
    with raw_web() as web:
        url = web.url

    with pytest.raises(UnavailableError):
        crawler.get(f"{url}/", robots=False)
    assert crawler.client.counts.requests == 5


async def _drip(writer: asyncio.StreamWriter, start: bytes) -> None:
    writer.write(start)
    while not writer.is_closing():
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.02)


@pytest.mark.parametrize(
    "start", [b"", b"HTTP/1.1 200 OK\r\nX-Long: ", b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"],
    ids=["at once", "in a header", "in the body"],
)  # fmt: skip
def test_a_drip_ends_with_the_time_of_the_attempt(web: RawWeb, crawling: Crawling, start: bytes) -> None:
    async def drip(heard, writer) -> None:
        await _drip(writer, start)

    web.pages["/"] = drip
    began = time.monotonic()

    with pytest.raises(UnavailableError, match=r"took longer than 0\.2 s|broke off"):
        crawling(timeout=0.2, retries=0).get(f"{web.url}/", robots=False)
    assert time.monotonic() - began < 2


def test_headers_without_end_are_too_large(web: RawWeb, crawler: Crawler) -> None:
    web.pages["/"] = b"HTTP/1.1 200 OK\r\nX-Huge: " + b"x" * 300_000 + b"\r\nContent-Length: 2\r\n\r\nok"

    with pytest.raises(TooLargeError, match="headers"):
        crawler.get(f"{web.url}/", robots=False)
    assert web.asked == ["/"]


# Pace


def test_a_host_is_asked_at_its_pace_whatever_the_number_of_tasks(web: RawWeb, crawling: Crawling) -> None:
    for number in range(10):
        web.pages[f"/{number}"] = OK
    crawler = crawling(requests_per_second=2.0)

    crawler.together(*(f"{web.url}/{number}" for number in range(10)), robots=False)

    assert crawler.clock.time == pytest.approx(4.5)
    assert crawler.client.counts.waited == pytest.approx(sum(crawler.clock.slept))


def test_another_host_need_not_wait(web: RawWeb, crawling: Crawling) -> None:
    async def here(host: str, port: int) -> list[str]:
        return ["127.0.0.1"]

    crawler = crawling(requests_per_second=0.01, resolve=here, allowed=("a.example", "b.example"))
    web.pages["/"] = OK

    crawler.together(f"http://a.example:{web.port}/", f"http://b.example:{web.port}/", robots=False)

    assert crawler.clock.time == 0


@pytest.mark.parametrize(("per_host", "all_hosts", "most"), [(3, 16, 3), (8, 2, 2)])
def test_no_more_requests_are_open_than_allowed(
    web: RawWeb, crawling: Crawling, per_host: int, all_hosts: int, most: int
) -> None:
    opened, highest = 0, 0

    async def page(heard, writer) -> None:
        nonlocal opened, highest
        opened += 1
        highest = max(highest, opened)
        await asyncio.sleep(0.01)
        opened -= 1
        writer.write(OK)

    for number in range(12):
        web.pages[f"/{number}"] = page
    crawler = crawling(concurrency_per_host=per_host, concurrency=all_hosts)

    answers = crawler.together(*(f"{web.url}/{number}" for number in range(12)), robots=False)

    assert [getattr(answer, "text", answer) for answer in answers] == ["ok"] * 12
    assert highest == most


def test_who_waits_for_a_slow_host_keeps_nobody_else_waiting(web: RawWeb, crawling: Crawling) -> None:
    async def here(host: str, port: int) -> list[str]:
        return ["127.0.0.1"]

    crawler = crawling(concurrency=1, requests_per_second=0.1, resolve=here, allowed=("slow.example", "fast.example"))
    order: list[str] = []

    async def page(heard, writer) -> None:
        order.append(heard.headers["host"].partition(":")[0])
        writer.write(OK)

    web.pages["/"] = page
    slow, fast = f"http://slow.example:{web.port}/", f"http://fast.example:{web.port}/"

    crawler.together(slow, slow, slow, fast, robots=False)

    assert order == ["slow.example", "fast.example", "slow.example", "slow.example"]


# Whatever comes


NASTY = [
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\n" * 50 + OK,
    b"HTTP/1.1 099 Low\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 999 High\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/2 200 OK\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.0 200 OK\n\nfor long",
    b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nno colon here\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nX: a\x00b\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nX-\xff: a\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nX: 1\r\n folded\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 302 Found\r\nLocation: \r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 302 Found\r\nLocation: /\xff\xfe\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 302 Found\r\nLocation: http://[\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Type: \xff\xfe; charset=\xff\r\nContent-Length: 1\r\n\r\n\xff",
    b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello",
    b"\x00" * 1000,
    b"<html>",
]


async def _then_close(writer: asyncio.StreamWriter, sent: bytes) -> None:
    writer.write(sent)
    await writer.drain()


@pytest.mark.parametrize("sent", NASTY)
def test_whatever_a_server_sends_is_an_answer_or_an_error_of_ours(web: RawWeb, crawling: Crawling, sent: bytes) -> None:
    async def page(heard, writer) -> None:
        await _then_close(writer, sent)

    web.pages["/"], web.pages["/after"] = page, OK
    crawler = crawling(retries=1, timeout=1.0)

    (outcome,) = crawler.together(f"{web.url}/", robots=False)

    assert isinstance(outcome, Response | HttpError), repr(outcome)
    if isinstance(outcome, Response):
        assert isinstance(outcome.text, str)
    assert crawler.get(f"{web.url}/after", robots=False).text == "ok"


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                b"HTTP/1.1 ",
                b"200 OK",
                b"\r\n",
                b"\n",
                b"Content-Length: 3",
                b"abc",
                b":",
                b"0",
                b"Transfer-Encoding: chunked",
                b"Content-Encoding: gzip",
                b"\x1f\x8b\x08",
                b"\x00",
                b"Location: /",
                b"302 F",
            ]
        )
    )
)
def test_pieces_of_http_in_any_order_do_no_harm(pieces: list[bytes]) -> None:
    async def page(heard, writer) -> None:
        await _then_close(writer, b"".join(pieces))

    with raw_web() as web:
        web.pages["/"] = page
        crawler = Crawler({"retries": 0, "timeout": 1.0})
        (outcome,) = crawler.together(f"{web.url}/", robots=False)
        crawler.close()

    assert isinstance(outcome, Response | HttpError), repr(outcome)
