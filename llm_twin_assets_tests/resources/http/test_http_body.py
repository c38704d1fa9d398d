"""Bodies within bounds, decoded whatever way they come in, and text in the charset that it was written in."""

import contextlib
import gzip
import tracemalloc
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_twin_assets_tests.resources.http.raw_web import Crawler, RawWeb, reply, zipped
from resources.http import HttpError, Response, TooLargeError, UnavailableError
from resources.http.body import Body
from resources.http.charset import codec_of, text_of
from resources.http.errors import BrokenError

Crawling = Callable[..., Crawler]


def bare_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


def decoded(coding: str, sent: bytes, step: int = 2**16, limit: int = 2**20) -> bytes:
    body = Body(coding, limit=limit, max_ratio=200, where="here")
    for start in range(0, len(sent), step):
        body.feed(sent[start : start + step])
    assert body.sent == len(sent)
    return body.end()


CODINGS: list[tuple[str, Callable[[bytes], bytes]]] = [
    ("", bytes), ("identity", bytes), ("utf-8", bytes),
    ("gzip", gzip.compress), ("X-GZIP", gzip.compress), ("deflate", zlib.compress), ("deflate", bare_deflate),
    ("gzip", zlib.compress), ("deflate", gzip.compress),
]  # fmt: skip


@given(st.binary(max_size=5000), st.integers(1, 4000), st.sampled_from(CODINGS))
def test_what_was_packed_comes_out_however_it_is_cut(
    data: bytes, step: int, coding: tuple[str, Callable[[bytes], bytes]]
) -> None:
    name, pack = coding

    assert decoded(name, pack(data), step) == data


@given(st.binary(min_size=1, max_size=2000), st.sampled_from(CODINGS[3:]), st.data())
def test_what_is_cut_short_is_never_taken_for_whole(
    data: bytes, coding: tuple[str, Callable[[bytes], bytes]], draw: st.DataObject
) -> None:
    name, pack = coding
    whole = pack(data)
    cut = draw.draw(st.integers(1, len(whole) - 1))

    with pytest.raises(BrokenError):
        decoded(name, whole[:cut])


@given(st.binary(max_size=3000), st.integers(1, 3000))
def test_any_bytes_decode_or_are_broken(data: bytes, step: int) -> None:
    for coding in ("gzip", "deflate"):
        with contextlib.suppress(BrokenError, TooLargeError):
            decoded(coding, data, step)


def test_gzip_in_several_members_is_one_body() -> None:
    packed = gzip.compress(b"one, ") + gzip.compress(b"two")

    assert decoded("gzip", packed, step=1) == b"one, two"
    assert decoded("gzip", packed + b"\0\0 padding") == b"one, two"


def test_an_empty_body_needs_no_coding(web: RawWeb, crawler: Crawler) -> None:
    web.pages["/"] = reply(b"", Content_Encoding="gzip")

    assert crawler.get(f"{web.url}/").content == b""


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip, gzip", "deflate, br"])
def test_a_coding_that_was_not_asked_for_is_an_error(web: RawWeb, crawler: Crawler, coding: str) -> None:
    web.pages["/"] = reply(b"?", Content_Encoding=coding)

    with pytest.raises(HttpError, match="not asked for"):
        crawler.get(f"{web.url}/")
    assert web.asked == ["/"]


# Bounds


def test_a_body_that_says_it_is_too_large_is_not_read(web: RawWeb, crawling: Crawling) -> None:
    web.pages["/"] = reply(b"x" * 100, length=10**15)
    crawler = crawling(max_bytes=1000)

    with pytest.raises(TooLargeError, match="more than 1,000"):
        crawler.get(f"{web.url}/")


def test_a_body_that_does_not_say_is_left_at_the_limit(web: RawWeb, crawling: Crawling) -> None:
    async def endless(heard, writer) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while not writer.is_closing():
            writer.write(b"x" * 10_000)
            await writer.drain()

    web.pages["/"] = endless
    crawler = crawling(max_bytes=100_000)

    with pytest.raises(TooLargeError, match="larger than 100,000"):
        crawler.get(f"{web.url}/", robots=False)
    assert crawler.client.counts.bytes < 400_000
    assert web.asked == ["/"]


def test_just_at_the_limit_is_fine(web: RawWeb, crawling: Crawling) -> None:
    web.pages["/plain"], web.pages["/zipped"] = reply(b"x" * 1000), zipped(b"x" * 1000)
    web.pages["/more"] = zipped(b"x" * 1001)
    crawler = crawling(max_bytes=1000)

    assert len(crawler.get(f"{web.url}/plain").content) == 1000
    assert len(crawler.get(f"{web.url}/zipped").content) == 1000
    with pytest.raises(TooLargeError):
        crawler.get(f"{web.url}/more")


def test_a_bomb_does_not_go_off(web: RawWeb, crawling: Crawling) -> None:
    packer = zlib.compressobj(9, wbits=31)
    bomb = b"".join(packer.compress(bytes(2**20)) for _ in range(100)) + packer.flush()  # 100 MiB in 100 kB
    web.pages["/"] = reply(bomb, Content_Encoding="gzip")

    # By its size: 8 MiB are allowed. By its ratio: all are.
    for policy, said in [({"max_bytes": 2**23, "max_ratio": 10**6}, "larger"), ({"max_bytes": 2**30}, "200 times")]:
        crawler = crawling(**policy)
        crawler.get(f"{web.url}/robots.txt")
        tracemalloc.start()
        with pytest.raises(TooLargeError, match=said):
            crawler.get(f"{web.url}/")
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        # 64 KiB of a bomb make 66 MiB; no more than one read is ever unpacked, and none beyond max_bytes.
        assert most < (2**23 if "max_ratio" in policy else 2**26) * 3


def test_a_page_may_be_repetitive(web: RawWeb, crawler: Crawler) -> None:
    web.pages["/"] = zipped(b" " * 500_000)

    assert len(crawler.get(f"{web.url}/").content) == 500_000


def test_an_error_page_without_end_is_still_just_an_error(web: RawWeb, crawling: Crawling) -> None:
    web.pages["/"] = reply(b"x" * 10**6, "404 Not Found")

    response = crawling(max_bytes=1000).get(f"{web.url}/")

    assert response.missing
    assert len(response.content) == 2**16


def test_a_damaged_body_is_asked_for_again(web: RawWeb, crawler: Crawler) -> None:
    good = gzip.compress(b"good " * 1000)
    bad = good[:20] + b"\xff\x00\xff" + good[23:]
    web.pages["/"] = [reply(bad, Content_Encoding="gzip"), reply(good[:-9], Content_Encoding="gzip"), zipped(b"ok")]

    assert crawler.get(f"{web.url}/").text == "ok"
    assert crawler.client.counts.retries == 2


def test_a_body_that_is_always_damaged_is_unavailable(web: RawWeb, crawling: Crawling) -> None:
    web.pages["/"] = reply(b"<html>not packed at all</html>", Content_Encoding="gzip")

    with pytest.raises(UnavailableError, match="damaged"):
        crawling(retries=1).get(f"{web.url}/")


# Text

GREETING = "Grüße — café"


@pytest.mark.parametrize(
    ("content", "content_type", "text"),
    [
        (GREETING.encode(), "text/html; charset=utf-8", GREETING),
        (GREETING.encode(), "text/html", GREETING),
        (GREETING.encode(), "", GREETING),
        (GREETING.encode("cp1252"), "text/html; charset=iso-8859-1", GREETING),  # as browsers: — is not in Latin-1
        (GREETING.encode("cp1252"), 'text/html; Charset="US-ASCII"', GREETING),
        (GREETING.encode("utf-8-sig"), "text/html; charset=iso-8859-1", GREETING),
        (b"\xff\xfe" + GREETING.encode("utf-16-le"), "text/html; charset=utf-8", GREETING),
        (b"\xfe\xff" + GREETING.encode("utf-16-be"), "", GREETING),
        ("Привет, мир".encode("koi8-r"), "text/plain; charset=KOI8-R", "Привет, мир"),
        ("こんにちは①".encode("cp932"), "text/html; charset=Shift_JIS", "こんにちは①"),
        ("你好，镕".encode("gb18030"), "text/html; charset=gb2312", "你好，镕"),
        ("안녕 똠".encode("cp949"), "text/html; charset=euc-kr", "안녕 똠"),
        # A server's default label over a page that knows better.
        (GREETING.encode(), "text/html; charset=ISO-8859-1", GREETING),
        # A label that cannot be true gives way to what the document says.
        (b'<meta charset="windows-1251"><p>' + "Привет, мир".encode("cp1251"), "text/html; charset=utf-8",
         '<meta charset="windows-1251"><p>Привет, мир'),
        (b'<!-- <meta charset="koi8-r"> --><META http-equiv=Content-Type content="text/html; charset=windows-1251">'
         + "мир".encode("cp1251"), "text/html",
         '<!-- <meta charset="koi8-r"> --><META http-equiv=Content-Type content="text/html; charset=windows-1251">мир'),
        (b'<?xml version="1.0" encoding="ISO-8859-2"?><a>' + "Łódź".encode("iso8859-2"), "application/xml",
         '<?xml version="1.0" encoding="ISO-8859-2"?><a>Łódź'),
        # A label that nobody knows, or that is no charset, says nothing.
        (GREETING.encode(), "text/html; charset=none", GREETING),
        (b"+ADw-script+AD4-", "text/html; charset=utf-7", "+ADw-script+AD4-"),
        (b"\\u003c", "text/html; charset=unicode_escape", "\\u003c"),
        (b'<meta charset="utf-16">' + GREETING.encode(), "text/html", '<meta charset="utf-16">' + GREETING),
        (b"", "text/html; charset=utf-16", ""),
    ],
)  # fmt: skip
def test_text_is_in_the_charset_that_it_was_written_in(content: bytes, content_type: str, text: str) -> None:
    assert Response("http://example.com/", 200, content, {"content-type": content_type}).text == text


def test_one_slip_does_not_change_the_charset() -> None:
    content = ("Grüße und Küsse. " * 100).encode() + b"caf\xe9" + (" Grüße" * 100).encode()

    text = text_of(content, "text/html; charset=utf-8")

    assert text.count("ü") == 300
    assert text.count("\ufffd") == 1


def test_a_charset_that_nobody_names_is_found_out() -> None:
    prose = "Съешь же ещё этих мягких французских булок, да выпей чаю. Широкая электрификация южных губерний. " * 20

    assert text_of(prose.encode("cp1251"), "text/plain") == prose


@pytest.mark.parametrize(
    ("label", "codec"),
    [
        ("ISO-8859-1", "cp1252"), ("latin1", "cp1252"), ("ascii", "cp1252"), ("l1", "cp1252"), ("cp819", "cp1252"),
        ("windows-1252", "cp1252"), ("x-cp1252", "cp1252"), ("utf8", "utf-8"), (" UTF-8 ", "utf-8"),
        ("iso-8859-9", "cp1254"), ("latin5", "cp1254"), ("tis-620", "cp874"), ("windows-874", "cp874"),
        ("gb2312", "gb18030"), ("gbk", "gb18030"), ("x-gbk", "gb18030"), ("big5", "big5hkscs"),
        ("shift-jis", "cp932"), ("sjis", "cp932"), ("x-sjis", "cp932"), ("windows-31j", "cp932"),
        ("ks_c_5601-1987", "cp949"), ("euc-kr", "cp949"), ("windows-949", "cp949"), ("macintosh", "mac-roman"),
        ("utf-16", "utf-16-le"), ("unicode", "utf-16-le"), ("iso-8859-15", "iso8859-15"), ("koi8-u", "koi8-u"),
        ("utf-7", None), ("utf-32", None), ("hex", None), ("rot13", None), ("idna", None), ("punycode", None),
        ("unicode_escape", None), ("zlib", None), ("", None), ("\x00", None), ("ä" * 50, None),
    ],
)  # fmt: skip
def test_labels_mean_what_the_web_means(label: str, codec: str | None) -> None:
    assert codec_of(label) == codec


@given(st.binary(max_size=300), st.text(max_size=30))
def test_any_bytes_under_any_label_are_text(content: bytes, label: str) -> None:
    assert isinstance(text_of(content, f"text/html; charset={label}"), str)


@given(st.text(max_size=300))
def test_utf8_is_read_back_whatever_a_label_of_single_bytes_says(text: str) -> None:
    content = text.encode("utf-8", "ignore")
    for label in ("utf-8", "iso-8859-1", "windows-1252", "ascii", "windows-1251", "iso-8859-15"):
        read = text_of(content, f"text/plain; charset={label}")
        assert read == content.decode("utf-8-sig") or content.startswith((b"\xff\xfe", b"\xfe\xff"))
