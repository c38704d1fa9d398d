"""The same guarantees on a bucket: conditional puts, against a server that speaks S3."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from llm_twin_assets.domain.chain import TamperedError
from llm_twin_assets.release.approvals import ApprovalError, approve
from llm_twin_assets.release.records import approvals
from llm_twin_assets_tests.conftest import NOW
from llm_twin_assets_tests.release.test_approvals import evaluated
from resources.object_store import ObjectStore


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    from moto.server import ThreadedMotoServer  # with boto, in the one process that needs them

    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(endpoint: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> ObjectStore:
    import boto3

    for name, value in {
        "AWS_ENDPOINT": endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
        "AWS_ALLOW_HTTP": "true",
    }.items():
        monkeypatch.setenv(name, value)
    name = f"twin-{abs(hash(request.node.name))}"
    boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1").create_bucket(Bucket=name)
    return ObjectStore(f"s3://{name}/home/objects")


def test_an_object_is_never_overwritten_by_put_new(bucket: ObjectStore) -> None:
    assert bucket.put_new("a/b.json", b"1")
    assert not bucket.put_new("a/b.json", b"2")
    assert bucket.get("a/b.json") == b"1"


def test_an_object_is_swapped_only_if_it_is_what_is_expected(bucket: ObjectStore) -> None:
    assert bucket.swap("pointer", None, b"1")
    assert not bucket.swap("pointer", None, b"2")
    assert not bucket.swap("pointer", b"0", b"2")
    assert bucket.swap("pointer", b"1", b"2")
    assert bucket.get("pointer") == b"2"
    assert not bucket.swap("nowhere", b"1", b"2")


def test_who_writes_between_look_and_put_wins(bucket: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    import obstore

    bucket.put_new("pointer", b"old")
    put = obstore.put

    def overtaken(*given: object, **named: object) -> object:
        monkeypatch.setattr(obstore, "put", put)
        bucket.replace("pointer", b"theirs")
        return put(*given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(obstore, "put", overtaken)
    assert not bucket.swap("pointer", b"old", b"ours")
    assert bucket.get("pointer") == b"theirs"


def test_of_approvals_at_once_one_wins_and_the_others_are_told(bucket: ObjectStore) -> None:
    for version in range(1, 5):
        evaluated(bucket, str(version), NOW)

    def decided(version: int) -> str:
        try:
            return approve(bucket, "maya", str(version), f"person {version}", "yes", NOW, seen=0).approver
        except ApprovalError as error:
            return str(error)

    with ThreadPoolExecutor(4) as pool:
        said = list(pool.map(decided, range(1, 5)))
    [kept] = approvals(bucket, "maya")
    assert said.count(kept.approver) == 1
    assert sum("somebody else decided first" in each for each in said) == 3
    bucket.delete(["approvals/maya/000001.json"])
    with pytest.raises(TamperedError):
        approvals(bucket, "maya")
