"""From an approval to what serves: one immutable release record, then one switch of the pointer."""

from dataclasses import dataclass
from datetime import datetime

from llm_twin_assets.domain.model import ModelVersion
from llm_twin_assets.domain.release import Approval, Release
from llm_twin_assets.release.approvals import ApprovalError
from llm_twin_assets.release.records import append, current_release, deciding_approval, pointer, releases
from resources.object_store import ObjectStore


@dataclass(frozen=True, slots=True)
class Served:
    """What a release takes along beside the approved model."""

    author_name: str
    snapshot: str
    embedder: str
    embedder_digest: str
    prompt_digest: str


def approved(objects: ObjectStore, author: str) -> Approval:
    """The approval to act on; raises `ApprovalError` if nobody has said yes."""
    approval = deciding_approval(objects, author)
    if approval is None:
        raise ApprovalError(
            f"no model of '{author}' has been approved",
            mend=f"Look at the evaluation report, then `twin approve --author {author} --approver YOU --reason WHY`.",
        )
    return approval


def deploy(
    objects: ObjectStore, approval: Approval, model: ModelVersion, served: Served, now: datetime
) -> tuple[Release, bool]:
    """Release the approved model; returns the release that serves, and whether it is a new one.

    A roll-back takes the snapshot that the version was last released with: a model returns with its own index. Nothing
    is written if what serves is already this.
    """
    snapshot = served.snapshot
    if approval.decision == "rolled_back":
        snapshot = _last_snapshot(objects, approval) or served.snapshot
    present = current_release(objects, approval.author)

    def record(sequence: int) -> Release:
        return Release(
            release_id=f"{approval.author}-{sequence:06d}",
            author=approval.author,
            author_name=served.author_name,
            sequence=sequence,
            model_name=model.name,
            model_version=model.version,
            model_digest=model.digest,
            model_path=model.path,
            base=model.base,
            dataset=model.dataset,
            snapshot=snapshot,
            embedder=served.embedder,
            embedder_digest=served.embedder_digest,
            prompt_digest=served.prompt_digest,
            approval_sequence=approval.sequence,
            approver=approval.approver,
            released_at=now,
        )

    if present and _same(present, record(present.sequence)):
        return present, False
    release = append(objects, f"releases/{approval.author}", record)
    objects.replace(pointer(approval.author), release.model_dump_json(indent=2).encode())
    return release, True


def _same(one: Release, other: Release) -> bool:
    when = {"released_at", "approval_sequence", "approver"}
    return one.model_dump(exclude=when) == other.model_dump(exclude=when)


def _last_snapshot(objects: ObjectStore, approval: Approval) -> str | None:
    before = [past for past in releases(objects, approval.author) if past.model_version == approval.model_version]
    return before[-1].snapshot if before else None
