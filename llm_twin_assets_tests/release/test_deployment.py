from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from llm_twin_assets.domain.model import ModelVersion
from llm_twin_assets.domain.release import Approval, Decision, Release
from llm_twin_assets.release.approvals import ApprovalError, approve
from llm_twin_assets.release.deployment import Served, approved, deploy
from llm_twin_assets.release.records import append, current_release, releases, switch
from llm_twin_assets_tests.release.test_approvals import evaluated
from resources.errors import StorageError
from resources.object_store import ObjectStore

SERVED = Served("Maya", "snapshot-1", "minilm", "e", "p")
MODEL = ModelVersion("maya", "twin-maya", "1", "m1", "models/maya/1", "tiny-llama", None, "d1")


def approval(objects: ObjectStore, version: str, now: datetime, decision: Decision = "approved") -> Approval:
    """A decision on record."""
    written = append(
        objects,
        "approvals/maya",
        lambda sequence: Approval(
            sequence=sequence,
            author="maya",
            model_version=version,
            decision=decision,
            approver="Noor",
            reason="yes",
            decided_at=now,
        ),
    )
    switch(objects, "approvals/maya", written)
    return written


def test_an_approval_becomes_a_release_that_the_pointer_names(objects: ObjectStore, now: datetime) -> None:
    release, is_new = deploy(objects, approval(objects, "1", now), MODEL, SERVED, now)
    assert is_new
    assert release.release_id == "maya-000001"
    assert current_release(objects, "maya") == release
    assert releases(objects, "maya") == [release]


def test_deploying_the_same_again_writes_nothing(objects: ObjectStore, now: datetime) -> None:
    first, _ = deploy(objects, approval(objects, "1", now), MODEL, SERVED, now)
    again, is_new = deploy(objects, approval(objects, "1", now), MODEL, SERVED, now)
    assert (again, is_new) == (first, False)
    assert len(releases(objects, "maya")) == 1


def test_a_new_snapshot_is_a_new_release_of_the_same_model(objects: ObjectStore, now: datetime) -> None:
    deploy(objects, approval(objects, "1", now), MODEL, SERVED, now)
    release, is_new = deploy(objects, approval(objects, "1", now), MODEL, replace(SERVED, snapshot="snapshot-2"), now)
    assert is_new
    assert (release.sequence, release.snapshot) == (2, "snapshot-2")


def test_a_roll_back_takes_the_matching_snapshot_with_the_model(objects: ObjectStore, now: datetime) -> None:
    deploy(objects, approval(objects, "1", now), MODEL, SERVED, now)
    second = replace(MODEL, version="2", digest="m2", path="models/maya/2")
    newer = replace(SERVED, snapshot="snapshot-2")
    deploy(objects, approval(objects, "2", now), second, newer, now)
    release, _ = deploy(objects, approval(objects, "1", now, "rolled_back"), MODEL, newer, now)
    assert (release.model_version, release.snapshot, release.sequence) == ("1", "snapshot-1", 3)
    assert current_release(objects, "maya") == release


def test_nothing_is_deployed_without_an_approval(objects: ObjectStore) -> None:
    with pytest.raises(ApprovalError, match="no model of 'maya' has been approved"):
        approved(objects, "maya")


def test_what_is_on_no_record_is_not_deployed(objects: ObjectStore, now: datetime) -> None:
    said = approval(objects, "1", now)
    with pytest.raises(ApprovalError, match="is on no record"):
        deploy(objects, said.model_copy(update={"model_version": "2"}), MODEL, SERVED, now)
    assert current_release(objects, "maya") is None


def test_other_weights_than_those_approved_are_not_deployed(objects: ObjectStore, now: datetime) -> None:
    evaluated(objects, "1", now)
    said = approve(objects, "maya", "1", "Noor", "yes", now)
    with pytest.raises(ApprovalError, match="is not the model that was approved"):
        deploy(objects, said, replace(MODEL, digest="others"), SERVED, now)


def test_a_release_says_who_why_and_on_what_grounds(objects: ObjectStore, now: datetime) -> None:
    evaluated(objects, "1", now, passed=False)
    said = approve(objects, "maya", "1", "Noor", "too few documents", now, override=True)
    release, _ = deploy(objects, said, replace(MODEL, digest="m", base_revision="abc"), SERVED, now, lambda _: "fine")
    assert (release.approver, release.reason, release.override) == ("Noor", "too few documents", True)
    assert (release.verdict, release.smoke, release.base_revision) == ("not shown to be better", "fine", "abc")
    assert release.engine == "transformers"


def test_the_gate_is_asked_again_before_a_model_comes_into_service(objects: ObjectStore, now: datetime) -> None:
    evaluated(objects, "1", now)
    approve(objects, "maya", "1", "Noor", "yes", now)
    evaluated(objects, "1", now, passed=False)
    with pytest.raises(ApprovalError, match="did not pass the gate"):
        approved(objects, "maya")
    evaluated(objects, "1", now + timedelta(days=1))
    with pytest.raises(ApprovalError, match="was evaluated again since Noor approved it"):
        approved(objects, "maya")


def test_a_model_that_serves_gets_new_snapshots_whatever_a_later_evaluation_says(
    objects: ObjectStore, now: datetime
) -> None:
    evaluated(objects, "1", now)
    said = approve(objects, "maya", "1", "Noor", "yes", now)
    deploy(objects, said, replace(MODEL, digest="m"), SERVED, now)
    evaluated(objects, "1", now, passed=False)
    assert approved(objects, "maya") == said


def test_what_fails_its_smoke_test_leaves_the_old_release_serving(objects: ObjectStore, now: datetime) -> None:
    first, _ = deploy(objects, approval(objects, "1", now), MODEL, SERVED, now)

    def failing(_: Release) -> str:
        raise StorageError("it does not answer")

    with pytest.raises(StorageError, match="it does not answer"):
        deploy(objects, approval(objects, "1", now), MODEL, replace(SERVED, snapshot="snapshot-2"), now, failing)
    assert releases(objects, "maya") == [first]
    assert current_release(objects, "maya") == first


def test_a_release_that_was_recorded_but_not_switched_to_is_taken_up(
    objects: ObjectStore, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, _ = deploy(objects, approval(objects, "1", now), MODEL, SERVED, now)
    second = approval(objects, "1", now)
    with monkeypatch.context() as killed:
        killed.setattr(ObjectStore, "swap", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            deploy(objects, second, MODEL, replace(SERVED, snapshot="snapshot-2"), now)
    assert current_release(objects, "maya") == first
    release, is_new = deploy(objects, second, MODEL, replace(SERVED, snapshot="snapshot-2"), now)
    assert (release.sequence, is_new) == (2, True)
    assert current_release(objects, "maya") == release
    assert len(releases(objects, "maya")) == 2


def test_deployments_at_once_leave_one_whole_chain(objects: ObjectStore, now: datetime) -> None:
    said = approval(objects, "1", now)
    snapshots = [f"snapshot-{number}" for number in range(4)]
    with ThreadPoolExecutor(4) as pool:
        made = list(
            pool.map(lambda name: deploy(objects, said, MODEL, replace(SERVED, snapshot=name), now)[0], snapshots)
        )
    assert sorted(each.sequence for each in made) == [1, 2, 3, 4]
    newest = max(made, key=lambda each: each.sequence)
    assert current_release(objects, "maya") == newest
