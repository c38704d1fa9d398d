"""The assets of the release stage: a person's approval (external) and what is deployed by it."""

from datetime import UTC, datetime
from functools import partial

import dagster as dg

from llm_twin_assets.automation import WHEN_APPROVED_OR_CONTENT_CHANGED
from llm_twin_assets.domain.canary_records import running_canary
from llm_twin_assets.domain.chain import TamperedError
from llm_twin_assets.domain.document import Category
from llm_twin_assets.domain.model import ModelVersion
from llm_twin_assets.domain.preview import markdown_table
from llm_twin_assets.domain.release import Release
from llm_twin_assets.features.incremental import current_snapshot
from llm_twin_assets.inference.prompts import prompt_digest
from llm_twin_assets.partitions import AUTHORS, OWNERS
from llm_twin_assets.release import canary
from llm_twin_assets.release.approvals import ApprovalError
from llm_twin_assets.release.bento import bento_files, bento_tag
from llm_twin_assets.release.code_version import code_version
from llm_twin_assets.release.deployment import Served, Smoke, approved, deploy
from llm_twin_assets.release.records import current_release, releases, verdict_of
from llm_twin_assets.release.smoke import SmokeFailedError, smoke_test
from resources.embedder import Embedder
from resources.errors import StorageError
from resources.lance_store import LanceVectorStore
from resources.notify import channels_for, tell
from resources.object_store import ObjectStore
from resources.registry import Registry
from resources.settings import Environment, Settings

# External on purpose: an executable asset with required config would break "Materialize all", and no button there may
# say yes.
APPROVED_MODEL = dg.AssetSpec(
    key=["release", "approved_model"],
    deps=[dg.AssetKey(["models", "evaluation"])],
    partitions_def=AUTHORS,
    group_name="release",
    kinds={"human"},
    owners=OWNERS,
    description=(
        "The model version that a person said yes to. Written only by the jobs `approve_model` and `roll_back` (or "
        "`twin approve`), which check the gate again and append to the approval record; deployment trusts that record, "
        "never this event."
    ),
)


@dg.asset(
    key=["release", "deployed"],
    deps=[APPROVED_MODEL, *(dg.AssetKey(["embedded", category.plural]) for category in Category)],
    partitions_def=AUTHORS,
    group_name="release",
    kinds={"python", "bentoml"},
    owners=OWNERS,
    automation_condition=WHEN_APPROVED_OR_CONTENT_CHANGED,
    description=(
        "What answers people: approved model, embedded snapshot, embedder and prompt template as one immutable release "
        "record. The service follows a pointer to it, which is switched in one step."
    ),
)
def deployed(
    context: dg.AssetExecutionContext,
    objects: dg.ResourceParam[ObjectStore],
    vector_store: dg.ResourceParam[LanceVectorStore],
    embedder: dg.ResourceParam[Embedder],
    registry: dg.ResourceParam[Registry],
    settings: dg.ResourceParam[Settings],
    environment: dg.ResourceParam[Environment],
) -> dg.MaterializeResult[None]:
    """Release what was approved, with the newest snapshot, and switch the pointer once the service can answer on it."""
    author = context.partition_key
    smoke = partial(smoke_test, environment=environment, seconds=settings.release.smoke_seconds)
    try:
        _settle_canary(context, objects, settings)
        release, is_new = release_approved(
            author, objects, vector_store, embedder, registry, settings, smoke if settings.release.smoke else None
        )
    except (ApprovalError, TamperedError, SmokeFailedError) as error:
        raise dg.Failure(str(error), allow_retries=False) from None
    on_trial = running_canary(objects, author) == release
    what = ("is tried" if is_new else "is on trial") if on_trial else "is released" if is_new else "serves already"
    context.log.info("%s %s", release.release_id, what)
    return dg.MaterializeResult(
        data_version=dg.DataVersion(release.release_id),
        metadata={
            "release": release.release_id,
            "new": is_new,
            "canary": f"{release.canary.share:.0%} of the requests" if on_trial and release.canary else "",
            "model_version": release.model_version,
            "snapshot": release.snapshot,
            "dataset_version": release.dataset,
            "approver": release.approver,
            "reason": release.reason or "",
            "verdict": release.verdict or "",
            "override": release.override,
            "smoke": release.smoke or "",
            # Outside the object store: whoever rewrites all records there cannot rewrite this.
            "approval_digest": release.approval_digest or "",
            "releases": dg.MetadataValue.md(release_table(releases(objects, author))),
        },
    )


def _settle_canary(context: dg.AssetExecutionContext, objects: ObjectStore, settings: Settings) -> None:
    """Put on record how a canary ended, if one did, and tell those whom twin.yaml names."""
    decided = canary.settle(objects, context.partition_key, datetime.now(UTC))
    if decided is None:
        return
    notice, notify = canary.ended_notice(decided), settings.monitoring.notify
    told = [str(each) for each in tell(notice, channels_for(notice.severity, notify), notify)]
    context.log.warning("%s: %s %s", notice.title, decided.reason, "; ".join(told))


def release_approved(
    author: str,
    objects: ObjectStore,
    vector_store: LanceVectorStore,
    embedder: Embedder,
    registry: Registry,
    settings: Settings,
    smoke: Smoke | None = None,
) -> tuple[Release, bool]:
    """Deploy the deciding approval; returns the release that serves, or is tried, and whether it is new."""
    now = datetime.now(UTC)
    approval = approved(objects, author)
    snapshot = current_snapshot(author, vector_store, embedder)
    if snapshot is None:
        raise StorageError(f"author '{author}' has no embedded snapshot", mend=f"Run `twin run --author {author}`.")
    served = Served(
        author_name=settings.author(author).name,
        snapshot=snapshot,
        embedder=embedder.model,
        embedder_digest=embedder.digest,
        prompt_digest=prompt_digest(),
        service=settings.release.service or bento_tag(bento_files(settings)),
        code_version=code_version(),
    )
    tags = registry.tags(author, approval.model_version)
    model = ModelVersion.from_tags(author, approval.model_version, tags)
    release, is_new = deploy(objects, approval, model, served, now, smoke, settings.release.canary)
    if release == current_release(objects, author):
        registry.set_alias(author, "champion", release.model_version)
    return release, is_new


def release_table(past: list[Release]) -> str:
    """The releases of an author, newest first."""
    rows = [
        (
            entry.release_id,
            entry.model_version,
            entry.snapshot,
            entry.approver,
            entry.reason or "",
            verdict_of(entry),
            f"{entry.released_at:%Y-%m-%d %H:%M}",
        )
        for entry in reversed(past)
    ]
    return markdown_table(("release", "model version", "snapshot", "approver", "why", "gate", "released (UTC)"), rows)
