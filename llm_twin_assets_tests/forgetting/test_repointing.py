"""The chain of releases goes on after a forgetting, and whoever reads it finds it whole."""

from dataclasses import replace
from datetime import datetime

import pytest

from llm_twin_assets.forgetting.repointing import Wish, repoint
from llm_twin_assets.release.approvals import roll_back
from llm_twin_assets.release.deployment import deploy, return_to
from llm_twin_assets.release.records import current_release, releases
from llm_twin_assets_tests.release.test_deployment import MODEL, SERVED, approval
from resources.object_store import ObjectStore

RENAMED = {"snapshot-1": "snapshot-1-without", "snapshot-2": "snapshot-2-without"}


@pytest.fixture
def wish(now: datetime) -> Wish:
    return Wish("Noor", "she asked for it", now)


@pytest.fixture
def released(objects: ObjectStore, now: datetime, monkeypatch: pytest.MonkeyPatch) -> ObjectStore:
    """Version 1 was released with snapshot 1 after an older one, version 2 serves with snapshot 2."""
    monkeypatch.setattr("llm_twin_assets.release.approvals.prompt_digest", lambda: SERVED.prompt_digest)
    for snapshot in ("snapshot-0", "snapshot-1"):
        deploy(objects, approval(objects, "1", now), MODEL, replace(SERVED, snapshot=snapshot), now)
    second = replace(MODEL, version="2", digest="m2", path="models/maya/2")
    deploy(objects, approval(objects, "2", now), second, replace(SERVED, snapshot="snapshot-2"), now)
    for path in (MODEL.path, second.path):
        objects.put_new(f"{path}/config.json", b"{}")
    return objects


def said(objects: ObjectStore) -> list[tuple[str, str, str]]:
    return [(each.model_version, each.snapshot, each.decision) for each in releases(objects, "maya")]


def test_what_serves_and_what_can_be_returned_to_goes_on_without_the_document(
    released: ObjectStore, wish: Wish, now: datetime
) -> None:
    before = said(released)
    repoint(released, "maya", RENAMED, wish)
    assert said(released) == [
        *before, ("1", "snapshot-1-without", "forget"), ("2", "snapshot-2-without", "forget"),
    ]  # fmt: skip
    serving = current_release(released, "maya")
    assert serving == releases(released, "maya")[-1]
    assert (serving.approver, serving.reason, serving.approval_sequence) == ("Noor", "she asked for it", 3)

    back, _ = return_to(released, roll_back(released, "maya", "1", "Ada", "worse", now), now)
    assert back.snapshot == "snapshot-1-without"


def test_where_the_serving_snapshot_keeps_its_name_the_pointer_stays(released: ObjectStore, wish: Wish) -> None:
    before = current_release(released, "maya")
    repoint(released, "maya", {"snapshot-1": "snapshot-1-without", "snapshot-0": "nobody's"}, wish)
    assert current_release(released, "maya") == before
    assert said(released)[3:] == [("1", "snapshot-1-without", "forget")]


def test_killed_before_the_switch_it_records_nothing_twice(
    released: ObjectStore, wish: Wish, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as killed:
        killed.setattr(ObjectStore, "swap", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            repoint(released, "maya", RENAMED, wish)
    for _ in range(2):
        repoint(released, "maya", RENAMED, wish)
        assert len(said(released)) == 5
        assert current_release(released, "maya") == releases(released, "maya")[-1]


def test_nothing_was_released_and_nothing_is_recorded(objects: ObjectStore, wish: Wish) -> None:
    repoint(objects, "maya", RENAMED, wish)
    assert releases(objects, "maya") == []
