"""Going back to what served before: which release that is, and how it is decided and done in one go."""

from datetime import datetime

from llm_twin_assets.domain.canary_records import ended
from llm_twin_assets.domain.release import Approval, Release
from llm_twin_assets.release import approvals
from llm_twin_assets.release.approvals import ApprovalError
from llm_twin_assets.release.deployment import return_to
from llm_twin_assets.release.records import approvals as decisions
from llm_twin_assets.release.records import current_release, releases
from resources.object_store import ObjectStore


def release_before(objects: ObjectStore, author: str) -> Release:
    """What served before the model that serves, as undoing goes: neither what was rolled back from nor what was
    rejected since.

    Raises `ApprovalError` if there is nothing of that kind, and `TamperedError`.
    """
    serving = current_release(objects, author)
    last_said = {each.model_version: each.decision for each in decisions(objects, author)}
    served: list[Release] = []
    for release in releases(objects, author)[: serving.sequence if serving else 0]:
        versions = [each.model_version for each in served]
        if release.decision == "rolled_back" and release.model_version in versions:
            del served[versions.index(release.model_version) :]
        # A canary that was ended has served a share of the requests, and nobody else.
        if ended(objects, release) is None:
            served.append(release)
    for release in reversed(served):
        version = release.model_version
        if serving and version != serving.model_version and last_said.get(version) != "rejected":
            return release
    raise ApprovalError(f"no other model of '{author}' served before what serves", mend="See `twin releases`.")


def roll_back_now(
    objects: ObjectStore,
    author: str,
    version: str,
    approver: str,
    reason: str,
    now: datetime,
    *,
    override: bool = False,
    seen: int | None = None,
) -> tuple[Approval, Release]:
    """Decide and switch at once: whoever rolls back is in a hurry, and it takes the records alone.

    Raises `ApprovalError` and `TamperedError`.
    """
    approval = approvals.roll_back(objects, author, version, approver, reason, now, override=override, seen=seen)
    release, _ = return_to(objects, approval, now)
    return approval, release
