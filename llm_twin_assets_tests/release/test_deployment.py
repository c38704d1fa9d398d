from dataclasses import replace
from datetime import datetime

import pytest

from llm_twin_assets.domain.model import ModelVersion
from llm_twin_assets.domain.release import Approval, Decision
from llm_twin_assets.release.approvals import ApprovalError
from llm_twin_assets.release.deployment import Served, approved, deploy
from llm_twin_assets.release.records import current_release, releases
from resources.object_store import ObjectStore

SERVED = Served("Maya", "snapshot-1", "minilm", "e", "p")
MODEL = ModelVersion("maya", "twin-maya", "1", "m1", "models/maya/1", "tiny-llama", None, "d1")


def approval(version: str, now: datetime, decision: Decision = "approved", sequence: int = 1) -> Approval:
    return Approval(
        sequence=sequence,
        author="maya",
        model_version=version,
        decision=decision,
        approver="Noor",
        reason="yes",
        decided_at=now,
    )


def test_an_approval_becomes_a_release_that_the_pointer_names(objects: ObjectStore, now: datetime) -> None:
    release, is_new = deploy(objects, approval("1", now), MODEL, SERVED, now)
    assert is_new
    assert release.release_id == "maya-000001"
    assert current_release(objects, "maya") == release
    assert releases(objects, "maya") == [release]


def test_deploying_the_same_again_writes_nothing(objects: ObjectStore, now: datetime) -> None:
    first, _ = deploy(objects, approval("1", now), MODEL, SERVED, now)
    again, is_new = deploy(objects, approval("1", now, sequence=2), MODEL, SERVED, now)
    assert (again, is_new) == (first, False)
    assert len(releases(objects, "maya")) == 1


def test_a_new_snapshot_is_a_new_release_of_the_same_model(objects: ObjectStore, now: datetime) -> None:
    deploy(objects, approval("1", now), MODEL, SERVED, now)
    release, is_new = deploy(objects, approval("1", now), MODEL, replace(SERVED, snapshot="snapshot-2"), now)
    assert is_new
    assert (release.sequence, release.snapshot) == (2, "snapshot-2")


def test_a_roll_back_takes_the_matching_snapshot_with_the_model(objects: ObjectStore, now: datetime) -> None:
    deploy(objects, approval("1", now), MODEL, SERVED, now)
    second = replace(MODEL, version="2", digest="m2", path="models/maya/2")
    newer = replace(SERVED, snapshot="snapshot-2")
    deploy(objects, approval("2", now, sequence=2), second, newer, now)
    release, _ = deploy(objects, approval("1", now, "rolled_back", 3), MODEL, newer, now)
    assert (release.model_version, release.snapshot, release.sequence) == ("1", "snapshot-1", 3)
    assert current_release(objects, "maya") == release


def test_nothing_is_deployed_without_an_approval(objects: ObjectStore) -> None:
    with pytest.raises(ApprovalError, match="no model of 'maya' has been approved"):
        approved(objects, "maya")


def test_a_torn_release_record_does_not_move_the_pointer(objects: ObjectStore, now: datetime) -> None:
    first, _ = deploy(objects, approval("1", now), MODEL, SERVED, now)
    objects.put_new("releases/maya/000002.json", first.model_dump_json().encode())
    assert current_release(objects, "maya") == first
    release, _ = deploy(objects, approval("1", now), MODEL, replace(SERVED, snapshot="snapshot-2"), now)
    assert release.sequence == 3
