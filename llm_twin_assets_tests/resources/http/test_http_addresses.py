"""Which addresses pass the guard, however they are spelled, and whoever's name server answers."""

import ssl
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_twin_assets_tests.resources.http.authority import Authority
from llm_twin_assets_tests.resources.http.raw_web import Crawler, RawWeb, raw_web, reply, to
from resources.http import AddressRefusedError, UnavailableError
from resources.http.address import is_allowed, is_public, shown, web_address

Crawling = Callable[..., Crawler]


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.1", "10.1.2.3", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.255.255.254", "169.254.169.254",
        "172.16.0.1", "172.31.255.255", "192.0.0.192", "192.0.2.1", "192.168.1.1", "198.18.0.1", "203.0.113.9",
        "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "168.63.129.16",
        "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:0:127.0.0.1", "64:ff9b::10.0.0.1",
        "64:ff9b::7f00:1", "64:ff9b:1::1", "2001::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:db8::1",
        "2002:7f00:1::", "2002:808:808::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "fec0::1",
        "ff02::1", "ff0e::1", "100::1", "3fff::1", "5f00::1", "2a00:1450::5efe:7f00:1", "2a00::200:5efe:10.0.0.1",
        "", "localhost", "1.2.3", "010.1.1.1", "8.8.8.8 ", "0x8.8.8.8",
    ],
)  # fmt: skip
def test_what_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address",
    ["8.8.8.8", "1.1.1.1", "172.15.0.1", "172.32.0.1", "100.63.0.1", "100.128.0.1", "192.0.1.1", "223.255.255.254",
     "2606:4700::1111", "2a00:1450:4001::1", "2003::1", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8"],
)  # fmt: skip
def test_what_is_public(address: str) -> None:
    assert is_public(address)


@given(st.ip_addresses())
def test_nothing_is_public_that_python_calls_private(address: IPv4Address | IPv6Address) -> None:
    inside = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    if is_public(str(address)):
        assert not (inside or address).is_private
        assert not (inside or address).is_multicast


@given(st.ip_addresses(v=4))
def test_an_address_is_as_public_in_other_clothes(address: IPv4Address) -> None:
    for clothed in (f"::ffff:{address}", f"64:ff9b::{address}"):
        assert is_public(str(ip_address(clothed))) == is_public(str(address))


ODD = [
    "http://0x7f.1/", "http://0X7F000001/", "http://2130706433/", "http://0177.0.0.1/", "http://127.1/",
    "http://127.0.1/", "http://8.8.8.8.8/", "http://1.2.3.4.5/", "http://134744072/", "http://0x08080808/",
    "http://example.com.0x/", "http://exa mple.com/", "http://a%2eb/", "http://127.0.0.1%00.example.com/",
    "http://a..b/", "http://.example.com/", "http://" + "a" * 64 + ".com/", "http://" + "a." * 130 + "com/",
    "http://[fe80::1%25eth0]/", "http://[::1/", "http://[v1.x]/", "http://ex\x00ample.com/", "http://ex\nample.com/",
    "http://example.com:0/", "http://example.com:65536/", "http://example.com:http/",
    "http://user@example.com/", "http://user:password@example.com/", "http://:@example.com/x@y",
    "ftp://example.com/", "file:///etc/passwd", "javascript:alert(1)", "data:text/html,x", "//example.com/", "/path",
    "example.com", "", "http:example.com", "http:///x", "https://", "HTTP\\://example.com",
    "http://example.com\\@127.0.0.1/",
]  # fmt: skip


@pytest.mark.parametrize("url", ODD)
def test_an_odd_address_is_refused_before_anything_is_asked(url: str) -> None:
    with pytest.raises(AddressRefusedError) as refused:
        web_address(url)

    assert str(refused.value).isprintable()
    assert "user:password" not in str(refused.value)


@pytest.mark.parametrize(
    ("url", "meant"),
    [
        ("HTTP://Example.COM/A?b=C#d", "http://example.com/A?b=C"),
        ("https://example.com:443/", "https://example.com/"),
        ("http://example.com./x", "http://example.com/x"),
        ("http://example.com", "http://example.com/"),
        ("https://münchen.example/straße", "https://xn--mnchen-3ya.example/stra%C3%9Fe"),
        ("http://127.0.0.1.:80/", "http://127.0.0.1/"),
        ("http://127。0。0。1/", "http://127.0.0.1/"),
        ("http://a_b.example.com/a/../b", "http://a_b.example.com/b"),
        ("http://example.com/@user", "http://example.com/@user"),
        ("http://[2606:4700::1]:8080/", "http://[2606:4700::1]:8080/"),
    ],
)
def test_addresses_are_spelled_in_one_way(url: str, meant: str) -> None:
    assert str(web_address(url)) == meant or str(web_address(url)).rstrip("/") == meant.rstrip("/")


@given(st.text(max_size=80))
def test_any_text_is_an_address_or_refused(text: str) -> None:
    for url in (text, f"http://{text}", f"http://example.com/{text}"):
        try:
            parsed = web_address(url)
        except AddressRefusedError:
            continue
        assert parsed.scheme in ("http", "https")
        assert parsed.raw_host
        assert not parsed.userinfo


def test_the_policy_allows_a_host_or_one_port_of_it() -> None:
    assert is_allowed("127.0.0.1", 8000, ("127.0.0.1",))
    assert is_allowed("127.0.0.1", 8000, ("127.0.0.1:8000",))
    assert not is_allowed("127.0.0.1", 8001, ("127.0.0.1:8000",))
    assert is_allowed("::1", 80, ("[::1]:80",))
    assert not is_allowed("localhost.example.com", 80, ("localhost", "example.com"))


def test_errors_show_addresses_on_one_line_without_credentials() -> None:
    assert shown("http://me:secret@example.com/\r\nX: y") == "http://example.com/??X: y"
    assert len(shown("http://example.com/" + "a" * 9999)) < 400


# Names


class Names:
    """A name server: one list of addresses for each question, the last one for ever."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.7", "169.254.169.254", "::1", "::ffff:127.0.0.1", "fd00::1"])
def test_a_public_name_with_a_private_address_is_refused(web: RawWeb, crawling: Crawling, address: str) -> None:
    crawler = crawling(resolve=Names([address]), allowed=())

    with pytest.raises(AddressRefusedError, match=f"blog.example: is at {address}"):
        crawler.get(f"http://blog.example:{web.port}/")

    assert web.connections == 0
    assert crawler.client.counts.requests == 0


def test_one_private_address_among_public_ones_is_enough(web: RawWeb, crawling: Crawling) -> None:
    with pytest.raises(AddressRefusedError):
        crawling(resolve=Names(["8.8.8.8", "127.0.0.1"]), allowed=()).get(f"http://blog.example:{web.port}/")


def test_a_redirect_to_a_name_with_a_private_address_is_refused(web: RawWeb, crawling: Crawling) -> None:
    web.pages["/"] = to(f"http://inside.example:{web.port}/secret")
    crawler = crawling(resolve=Names(["127.0.0.1"]), allowed=("blog.example",))

    with pytest.raises(AddressRefusedError, match=r"inside\.example"):
        crawler.get(f"http://blog.example:{web.port}/")

    assert web.asked == ["/"]


def test_a_name_that_changes_its_address_is_checked_at_every_connection(
    web: RawWeb, crawling: Crawling, monkeypatch: pytest.MonkeyPatch
) -> None:
    # 127.0.0.1 plays the public address, 127.0.0.2 the private one that the name moves to.
    monkeypatch.setattr("resources.http.network.is_public", lambda address: address == "127.0.0.1")
    web.pages["/keeps"], web.pages["/closes"] = reply("ok"), reply("ok", Connection="close")
    names = Names(["127.0.0.1"], ["127.0.0.2"])
    crawler = crawling(resolve=names, allowed=())

    assert crawler.get(f"http://blog.example:{web.port}/keeps", robots=False).text == "ok"
    assert crawler.get(f"http://blog.example:{web.port}/closes", robots=False).text == "ok"
    assert names.asked == ["blog.example"]  # asked once, and the connection went where it was checked
    with pytest.raises(AddressRefusedError, match=r"127\.0\.0\.2"):
        crawler.get(f"http://blog.example:{web.port}/keeps", robots=False)
    assert web.connections == 1


def test_the_name_goes_to_the_server_though_the_connection_goes_to_an_address(web: RawWeb, crawling: Crawling) -> None:
    web.pages["/"] = reply("ok")

    crawling(resolve=Names(["127.0.0.1"]), allowed=("blog.example",)).get(f"http://blog.example:{web.port}/")

    assert web.heard[-1].headers["host"] == f"blog.example:{web.port}"


def test_an_address_that_does_not_answer_gives_way_to_the_next(web: RawWeb, crawling: Crawling) -> None:
    web.pages["/"] = reply("ok")
    crawler = crawling(resolve=Names(["127.0.0.9", "127.0.0.1"]), allowed=("blog.example",))

    assert crawler.get(f"http://blog.example:{web.port}/").text == "ok"
    assert crawler.client.counts.retries == 0


def test_a_name_that_does_not_exist_is_asked_once(crawling: Crawling) -> None:
    names = Names([])

    with pytest.raises(UnavailableError, match="no address"):
        crawling(resolve=names).get("http://nowhere.example/", robots=False)

    assert names.asked == ["nowhere.example"]


# TLS


def test_tls_is_for_the_name_while_the_connection_is_for_the_address(crawling: Crawling) -> None:
    authority, asked_for = Authority(), []
    context = authority.server("blog.example")
    context.sni_callback = lambda _socket, name, _context: asked_for.append(name)
    with raw_web(context) as web:
        web.pages["/"] = reply("safe")
        crawler = crawling(resolve=Names(["127.0.0.1"]), allowed=("blog.example",), tls=authority.client())

        assert crawler.get(f"https://blog.example:{web.port}/").text == "safe"
    assert asked_for == ["blog.example"]


def test_another_name_in_the_certificate_is_final(crawling: Crawling) -> None:
    authority = Authority()
    with raw_web(authority.server("other.example")) as web:
        crawler = crawling(resolve=Names(["127.0.0.1"]), allowed=("blog.example",), tls=authority.client())

        with pytest.raises(UnavailableError, match="certificate is not valid"):
            crawler.get(f"https://blog.example:{web.port}/", robots=False)
    assert crawler.client.counts.retries == 0
    assert not web.heard


def test_an_authority_that_nobody_knows_is_not_trusted(crawling: Crawling) -> None:
    with raw_web(Authority().server("blog.example")) as web:
        crawler = crawling(resolve=Names(["127.0.0.1"]), allowed=("blog.example",))

        with pytest.raises(UnavailableError, match="certificate is not valid"):
            crawler.get(f"https://blog.example:{web.port}/", robots=False)


def test_a_step_down_from_tls_takes_no_credential_along(web: RawWeb, crawling: Crawling) -> None:
    authority = Authority()
    web.pages["/plain"] = reply("ok")
    with raw_web(authority.server("blog.example")) as secure:
        secure.pages["/"] = to(f"http://blog.example:{web.port}/plain")
        crawler = crawling(resolve=Names(["127.0.0.1"]), allowed=("blog.example",), tls=authority.client())
        crawler.get(f"https://blog.example:{secure.port}/", headers={"Authorization": "Bearer t"}, robots=False)

        assert secure.heard[0].headers["authorization"] == "Bearer t"
    assert "authorization" not in web.heard[0].headers


def test_a_server_that_speaks_no_tls_is_just_broken(web: RawWeb, crawling: Crawling) -> None:
    crawler = crawling(retries=0, timeout=0.2, tls=ssl.create_default_context())

    with pytest.raises(UnavailableError):
        crawler.get(f"https://127.0.0.1:{web.port}/", robots=False)
