"""robots.txt: when it is fetched, what it forbids, and what its absence means."""

from collections.abc import Callable

import pytest

from llm_twin_assets_tests.resources.http.raw_web import Crawler, RawWeb, raw_web, reply, to
from resources.http import AddressRefusedError, RobotsRefusedError, UnavailableError
from resources.http.robots import MAX_BYTES, product_token

Crawling = Callable[..., Crawler]
EVERYTHING = "User-agent: *\nDisallow: /"


def robots_asked(web: RawWeb) -> int:
    return sum(each.target == "/robots.txt" for each in web.heard)


def test_what_robots_txt_disallows_is_not_fetched(web: RawWeb, crawler: Crawler) -> None:
    web.pages["/robots.txt"] = reply("User-agent: *\nDisallow: /private\nAllow: /private/press$\n")
    web.pages["/"] = web.pages["/private/press"] = reply("ok")

    assert crawler.get(f"{web.url}/").text == "ok"
    assert crawler.get(f"{web.url}/private/press").text == "ok"
    for path in ("/private/", "/private?x=1", "/a/../private", "/%70rivate"):
        with pytest.raises(RobotsRefusedError, match=r"robots\.txt"):
            crawler.get(f"{web.url}{path}")
    assert web.asked == ["/", "/private/press"]
    assert crawler.client.counts.robots_refused == 4


def test_rules_for_this_program_come_before_those_for_all(web: RawWeb, crawling: Crawling) -> None:
    web.pages["/robots.txt"] = reply("User-agent: *\nDisallow: /\n\nUser-agent: LLM-Twin\nDisallow: /drafts")
    web.pages["/post"] = reply("ok")
    crawler = crawling(user_agent="llm-twin/0.1 (+https://example.com)")

    assert crawler.get(f"{web.url}/post").text == "ok"
    with pytest.raises(RobotsRefusedError):
        crawler.get(f"{web.url}/drafts/1")


def test_an_own_api_is_not_asked_for_robots_txt(web: RawWeb, crawler: Crawler) -> None:
    web.pages["/robots.txt"], web.pages["/api"] = reply(EVERYTHING), reply("ok")

    assert crawler.get(f"{web.url}/api", robots=False).text == "ok"
    assert robots_asked(web) == 0


def test_it_is_fetched_once_for_many_pages_at_once(web: RawWeb, crawler: Crawler) -> None:
    for number in range(20):
        web.pages[f"/{number}"] = reply("ok")

    crawler.together(*(f"{web.url}/{number}" for number in range(20)))

    assert robots_asked(web) == 1


def test_each_origin_has_its_own(web: RawWeb, crawler: Crawler) -> None:
    with raw_web() as other:
        other.pages["/robots.txt"] = reply(EVERYTHING)
        web.pages["/"] = reply("ok")

        assert crawler.get(f"{web.url}/").text == "ok"
        with pytest.raises(RobotsRefusedError):
            crawler.get(f"{other.url}/")


def test_it_is_asked_again_at_each_hop_of_a_redirect(web: RawWeb, crawler: Crawler) -> None:
    with raw_web() as other:
        other.pages["/robots.txt"] = reply(EVERYTHING)
        web.pages["/"] = to(f"{other.url}/page")

        with pytest.raises(RobotsRefusedError):
            crawler.get(f"{web.url}/")
        assert other.asked == []


def test_a_copy_is_kept_for_a_day_or_as_long_as_it_says(web: RawWeb, crawler: Crawler) -> None:
    web.pages["/robots.txt"] = [reply("", Cache_Control="public, max-age=3600"), reply("")]
    web.pages["/"] = reply("ok")

    for seconds, fetched in [(0, 1), (3500, 1), (200, 2), (86300, 2), (200, 3)]:
        crawler.clock.time += seconds
        crawler.get(f"{web.url}/")
        assert robots_asked(web) == fetched


@pytest.mark.parametrize("status", ["404 Not Found", "410 Gone", "401 Unauthorized", "403 Forbidden", "400 Bad"])
def test_a_site_without_one_allows_everything(web: RawWeb, crawler: Crawler, status: str) -> None:
    web.pages["/robots.txt"], web.pages["/"] = reply(EVERYTHING, status), reply("ok")

    assert crawler.get(f"{web.url}/").text == "ok"


@pytest.mark.parametrize("status", ["500 Oops", "501 Never", "503 Later", "429 Too Many Requests"])
def test_a_site_whose_rules_cannot_be_had_is_left_alone(web: RawWeb, crawler: Crawler, status: str) -> None:
    web.pages["/robots.txt"], web.pages["/"] = reply(EVERYTHING, status), reply("ok")

    for _ in range(3):
        with pytest.raises(UnavailableError, match=f"robots.txt cannot be had.*{status[:3]}"):
            crawler.get(f"{web.url}/")

    assert web.asked == []
    # All its attempts once, not for each page again; ten minutes later it may be back.
    attempts = robots_asked(web)
    assert attempts <= 5
    web.pages["/robots.txt"] = reply("")
    crawler.clock.time += 601
    assert crawler.get(f"{web.url}/").text == "ok"


def test_an_unreachable_site_is_left_alone_too(crawler: Crawler) -> None:
    with raw_web() as web:
        url = web.url

    outcomes = crawler.together(*(f"{url}/{number}" for number in range(5)))

    assert all(isinstance(each, UnavailableError) for each in outcomes)
    assert crawler.client.counts.requests == 5


def test_rules_that_were_known_stay_in_force_while_they_cannot_be_had(web: RawWeb, crawler: Crawler) -> None:
    web.pages["/robots.txt"] = [reply("User-agent: *\nDisallow: /x"), reply("", "500 Oops")]
    web.pages["/"] = reply("ok")
    crawler.get(f"{web.url}/")
    crawler.clock.time += 90_000

    assert crawler.get(f"{web.url}/").text == "ok"
    with pytest.raises(RobotsRefusedError):
        crawler.get(f"{web.url}/x")


def test_a_redirected_robots_txt_holds_for_the_origin_that_was_asked(web: RawWeb, crawler: Crawler) -> None:
    with raw_web() as other:
        web.pages["/robots.txt"] = to(f"{other.url}/rules")
        other.pages["/rules"] = reply("User-agent: *\nDisallow: /x")
        web.pages["/"] = reply("ok")

        assert crawler.get(f"{web.url}/").text == "ok"
        with pytest.raises(RobotsRefusedError):
            crawler.get(f"{web.url}/x")


def test_a_robots_txt_that_redirects_without_end_is_none(web: RawWeb, crawler: Crawler) -> None:
    web.pages["/robots.txt"], web.pages["/"] = to("/robots.txt"), reply("ok")

    assert crawler.get(f"{web.url}/").text == "ok"


def test_a_robots_txt_does_not_lead_inside(web: RawWeb, crawling: Crawling) -> None:
    web.pages["/robots.txt"], web.pages["/"] = to("http://169.254.169.254/"), reply("ok")

    with pytest.raises(AddressRefusedError):
        crawling(allowed=(f"127.0.0.1:{web.port}",)).get(f"{web.url}/")
    assert web.asked == []


def test_only_the_first_500_kib_count(web: RawWeb, crawler: Crawler) -> None:
    filler = "# nothing\n" * (MAX_BYTES // 10)
    web.pages["/robots.txt"] = reply(f"User-agent: *\nDisallow: /a\n{filler}Disallow: /b\n" + "x" * 2**22)
    web.pages["/b"] = reply("ok")

    assert crawler.get(f"{web.url}/b").text == "ok"
    with pytest.raises(RobotsRefusedError):
        crawler.get(f"{web.url}/a")
    assert crawler.client.counts.bytes < 2**20


def test_a_page_in_its_place_forbids_nothing(web: RawWeb, crawler: Crawler) -> None:
    web.pages["/robots.txt"] = reply("<!doctype html><html><body>Welcome: to our site</body></html>")
    web.pages["/"] = reply("ok")

    assert crawler.get(f"{web.url}/").text == "ok"


def test_bytes_that_are_no_text_do_not_break_it(web: RawWeb, crawler: Crawler) -> None:
    web.pages["/robots.txt"] = reply(b"\xef\xbb\xbfUser-agent: *\nDisallow: /caf\xe9\nDisallow: /x\n\x00\xff")
    with pytest.raises(RobotsRefusedError):
        crawler.get(f"{web.url}/x")


def test_one_in_a_coding_that_was_not_asked_for_cannot_be_had(web: RawWeb, crawler: Crawler) -> None:
    web.pages["/robots.txt"] = reply(b"\x0b\x02", Content_Encoding="br")

    with pytest.raises(UnavailableError, match="br"):
        crawler.get(f"{web.url}/")


@pytest.mark.parametrize(
    ("line", "delay"), [("Crawl-delay: 7", 7), ("Crawl-delay: 0.5", 1), ("Request-rate: 1/20s", 20)]
)
def test_the_delay_that_it_asks_for_is_kept(web: RawWeb, crawling: Crawling, line: str, delay: float) -> None:
    web.pages["/robots.txt"] = reply(f"User-agent: *\n{line}\n")
    for number in range(3):
        web.pages[f"/{number}"] = reply("ok")
    crawler = crawling(requests_per_second=1.0)

    crawler.together(*(f"{web.url}/{number}" for number in range(3)))

    # A second after robots.txt, the rest at the host's pace.
    assert crawler.clock.time == pytest.approx(1 + 2 * delay)


def test_a_delay_beyond_all_patience_is_an_error_that_says_when(web: RawWeb, crawling: Crawling) -> None:
    web.pages["/robots.txt"], web.pages["/"] = reply("User-agent: *\nCrawl-delay: 86400"), reply("ok")
    crawler = crawling(max_wait=60.0)
    crawler.get(f"{web.url}/")

    with pytest.raises(UnavailableError, match="86,400 s between requests") as refused:
        crawler.get(f"{web.url}/")

    assert refused.value.retry_at
    assert refused.value.retry_at.timestamp() == pytest.approx(crawler.clock.now() + 86400, abs=5)


def test_robots_txt_knows_us_by_our_product() -> None:
    assert product_token("llm-twin/0.1 (+https://example.com; maya@example.com)") == "llm-twin"
