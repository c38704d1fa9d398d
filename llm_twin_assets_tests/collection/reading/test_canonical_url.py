import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from llm_twin_assets.collection.reading.canonical_url import url_key

KEY = "https://loom.se/weaving/a-shed"


@pytest.mark.parametrize(
    "url",
    [
        "https://loom.se/weaving/a-shed",
        "http://loom.se/weaving/a-shed/",
        "HTTPS://WWW.Loom.SE:443/weaving/a-shed",
        "http://loom.se:80//weaving/./x/../a-shed",
        "https://loom.se/weaving/a-shed#comments",
        "https://maya:x@loom.se/weaving/a%2dshed",
        "https://loom.se/weaving/a-shed?utm_source=feed&utm_medium=rss",
        "https://loom.se/weaving/a-shed?source=rss-1f2e------2&fbclid=x&gclid=y&ref=hn",
        "https://loom.se/weaving/a-shed?triedRedirect=true&mkt_tok=1&_hsenc=p",
        "https://loom.se./weaving/a-shed;jsessionid=1F",
        "  https://loom.se/weaving/a-shed\n",
    ],
)
def test_the_many_ways_to_write_an_address_are_one(url: str) -> None:
    assert url_key(url) == KEY


@pytest.mark.parametrize(
    "url",
    [
        "https://loom.se/weaving/A-shed",
        "https://loom.se/weaving/a-shed?page=2",
        "https://loom.se/weaving/a-shed?12345",
        "https://loom.se/weaving/a-shed?p=",
        "https://loom.se/weaving/a-shed?game=1",
        "https://loom.se/weaving/a-shed?keywords=warp",
        "https://loom.se/weaving/a-shed?reference=7",
        "https://loom.se:8443/weaving/a-shed",
        "https://blog.loom.se/weaving/a-shed",
        "https://loom.se/weaving/a-shed#!/warp",
        "https://loom.se/weaving%2Fa-shed",
        "https://loom.se/weaving/a-shed/b",
    ],
)
def test_what_says_which_page_it_is_stays(url: str) -> None:
    assert url_key(url) != KEY
    assert url_key(url_key(url)) == url_key(url)


def test_the_order_of_parameters_and_the_case_of_escapes_mean_nothing() -> None:
    assert (
        url_key("https://x.se/%c3%a5?b=2&a=1&a=0")
        == url_key("https://x.se/å?a=0&b=2&a=1")
        == "https://x.se/%C3%A5?a=0&a=1&b=2"
    )


def test_an_international_name_has_one_form() -> None:
    assert url_key("https://Läroverk.se/") == url_key("http://xn--lroverk-5wa.se") == "https://xn--lroverk-5wa.se"


@pytest.mark.parametrize(
    "other", ["", "urn:li:share:7", "at://did:plc:x/app.bsky.feed.post/1", "posts/a.html", "https://", "http://[x"]
)
def test_what_is_no_web_address_stays_as_it_is(other: str) -> None:
    assert url_key(other) == other


PARTS = st.sampled_from(
    re.split(
        r"\s+",
        "www. a B å .se . / // .. ? & = # #! % %2e %2F %c3 :80 :443 utm_source=x p=1 @ ; + [ ] xn-- &amp; ref http://",
    )
) | st.sampled_from([" ", "\n"])


@given(st.lists(PARTS | st.text(max_size=3), max_size=10).map(lambda parts: "https://" + "".join(parts)))
@example("https://www.www.se/")
@example("https://a.se/?&amp;amp;a")
def test_the_key_of_a_key_is_itself(url: str) -> None:
    assert url_key(url_key(url)) == url_key(url)
