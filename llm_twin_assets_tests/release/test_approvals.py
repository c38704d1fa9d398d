from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pytest

from llm_twin_assets.domain.release import Interval, Verdict
from llm_twin_assets.release.approvals import ApprovalError, approve, reject, roll_back
from llm_twin_assets.release.records import approvals, deciding_approval
from resources.object_store import ObjectStore


def evaluated(objects: ObjectStore, version: str, now: datetime, *, passed: bool = True) -> None:
    found = Verdict(
        author="maya",
        model_version=version,
        model_digest="m",
        reference="base tiny-llama",
        dataset="d",
        documents=9,
        candidate_bits_per_byte=1.9,
        reference_bits_per_byte=2.2,
        difference=Interval(mean=-0.3, low=-0.4, high=-0.2),
        passed=passed,
        reason="better" if passed else "not shown to be better",
        config_digest="c",
        evaluated_at=now,
    )
    objects.replace(f"evaluations/maya/{version}.json", found.model_dump_json().encode())


def test_a_passed_candidate_can_be_approved(objects: ObjectStore, now: datetime) -> None:
    evaluated(objects, "1", now)
    approval = approve(objects, "maya", "1", " Noor ", "reads well", now)
    assert (approval.sequence, approval.approver) == (1, "Noor")
    assert deciding_approval(objects, "maya") == approval


def test_what_failed_the_gate_cannot(objects: ObjectStore, now: datetime) -> None:
    evaluated(objects, "1", now, passed=False)
    with pytest.raises(ApprovalError, match="did not pass the gate: not shown to be better"):
        approve(objects, "maya", "1", "Noor", "please", now)
    assert approvals(objects, "maya") == []


def test_what_was_never_evaluated_cannot(objects: ObjectStore, now: datetime) -> None:
    with pytest.raises(ApprovalError, match="never evaluated"):
        approve(objects, "maya", "7", "Noor", "please", now)


def test_a_rejected_version_stays_rejected(objects: ObjectStore, now: datetime) -> None:
    evaluated(objects, "1", now)
    reject(objects, "maya", "1", "Noor", "repeats itself", now)
    with pytest.raises(ApprovalError, match="was rejected before"):
        approve(objects, "maya", "1", "Noor", "second thoughts", now)
    assert deciding_approval(objects, "maya") is None


@pytest.mark.parametrize(("approver", "reason"), [("", "why"), ("Noor", "  ")])
def test_a_decision_has_a_name_and_a_reason(objects: ObjectStore, now: datetime, approver: str, reason: str) -> None:
    evaluated(objects, "1", now)
    with pytest.raises(ApprovalError, match="an approver and a reason are required"):
        approve(objects, "maya", "1", approver, reason, now)


def test_what_was_never_released_cannot_be_returned_to(objects: ObjectStore, now: datetime) -> None:
    evaluated(objects, "1", now)
    with pytest.raises(ApprovalError, match="never released"):
        roll_back(objects, "maya", "1", "Noor", "the new one is worse", now)


def test_decisions_at_the_same_moment_are_all_kept(objects: ObjectStore, now: datetime) -> None:
    for version in range(1, 9):
        evaluated(objects, str(version), now)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda version: approve(objects, "maya", str(version), "Noor", "yes", now), range(1, 9)))
    kept = approvals(objects, "maya")
    assert [approval.sequence for approval in kept] == list(range(1, 9))
    assert {approval.model_version for approval in kept} == {str(version) for version in range(1, 9)}
