import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_twin_assets.collection.reading.api_pages import next_page
from resources.http import HttpError, Response


def response(link: str, asked: str = "https://api.example/list") -> Response:
    return Response("https://api.example/list", 200, headers={"link": link}, asked=asked)


@pytest.mark.parametrize(
    ("link", "address"),
    [
        ('<https://api.example/list?page=2>; rel="next", <https://api.example/list?page=9>; rel="last"', "?page=2"),
        ('<https://api.example/list?page=1>; rel="prev", <https://api.example/list?page=3>; rel="next"', "?page=3"),
        ("<https://api.example/list?a=1,2;3>;title=x;rel=next", "?a=1,2;3"),
        ('</list?page=2>; rel="last next"', "?page=2"),
        ('<?page=2>; REL="NEXT"', "?page=2"),
    ],
)
def test_the_next_page_is_found(link, address) -> None:
    assert next_page(response(link)) == f"https://api.example/list{address}"


@pytest.mark.parametrize("link", ["", '<https://api.example/x>; rel="prev"', "nonsense", '<x>; rel="nextish"'])
def test_the_last_page_names_no_next(link) -> None:
    assert next_page(response(link)) is None


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "http://api.example/x", "//evil.example/x", "https://api.example:8443/x"]
)
def test_a_next_page_elsewhere_is_an_error(target) -> None:
    with pytest.raises(HttpError, match="another host"):
        next_page(response(f'<{target}>; rel="next"'))


def test_a_next_page_without_an_address_is_an_error() -> None:
    with pytest.raises(HttpError, match="no address"):
        next_page(response('<http://[x/>; rel="next"'))


def test_a_list_that_was_redirected_to_another_host_is_not_followed_there() -> None:
    with pytest.raises(HttpError, match="another host"):
        next_page(response('<?page=2>; rel="next"', asked="https://old.example/list"))


@given(st.text())
def test_any_header_is_parsed_without_another_error(link: str) -> None:
    try:
        address = next_page(response(link))
    except HttpError:
        return
    assert address is None or address.startswith("https://api.example")
