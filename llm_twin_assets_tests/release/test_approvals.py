from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pytest

from llm_twin_assets.domain.release import Interval, Verdict
from llm_twin_assets.release.approvals import ApprovalError, approve, reject, roll_back
from llm_twin_assets.release.records import approvals, deciding
from resources.object_store import ObjectStore


def evaluated(objects: ObjectStore, version: str, now: datetime, *, passed: bool = True, digest: str = "m") -> None:
    found = Verdict(
        author="maya",
        model_version=version,
        model_digest=digest,
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
    assert deciding(objects, "maya").approval == approval


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
    assert deciding(objects, "maya") is None


@pytest.mark.parametrize(("approver", "reason"), [("", "why"), ("Noor", "  ")])
def test_a_decision_has_a_name_and_a_reason(objects: ObjectStore, now: datetime, approver: str, reason: str) -> None:
    evaluated(objects, "1", now)
    with pytest.raises(ApprovalError, match="an approver and a reason are required"):
        approve(objects, "maya", "1", approver, reason, now)


def test_what_was_never_released_cannot_be_returned_to(objects: ObjectStore, now: datetime) -> None:
    evaluated(objects, "1", now)
    with pytest.raises(ApprovalError, match="never released"):
        roll_back(objects, "maya", "1", "Noor", "the new one is worse", now)


def test_of_decisions_at_the_same_moment_one_is_recorded_and_the_others_are_told(
    objects: ObjectStore, now: datetime
) -> None:
    for version in range(1, 9):
        evaluated(objects, str(version), now)

    def decided(version: int) -> str:
        try:
            return approve(objects, "maya", str(version), f"person {version}", "yes", now, seen=0).approver
        except ApprovalError as error:
            return str(error)

    with ThreadPoolExecutor(8) as pool:
        said = list(pool.map(decided, range(1, 9)))
    [kept] = approvals(objects, "maya")
    assert said.count(kept.approver) == 1
    assert all(kept.approver in each for each in said)
    told = [each for each in said if each != kept.approver]
    assert all("somebody else decided first" in each and "Yours was not recorded" in each for each in told)


def test_who_writes_between_anothers_look_and_decision_wins(
    objects: ObjectStore, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    evaluated(objects, "1", now)
    evaluated(objects, "2", now)
    put_new = ObjectStore.put_new

    def overtaken(self: ObjectStore, path: str, content: bytes) -> bool:
        monkeypatch.setattr(ObjectStore, "put_new", put_new)
        approve(objects, "maya", "2", "Ada", "mine is better", now)
        return put_new(self, path, content)

    monkeypatch.setattr(ObjectStore, "put_new", overtaken)
    with pytest.raises(ApprovalError, match="version 2 was approved by Ada: mine is better"):
        approve(objects, "maya", "1", "Noor", "yes", now)
    assert [past.approver for past in approvals(objects, "maya")] == ["Ada"]


def test_an_override_says_yes_against_the_gate_and_stays_on_record(objects: ObjectStore, now: datetime) -> None:
    evaluated(objects, "1", now, passed=False)
    approval = approve(objects, "maya", "1", "Noor", "the test set is too small", now, override=True)
    assert (approval.override, approval.verdict) == (True, "not shown to be better")
    assert deciding(objects, "maya").approval == approval


def test_an_override_that_was_not_needed_is_none(objects: ObjectStore, now: datetime) -> None:
    evaluated(objects, "1", now)
    assert not approve(objects, "maya", "1", "Noor", "yes", now, override=True).override


def test_an_override_takes_back_a_rejection(objects: ObjectStore, now: datetime) -> None:
    evaluated(objects, "1", now)
    reject(objects, "maya", "1", "Noor", "repeats itself", now)
    approval = approve(objects, "maya", "1", "Ada", "it does not", now, override=True)
    assert approval.override
    assert deciding(objects, "maya").approval == approval


def test_a_rejection_after_an_approval_leaves_the_approval_before_it(objects: ObjectStore, now: datetime) -> None:
    evaluated(objects, "1", now)
    evaluated(objects, "2", now)
    first = approve(objects, "maya", "1", "Noor", "yes", now)
    approve(objects, "maya", "2", "Noor", "yes", now)
    reject(objects, "maya", "2", "Ada", "it tells a secret", now)
    assert deciding(objects, "maya").approval == first


def test_the_evaluation_of_another_model_is_none(objects: ObjectStore, now: datetime) -> None:
    evaluated(objects, "1", now)
    objects.replace("evaluations/maya/2.json", objects.get("evaluations/maya/1.json"))
    with pytest.raises(ApprovalError, match="is of another model"):
        approve(objects, "maya", "2", "Noor", "yes", now)
