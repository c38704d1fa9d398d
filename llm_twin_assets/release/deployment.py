"""From an approval to what serves: a test through the service, one immutable record, then one switch of the pointer."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from llm_twin_assets.domain.canary_records import running_canary
from llm_twin_assets.domain.model import ModelVersion
from llm_twin_assets.domain.release import Approval, Release
from llm_twin_assets.domain.released import releases_prefix
from llm_twin_assets.release.approvals import ApprovalError, gate_objection
from llm_twin_assets.release.canary import begin, is_sound, supersede
from llm_twin_assets.release.records import (
    ConflictError,
    Decided,
    append,
    current_release,
    deciding,
    decisions,
    find_verdict,
    releases,
    switch,
    verdict_digest,
)
from resources.object_store import ObjectStore
from resources.release_settings import Trial

# Says in a few words what the test before the switch saw; raises a `TwinError` if the release must not serve.
Smoke = Callable[[Release], str]

# What says who and when, and not what serves.
_CIRCUMSTANCES = frozenset({
    "release_id", "sequence", "previous", "approval_sequence", "approval_digest", "approver", "reason", "decision",
    "override", "verdict", "smoke", "canary", "code_version", "service", "released_at",
})  # fmt: skip
_TRIES = 5


@dataclass(frozen=True, slots=True)
class Served:
    """What a release takes along beside the approved model."""

    author_name: str
    snapshot: str
    embedder: str
    embedder_digest: str
    prompt_digest: str
    service: str | None = None
    code_version: str | None = None


def approved(objects: ObjectStore, author: str) -> Approval:
    """The approval to act on; raises `ApprovalError` if nobody has said yes, or the gate says no by now."""
    found = deciding(objects, author)
    if found is None:
        raise ApprovalError(
            f"no model of '{author}' has been approved",
            mend=f"Look at the evaluation report, then `twin approve --author {author} --approver YOU --reason WHY`.",
        )
    _check_gate(objects, found.approval)
    return found.approval


def deploy(
    objects: ObjectStore,
    approval: Approval,
    model: ModelVersion,
    served: Served,
    now: datetime,
    smoke: Smoke | None = None,
    trial: Trial | None = None,
) -> tuple[Release, bool]:
    """Release the approved model; returns the release that serves, and whether it is a new one.

    With a `trial`, a model that takes the place of another is a canary first, and the canary is what is returned: new
    or still on trial. One that has been tried takes the place of what serves, just as it was tried.

    A roll-back returns with everything the version was last released with: its snapshot, and the embedder and template
    that fit it. Nothing is written if what serves is already this.
    """
    if approval.decision == "rolled_back":
        return return_to(objects, approval, now)
    if approval.model_digest not in (None, model.digest):
        raise ApprovalError(f"version {model.version} of '{model.author}' is not the model that was approved")
    wanted = Release(
        release_id=f"{approval.author}-next",
        author=approval.author,
        author_name=served.author_name,
        sequence=0,
        model_name=model.name,
        model_version=model.version,
        model_digest=model.digest,
        model_path=model.path,
        base=model.base,
        base_revision=model.base_revision,
        dataset=model.dataset,
        snapshot=served.snapshot,
        embedder=served.embedder,
        embedder_digest=served.embedder_digest,
        prompt_digest=served.prompt_digest,
        service=served.service,
        code_version=served.code_version,
        canary=trial,
        approval_sequence=approval.sequence,
        approver=approval.approver,
        released_at=now,
    )
    return _release(objects, wanted, approval, smoke)


def return_to(objects: ObjectStore, approval: Approval, now: datetime) -> tuple[Release, bool]:
    """Release again what the version was last released with. That takes the records alone: no registry, no embedder.

    Nor is it tested again: it was when it was released, and seconds count. A service that cannot open it stays with
    what it serves.
    """
    before = [past for past in releases(objects, approval.author) if past.model_version == approval.model_version]
    if not before:
        raise ApprovalError(f"version {approval.model_version} of '{approval.author}' was never released")
    return _release(objects, before[-1].model_copy(update={"released_at": now, "canary": None}), approval, None)


def _release(objects: ObjectStore, wanted: Release, approval: Approval, smoke: Smoke | None) -> tuple[Release, bool]:
    """Of two deployments at once one is second, and looks again."""
    for _ in range(_TRIES):
        try:
            return _release_once(objects, wanted, _on_record(objects, approval), smoke)
        except ConflictError as error:
            conflict = error
    raise conflict


def _release_once(objects: ObjectStore, wanted: Release, decided: Decided, smoke: Smoke | None) -> tuple[Release, bool]:
    tried = running_canary(objects, wanted.author)
    if tried and tried.approval_sequence != decided.approval.sequence:
        supersede(objects, tried, decided.approval)
    elif tried and wanted.canary is not None and not is_sound(objects, tried, wanted.released_at):
        return tried, False
    elif tried:
        _switch(objects, tried)
    past, present = releases(objects, wanted.author), current_release(objects, wanted.author)
    if present and _same(present, wanted):
        return present, present == tried
    if present is None or present.model_digest == wanted.model_digest:
        wanted = wanted.model_copy(update={"canary": None})
    seen = smoke(wanted) if smoke else wanted.smoke
    # A run that was killed before the switch left a record that never served: it is this one, or is passed over.
    if past and past[-1].approval_sequence == decided.approval.sequence and _is_again(past[-1], wanted):
        release = past[-1]
    else:
        release = append(
            objects,
            releases_prefix(wanted.author),
            lambda sequence: _recorded(wanted, sequence, decided, seen),
            expected=len(past),
        )
    (begin if release.canary else _switch)(objects, release)
    return release, True


def _switch(objects: ObjectStore, release: Release) -> None:
    if not switch(objects, releases_prefix(release.author), release):
        raise ConflictError("a later release was made at the same moment", where=release.release_id)


def _recorded(wanted: Release, sequence: int, decided: Decided, smoke: str | None) -> Release:
    approval = decided.approval
    return wanted.model_copy(
        update={
            "release_id": f"{wanted.author}-{sequence:06d}",
            "sequence": sequence,
            "approval_sequence": approval.sequence,
            "approval_digest": decided.digest,
            "approver": approval.approver,
            "reason": approval.reason,
            "decision": approval.decision,
            "override": approval.override,
            "verdict": approval.verdict,
            "smoke": smoke,
        }
    )


def _on_record(objects: ObjectStore, approval: Approval) -> Decided:
    """The decision as the record has it: deployment trusts nothing else."""
    past = decisions(objects, approval.author)
    if not 1 <= approval.sequence <= len(past) or past[approval.sequence - 1].approval != approval:
        raise ApprovalError(f"this approval of version {approval.model_version} of '{approval.author}' is on no record")
    return past[approval.sequence - 1]


def _check_gate(objects: ObjectStore, approval: Approval) -> None:
    """What the person relied on must still be so when the model first comes into service."""
    author, version = approval.author, approval.model_version
    was_released = any(
        past.model_version == version and past.approval_sequence <= approval.sequence
        for past in releases(objects, author)
    )
    if was_released or approval.override:
        return
    if objection := gate_objection(find_verdict(objects, author, version), author, version):
        raise objection
    if approval.verdict_digest not in (None, verdict_digest(objects, author, version)):
        raise ApprovalError(
            f"version {version} of '{author}' was evaluated again since {approval.approver} approved it",
            mend="Look at the new report, then approve it again.",
        )


def _same(one: Release, other: Release) -> bool:
    return one.model_dump(exclude=set(_CIRCUMSTANCES)) == other.model_dump(exclude=set(_CIRCUMSTANCES))


def _is_again(one: Release, other: Release) -> bool:
    return _same(one, other) and one.canary == other.canary
