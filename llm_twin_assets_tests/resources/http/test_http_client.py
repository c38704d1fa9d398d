"""What a fetch gives, what makes the next one cheap, and where redirects may lead."""

import asyncio
import gc
import subprocess
import sys
from collections.abc import Callable

import pytest

from llm_twin_assets_tests.resources.http.raw_web import Crawler, RawWeb, raw_web, reply, to
from resources.http import (
    AddressRefusedError,
    HttpClient,
    HttpError,
    HttpStatusError,
    TooManyRedirectsError,
    UnavailableError,
    Validators,
)

Crawling = Callable[..., Crawler]


def test_a_page_comes_with_its_headers_and_both_addresses(web: RawWeb, crawler: Crawler) -> None:
    web.pages["/old"] = to("/new")
    web.pages["/new"] = reply("hello", Content_Type="text/html; charset=utf-8", Link="<a>", LINK="<b>")

    response = crawler.get(f"{web.url}/old")

    assert response.text == "hello"
    assert response.media_type == "text/html"
    assert response.headers["link"] == "<a>, <b>"
    assert (response.asked, response.url) == (f"{web.url}/old", f"{web.url}/new")


def test_requests_say_who_asks_and_how_to_reach_them(web: RawWeb, crawling: Crawling) -> None:
    web.pages["/"] = reply()

    crawling(user_agent="llm-twin/9 (+mailto:maya@example.com)").get(f"{web.url}/", headers={"User-Agent": "other"})

    assert {each.headers["user-agent"] for each in web.heard} == {"llm-twin/9 (+mailto:maya@example.com)"}
    assert {each.headers["accept-encoding"] for each in web.heard} == {"gzip, deflate"}


def test_parameters_join_those_of_the_address(web: RawWeb, crawler: Crawler) -> None:
    web.pages["/list?sort=new&limit=2&q=a+b%26c"] = reply("ok")

    response = crawler.get(f"{web.url}/list?sort=new", params={"limit": "2", "q": "a b&c"})

    assert response.status == 200
    assert response.asked == f"{web.url}/list?sort=new"


def test_a_version_that_still_stands_is_not_sent_again(web: RawWeb, crawler: Crawler) -> None:
    async def page(heard, writer) -> None:
        known = heard.headers.get("if-none-match") == '"v1"' and heard.headers.get("if-modified-since") == "yesterday"
        status = "304 Not Modified" if known else "200 OK"
        writer.write(reply(b"" if known else b"text", status, ETag='"v1"', Last_Modified="yesterday"))

    web.pages["/"] = page
    first = crawler.get(f"{web.url}/")
    again = crawler.get(f"{web.url}/", validators=first.validators)

    assert first.validators == Validators('"v1"', "yesterday")
    assert again.not_modified
    assert again.content == b""
    assert crawler.client.counts.not_modified == 1


def test_validators_go_along_with_a_redirect(web: RawWeb, crawler: Crawler) -> None:
    web.pages["/a"] = to("/b")
    web.pages["/b"] = reply(status="304 Not Modified")

    assert crawler.get(f"{web.url}/a", validators=Validators('"v1"')).not_modified


def test_a_304_that_nobody_asked_for_is_an_error(web: RawWeb, crawler: Crawler) -> None:
    web.pages["/"] = reply(status="304 Not Modified")

    with pytest.raises(HttpStatusError, match="304"):
        crawler.get(f"{web.url}/")


@pytest.mark.parametrize("status", ["404 Not Found", "410 Gone"])
def test_what_is_missing_is_an_answer(web: RawWeb, crawler: Crawler, status: str) -> None:
    web.pages["/"] = reply("no such page", status)

    response = crawler.get(f"{web.url}/")

    assert response.missing
    assert response.text == "no such page"


@pytest.mark.parametrize(
    "status", ["400 Bad Request", "401 Unauthorized", "403 Forbidden", "451 Unavailable", "501 No"]
)
def test_a_refusal_is_an_error_at_once(web: RawWeb, crawler: Crawler, status: str) -> None:
    web.pages["/"] = reply("no", status)

    with pytest.raises(HttpStatusError) as refused:
        crawler.get(f"{web.url}/")

    assert refused.value.status == int(status[:3])
    assert web.asked == ["/"]


def test_json_that_is_none_says_where_it_came_from(web: RawWeb, crawler: Crawler) -> None:
    web.pages["/good"] = reply(b'\xef\xbb\xbf{"a": [1]}')
    web.pages["/bad"] = reply("<html>")
    web.pages["/deep"] = reply("[" * 200_000)

    assert crawler.get(f"{web.url}/good").json() == {"a": [1]}
    for path in ("/bad", "/deep"):
        with pytest.raises(HttpError, match=f"{web.url}{path}: is not JSON"):
            crawler.get(f"{web.url}{path}").json()


def test_connections_are_used_again(web: RawWeb, crawler: Crawler) -> None:
    web.pages["/"] = reply("ok")
    web.pages["/gone"] = reply("x" * 20_000, "404 Not Found")
    web.pages["/hop"] = to("/")
    for path in ("/", "/gone", "/hop", "/", "/gone"):
        crawler.get(f"{web.url}{path}")

    assert web.connections == 1


def test_a_connection_that_the_server_closed_meanwhile_costs_no_retry(web: RawWeb, crawler: Crawler) -> None:
    web.pages["/"] = reply("ok", Connection="close")

    assert [crawler.get(f"{web.url}/").text for _ in range(3)] == ["ok"] * 3
    assert crawler.client.counts.retries == 0


def test_cookies_are_not_kept(web: RawWeb, crawler: Crawler) -> None:
    web.pages["/"] = reply("ok", Set_Cookie="id=you; Path=/")
    crawler.get(f"{web.url}/")
    crawler.get(f"{web.url}/")

    assert all("cookie" not in each.headers for each in web.heard)


def test_a_proxy_in_the_environment_is_not_asked(
    web: RawWeb, crawling: Crawling, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    web.pages["/"] = reply("straight")

    assert crawling().get(f"{web.url}/").text == "straight"


def test_everything_is_counted(web: RawWeb, crawler: Crawler) -> None:
    web.pages["/hop"] = to("/flaky")
    web.pages["/flaky"] = [reply("later", "503 Service Unavailable"), reply("ok")]
    crawler.get(f"{web.url}/hop")

    counts = crawler.client.counts
    # robots.txt ("nothing here", 12 bytes), the redirect (5), the failure (5), the page (2)
    assert (counts.requests, counts.retries, counts.bytes) == (4, 1, 24)


# Redirects


def test_a_long_way_is_followed_to_the_end_but_not_further(web: RawWeb, crawler: Crawler) -> None:
    for number in range(7):
        web.pages[f"/{number}"] = to(f"/{number + 1}")
    web.pages["/7"] = reply("end")

    assert crawler.get(f"{web.url}/2").text == "end"
    with pytest.raises(TooManyRedirectsError, match="more than 5"):
        crawler.get(f"{web.url}/1")


def test_a_circle_is_left_when_it_closes(web: RawWeb, crawler: Crawler) -> None:
    web.pages["/a"], web.pages["/b"] = to("/b#one"), to("/a#two")

    with pytest.raises(TooManyRedirectsError, match="circle"):
        crawler.get(f"{web.url}/a")
    assert web.asked == ["/a", "/b"]


PRIVATE = [
    "http://127.0.0.1/",
    "http://127.1/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::1]/",
    "http://169.254.169.254/latest/meta-data/",
    "http://0x7f.1/",
    "http://2130706433/",
    "http://0177.0.0.1/",
    "http://0.0.0.0/",
    "//10.0.0.1/",
    "file:///etc/passwd",
    "gopher://example.com/",
    "http://user:password@example.com/",
    "https:///x",
]


@pytest.mark.parametrize("location", PRIVATE)
def test_a_redirect_to_what_is_no_public_web_address_is_refused(web: RawWeb, crawling: Crawling, location: str) -> None:
    web.pages["/"] = to(location)
    crawler = crawling(allowed=(f"127.0.0.1:{web.port}",))

    with pytest.raises(AddressRefusedError) as refused:
        crawler.get(f"{web.url}/")

    assert "password" not in str(refused.value).replace("name or password", "")
    assert web.asked == ["/"]
    assert crawler.client.counts.requests == 2  # robots.txt and the page that redirects


def test_another_port_of_an_allowed_host_is_not_allowed_with_it(web: RawWeb, crawling: Crawling) -> None:
    with raw_web() as other:
        web.pages["/"] = to(f"{other.url}/")
        with pytest.raises(AddressRefusedError):
            crawling(allowed=(f"127.0.0.1:{web.port}",)).get(f"{web.url}/")

        assert not other.heard


def test_credentials_never_reach_another_origin(web: RawWeb, crawler: Crawler) -> None:
    secrets = {"Authorization": "Bearer t", "PRIVATE-TOKEN": "t", "Cookie": "t", "X-Anything": "t", "Accept": "text/x"}
    with raw_web() as other:
        web.pages["/same"] = to("/api")
        web.pages["/api"] = to(f"{other.url}/take")
        other.pages["/take"] = to(f"{web.url}/back")
        web.pages["/back"] = reply("ok")

        crawler.get(f"{web.url}/same", headers=secrets, robots=False)

        same, api, back = web.heard
        (take,) = other.heard
    for kept in (same, api):
        assert (kept.headers["authorization"], kept.headers["private-token"]) == ("Bearer t", "t")
    # Whoever sends the client back could choose what it asks there with the token.
    for bare in (take, back):
        assert not {"authorization", "private-token", "cookie", "x-anything"} & set(bare.headers)
        assert bare.headers["accept"] == "text/x"


def test_the_signature_in_a_redirect_is_in_no_error(web: RawWeb, crawling: Crawling) -> None:
    web.pages["/"] = to("/download?token=hush")
    web.pages["/download?token=hush"] = reply("no", "503 Service Unavailable")

    with pytest.raises(UnavailableError) as failed:
        crawling(retries=0).get(f"{web.url}/")

    assert "hush" not in str(failed.value)
    assert "/download" in str(failed.value)


# The client itself


def test_without_its_block_the_client_does_nothing() -> None:
    with pytest.raises(RuntimeError, match="context manager"):
        asyncio.run(HttpClient().get("https://example.com/", robots=False))


def test_a_header_that_would_be_two_is_not_sent(web: RawWeb, crawler: Crawler) -> None:
    with pytest.raises(HttpError):
        crawler.get(f"{web.url}/", headers={"X-Token": "a\r\nX-Other: b"}, robots=False)

    assert not web.heard


def test_a_cancelled_fetch_leaves_the_client_usable(web: RawWeb, crawling: Crawling) -> None:
    async def never(heard, writer) -> None:
        await asyncio.sleep(30)

    web.pages["/never"], web.pages["/"] = never, reply("ok")
    crawler = crawling(concurrency=1, concurrency_per_host=1)

    async def story() -> str:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(crawler.client.get(f"{web.url}/never"), 0.2)
        return (await crawler.client.get(f"{web.url}/")).text

    assert crawler._runner.run(story()) == "ok"


def test_importing_the_client_imports_nothing_heavy() -> None:
    code = (
        "import sys, resources.http; print([m for m in ('httpx', 'httpcore', 'protego', 'anyio') if m in sys.modules])"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


def test_nothing_is_kept_of_pages_that_were_read(web: RawWeb, crawler: Crawler) -> None:
    for number in range(50):
        web.pages[f"/{number}"] = reply("x" * 1000)
    crawler.get(f"{web.url}/0")
    gc.collect()
    before = len(gc.get_objects())
    for number in range(50):
        crawler.get(f"{web.url}/{number}")
    web.heard.clear()
    gc.collect()

    assert len(gc.get_objects()) - before < 50
