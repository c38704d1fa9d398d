"""Who comes in: an app without a desk answers 503 to whom it lets in, and something else to everybody else."""

from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from bentos.api import create_app, open_up
from bentos.desk import Desk
from bentos.door import Caller, Door
from bentos.errors import ApiError
from bentos.follower import ReleaseFollower
from bentos.releases import Released
from resources.access_settings import Access
from resources.api_keys import Keyring, new_key, write_keys
from resources.object_store import ObjectStore
from resources.settings import Serving
from resources.tracing import NoTracer

LET_IN = 503


def client(door: Door | None = None, address: str = "testserver") -> TestClient:
    app = create_app()
    app.state.door = door or Door()
    return TestClient(app, base_url=f"http://{address}", raise_server_exceptions=False)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys.json"


def test_with_keys_only_who_shows_one_comes_in(path: Path):
    token, key = new_key("one")
    write_keys(path, [key])
    api = client(Door(Keyring(path)))
    wrong = (b"", b"Bearer", b"Bearer wrong", f"Basic {token}".encode(), "Bearer \u00e9".encode(), b"Bearer \xff")
    for headers in ({}, *({"Authorization": each} for each in wrong)):
        response = api.get("/v1/authors", headers=headers)
        assert (response.status_code, response.json()["error"]["type"]) == (401, "unauthorized")
        assert response.headers["www-authenticate"] == "Bearer"
    assert api.get("/v1/authors", headers=bearer(token)).status_code == LET_IN
    assert api.get("/v1/authors", headers={"Authorization": f"bearer  {token}"}).status_code == LET_IN
    assert api.get("/v1/models").json()["error"]["code"] == "invalid_api_key"
    for public in ("/", "/chat.js", "/chat.css", "/v1/openapi.json"):
        assert api.get(public).status_code == 200
    write_keys(path, [])
    assert api.get("/v1/authors", headers=bearer(token)).status_code == 401


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("127.0.0.1:8000", LET_IN),
        ("[::1]:8000", LET_IN),
        ("10.0.0.7:8000", 403),
        ("[2001:db8::1]", 403),
    ],
)
def test_without_keys_only_this_machine_is_answered(address: str, status: int):
    assert client(address=address).get("/v1/authors").status_code == status


def test_without_keys_a_page_that_points_its_own_name_at_this_machine_is_not_answered():
    api = client(address="127.0.0.1:8000")
    for host, status in (("localhost:8000", LET_IN), ("evil.example", 403), ("evil.example:8000", 403), ("", 403)):
        assert api.get("/v1/authors", headers={"Host": host}).status_code == status
    assert api.get("/", headers={"Host": "evil.example"}).status_code == 403


def test_a_key_has_so_many_requests_a_minute(path: Path):
    token, key = new_key("one", requests_per_minute=2)
    write_keys(path, [key])
    api = client(Door(Keyring(path)))
    seen = [api.get("/v1/authors", headers=bearer(token)) for _ in range(3)]
    assert [each.status_code for each in seen] == [LET_IN, LET_IN, 429]
    assert seen[-1].json()["error"]["type"] == "rate_limited"
    assert 1 <= int(seen[-1].headers["Retry-After"]) <= 31


def test_a_key_is_for_its_endpoints_and_its_tokens_run_out():
    access = Access(tokens_per_minute=60)
    (token, key), ring = new_key("one", endpoints=("answer",)), Keyring()
    ring._by_digest[key.sha256], ring._needed = key, True
    caller = Door(ring, access).admit(scope(bearer(token)))
    caller.check_may("answer")
    with pytest.raises(ApiError, match="not for 'search'") as caught:
        caller.check_may("search")
    assert caught.value.status == 403
    caller.used(90)
    with pytest.raises(ApiError, match="tokens") as caught:
        caller.check_may("answer")
    assert caught.value.status == 429
    assert caught.value.headers == {"Retry-After": "30"}


def test_somebody_at_this_machine_may_do_everything():
    caller = Caller(Keyring())
    caller.check_may("write")
    caller.used(10**9)
    caller.check_may("write")
    caller.check_still_welcome()
    assert caller.authors is None


def scope(headers: dict[str, str]) -> dict[str, object]:
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http", "path": "/v1/answer", "headers": raw, "server": ("testserver", 80)}


def test_a_request_of_ten_megabytes_is_refused_before_it_is_read():
    api = client(Door(access=Access(max_request_kb=64)))
    json = {"Content-Type": "application/json"}
    response = api.post("/v1/answer", content=b"x" * 10_000_000, headers=json)
    assert (response.status_code, response.json()["error"]["type"]) == (413, "too_large")
    # In chunks, without a length: it is counted as it comes.
    response = api.post("/v1/chat/completions", content=iter([b"x" * 65536] * 160), headers=json)
    assert (response.status_code, response.json()["error"]["code"]) == (413, "too_large")


def test_every_answer_carries_the_security_headers_and_no_cors_ones():
    api = client()
    for path in ("/", "/v1/authors", "/v1/nothing"):
        headers = api.get(path, headers={"Origin": "https://elsewhere.example"}).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
        assert "access-control-allow-origin" not in headers


def test_only_sites_that_are_named_may_call_from_a_browser(objects: ObjectStore):
    def opened(_: object) -> Released:
        raise AssertionError("nothing is released")

    app = create_app()
    desk = Desk(ReleaseFollower(objects, opened), Serving(), NoTracer())
    open_up(app, desk, Door(access=Access(cors_origins=("https://friend.example",))))
    api = TestClient(app)
    for origin, allowed in (("https://friend.example", "https://friend.example"), ("https://elsewhere.example", None)):
        asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
        assert api.options("/v1/answer", headers=asked).headers.get("access-control-allow-origin") == allowed
        assert api.get("/v1/authors", headers={"Origin": origin}).headers.get("access-control-allow-origin") == allowed
