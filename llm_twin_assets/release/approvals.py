"""Decisions of people on models: an append-only record, and the only thing that deployment trusts."""

from datetime import datetime

from llm_twin_assets.domain.release import Approval, Decision, Verdict
from llm_twin_assets.domain.released import approvals_prefix
from llm_twin_assets.inference.prompts import prompt_digest
from llm_twin_assets.release.records import (
    ConflictError,
    append,
    approvals,
    find_verdict,
    releases,
    switch,
    verdict_digest,
)
from resources.errors import TwinError
from resources.object_store import ObjectStore

# Who is on record where `release.approval: automatic` says yes.
AUTOMATIC = "automatic"


class ApprovalError(TwinError):
    """A decision that may not be taken."""


def approve(
    objects: ObjectStore,
    author: str,
    version: str,
    approver: str,
    reason: str,
    now: datetime,
    *,
    override: bool = False,
    seen: int | None = None,
) -> Approval:
    """Record a person's yes; raises `ApprovalError` unless the version passed the gate and was not rejected.

    `override` says yes all the same, and stays on record. `seen` is how many decisions the person knew of.
    """
    past = approvals(objects, author)
    objection = gate_objection(find_verdict(objects, author, version), author, version) or _rejection(past, version)
    if objection and not override:
        raise objection
    yes = _decision(objects, author, version, "approved", approver, reason, now)
    return _append(objects, yes.model_copy(update={"override": objection is not None}), past, seen)


def reject(
    objects: ObjectStore,
    author: str,
    version: str,
    approver: str,
    reason: str,
    now: datetime,
    *,
    seen: int | None = None,
) -> Approval:
    """Record a person's no; the version is never released again after it, but by an override."""
    past = approvals(objects, author)
    if find_verdict(objects, author, version) is None and all(each.model_version != version for each in past):
        raise ApprovalError(f"version {version} of '{author}' was never evaluated")
    no = _decision(objects, author, version, "rejected", approver, reason, now)
    return _append(objects, no, past, seen)


def withdraw(objects: ObjectStore, author: str, version: str, by: str, reason: str, now: datetime) -> Approval:
    """Take a yes back that came to nothing; the version may be approved again."""
    taken_back = _decision(objects, author, version, "withdrawn", by, reason, now)
    return _append(objects, taken_back, approvals(objects, author), None)


def roll_back(
    objects: ObjectStore,
    author: str,
    version: str,
    approver: str,
    reason: str,
    now: datetime,
    *,
    override: bool = False,
    seen: int | None = None,
) -> Approval:
    """Record a return to what was released before; raises `ApprovalError` if it cannot serve or was rejected since."""
    released = [past for past in releases(objects, author) if past.model_version == version]
    if not released:
        raise ApprovalError(f"version {version} of '{author}' was never released", mend="See `twin releases`.")
    if released[-1].prompt_digest != prompt_digest():
        raise ApprovalError(
            f"release {released[-1].release_id} has another prompt template than this code",
            mend=f"It needs code version {released[-1].code_version or 'of its time'}; start the service from that.",
        )
    if not any(objects.list(released[-1].model_path)):
        raise ApprovalError(
            f"the model of release {released[-1].release_id} is no longer kept",
            mend="See release.retention in twin.yaml.",
        )
    past = approvals(objects, author)
    objection = _rejection(past, version)
    if objection and not override:
        raise objection
    overridden = objection is not None or released[-1].override
    back = _decision(objects, author, version, "rolled_back", approver, reason, now)
    return _append(objects, back.model_copy(update={"override": overridden}), past, seen)


def gate_objection(found: Verdict | None, author: str, version: str) -> ApprovalError | None:
    """Why the gate does not let a version through, or None."""
    if found is None:
        return ApprovalError(
            f"version {version} of '{author}' was never evaluated", mend=f"Run `twin run --author {author}` first."
        )
    if (found.author, found.model_version) != (author, version):
        return ApprovalError(f"what is on record as evaluation of version {version} of '{author}' is of another model")
    if not found.passed:
        return ApprovalError(f"version {version} of '{author}' did not pass the gate: {found.reason}")
    return None


def _rejection(past: list[Approval], version: str) -> ApprovalError | None:
    last = next((each for each in reversed(past) if each.model_version == version), None)
    if last is None or last.decision != "rejected":
        return None
    return ApprovalError(
        f"version {version} of '{last.author}' was rejected before, by {last.approver}: {last.reason}",
        mend="Train and evaluate a new one.",
    )


def _decision(
    objects: ObjectStore, author: str, version: str, decision: Decision, approver: str, reason: str, now: datetime
) -> Approval:
    if not approver.strip() or not reason.strip():
        raise ApprovalError("an approver and a reason are required", mend="Say who decides, and why.")
    found = find_verdict(objects, author, version)
    return Approval(
        sequence=0,
        author=author,
        model_version=version,
        decision=decision,
        approver=approver.strip(),
        reason=reason.strip(),
        decided_at=now,
        model_digest=found.model_digest if found else None,
        verdict=found.reason if found else None,
        verdict_digest=verdict_digest(objects, author, version),
    )


def _append(objects: ObjectStore, decided: Approval, past: list[Approval], seen: int | None) -> Approval:
    """Put a decision on record that was made knowing of those before it, and of no others."""
    if seen is not None and seen != len(past):
        raise _told(past)
    prefix = approvals_prefix(decided.author)
    if past:
        # What a writer left undone that was killed: no more than one record is ever ahead of its copy.
        switch(objects, prefix, past[-1])
    try:
        written = append(
            objects, prefix, lambda number: decided.model_copy(update={"sequence": number}), expected=len(past)
        )
    except ConflictError:
        raise _told(approvals(objects, decided.author)) from None
    switch(objects, prefix, written)
    return written


def _told(past: list[Approval]) -> ApprovalError:
    if not past:
        return ApprovalError("a decision that you have seen is no longer on record")
    last = past[-1]
    what = last.decision.replace("_", " ")
    return ApprovalError(
        f"somebody else decided first: version {last.model_version} was {what} by {last.approver}: {last.reason}",
        mend="Yours was not recorded. Look again, then decide again.",
    )
