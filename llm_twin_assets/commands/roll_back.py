"""`twin rollback`: the old release serves first, then everybody is told. Dagster is loaded after the switch."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from llm_twin_assets.domain.release import Approval, Release
from llm_twin_assets.release.returning import release_before, roll_back_now
from resources.object_store import ObjectStore
from resources.settings import Environment

if TYPE_CHECKING:
    import dagster as dg


def roll_back(
    author: str, version: str | None, approver: str, reason: str, environment: Environment, *, override: bool = False
) -> tuple[Approval, Release]:
    """Record the decision and switch the pointer: from here on the service returns to the old release.

    Without a version it is the one that served before.
    """
    objects = ObjectStore(environment.under("objects"))
    back_to = version or release_before(objects, author).model_version
    return roll_back_now(objects, author, back_to, approver, reason, datetime.now(UTC), override=override)


def tell(approval: Approval, release: Release, environment: Environment) -> None:
    """Let the graph know what was decided and what serves."""
    from llm_twin_assets.instance import open_instance
    from llm_twin_assets.release.jobs import approved_event

    instance = open_instance(environment)
    instance.report_runless_asset_event(approved_event(approval, ObjectStore(environment.under("objects"))))
    instance.report_runless_asset_event(deployed_event(release))


def deployed_event(release: Release) -> "dg.AssetMaterialization":
    """What the graph is told of a release that it has not made itself."""
    import dagster as dg

    return dg.AssetMaterialization(
        ["release", "deployed"],
        partition=release.author,
        tags={"dagster/data_version": release.release_id},
        metadata={
            "release": release.release_id,
            "model_version": release.model_version,
            "snapshot": release.snapshot,
            "approver": release.approver,
            "reason": release.reason or "",
        },
    )
