"""Decisions of people on models: an append-only record, and the only thing that deployment trusts."""

from datetime import datetime

from llm_twin_assets.domain.release import Approval, Decision
from llm_twin_assets.release.records import append, approvals, find_verdict, releases
from resources.errors import TwinError
from resources.object_store import ObjectStore


class ApprovalError(TwinError):
    """A decision that may not be taken."""


def approve(objects: ObjectStore, author: str, version: str, approver: str, reason: str, now: datetime) -> Approval:
    """Record a person's yes; raises `ApprovalError` unless the version passed the gate and was not rejected."""
    found = find_verdict(objects, author, version)
    if found is None:
        raise ApprovalError(
            f"version {version} of '{author}' was never evaluated", mend=f"Run `twin run --author {author}` first."
        )
    if not found.passed:
        raise ApprovalError(f"version {version} of '{author}' did not pass the gate: {found.reason}")
    if any(past.model_version == version and past.decision == "rejected" for past in approvals(objects, author)):
        raise ApprovalError(
            f"version {version} of '{author}' was rejected before", mend="Train and evaluate a new one."
        )
    return _append(objects, author, version, "approved", approver, reason, now)


def reject(objects: ObjectStore, author: str, version: str, approver: str, reason: str, now: datetime) -> Approval:
    """Record a person's no; the version can never be approved after it."""
    if find_verdict(objects, author, version) is None:
        raise ApprovalError(f"version {version} of '{author}' was never evaluated")
    return _append(objects, author, version, "rejected", approver, reason, now)


def roll_back(objects: ObjectStore, author: str, version: str, approver: str, reason: str, now: datetime) -> Approval:
    """Record a return to a version that was released before; raises `ApprovalError` if it never was."""
    if not any(past.model_version == version for past in releases(objects, author)):
        raise ApprovalError(f"version {version} of '{author}' was never released", mend="See `twin releases`.")
    return _append(objects, author, version, "rolled_back", approver, reason, now)


def _append(
    objects: ObjectStore, author: str, version: str, decision: Decision, approver: str, reason: str, now: datetime
) -> Approval:
    if not approver.strip() or not reason.strip():
        raise ApprovalError("an approver and a reason are required", mend="Say who decides, and why.")
    return append(
        objects,
        f"approvals/{author}",
        lambda sequence: Approval(
            sequence=sequence,
            author=author,
            model_version=version,
            decision=decision,
            approver=approver.strip(),
            reason=reason.strip(),
            decided_at=now,
        ),
    )
