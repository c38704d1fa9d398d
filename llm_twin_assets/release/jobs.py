"""The jobs by which a person decides: approve, reject, roll back. Also `twin approve|reject|rollback`."""

from collections.abc import Callable
from datetime import UTC, datetime

import dagster as dg
from pydantic import Field

from llm_twin_assets.domain.chain import TamperedError
from llm_twin_assets.domain.identity import digest
from llm_twin_assets.domain.release import Approval
from llm_twin_assets.release import approvals
from llm_twin_assets.release.assets import APPROVED_MODEL
from llm_twin_assets.release.returning import roll_back_now
from resources.errors import StorageError
from resources.object_store import ObjectStore
from resources.settings import Settings


class DecisionConfig(dg.Config):
    """Who decides what, and why."""

    author: str = Field(description="The author key from twin.yaml, for example 'maya'.")
    model_version: str = Field(description="The version in the model registry, for example '3'.")
    approver: str = Field(description="Your name: it goes on record.")
    reason: str = Field(description="Why, in a sentence: it goes on record.")
    override: bool = Field(
        default=False, description="Say yes against the gate, or an earlier no. That you did goes on record, too."
    )
    seen: int | None = Field(
        default=None, description="How many decisions you knew of; the job refuses if another was made since."
    )


Decide = Callable[[ObjectStore, DecisionConfig, datetime], Approval]


def decision_job(name: str, decide: Decide, description: str) -> dg.JobDefinition:
    """A job of one op that records a decision and tells the graph of it."""

    @dg.op(name=f"{name}_op", description=description)
    def record(
        context: dg.OpExecutionContext,
        config: DecisionConfig,
        objects: dg.ResourceParam[ObjectStore],
        settings: dg.ResourceParam[Settings],
    ) -> None:
        _check_approver(config, settings)
        context.log.info("%s", report_path(objects, config.author, config.model_version))
        approval = _decided(decide, objects, config)
        said = "override: " if approval.override else ""
        context.log.info("%s%s: version %s, by %s", said, approval.decision, approval.model_version, approval.approver)
        if approval.decision != "rejected":
            context.log_event(approved_event(approval, objects))

    @dg.job(name=name, description=description, executor_def=dg.in_process_executor)
    def job() -> None:
        record()

    return job


def approved_event(approval: Approval, objects: ObjectStore) -> dg.AssetMaterialization:
    """What the graph is told of a yes; deployment does not believe it, it looks at the record."""
    return dg.AssetMaterialization(
        APPROVED_MODEL.key,
        partition=approval.author,
        description=approval.reason,
        tags={"dagster/data_version": digest([approval.sequence, approval.model_version])[:16]},
        metadata={
            "model_version": approval.model_version,
            "decision": approval.decision,
            "approver": approval.approver,
            "reason": approval.reason,
            "verdict": approval.verdict or "",
            "override": approval.override,
            "report": report_path(objects, approval.author, approval.model_version),
            "evaluation": dg.MetadataValue.md(_report(objects, approval.author, approval.model_version)),
        },
    )


def report_path(objects: ObjectStore, author: str, version: str) -> str:
    """Where the report lies that the decision rests on."""
    pages = [f"evaluations/{author}/{version}.{kind}" for kind in ("html", "md")]
    found = [page for page in pages if objects.find(page) is not None]
    return f"{objects.root}/{found[0]}" if found else "there is no evaluation report"


def _report(objects: ObjectStore, author: str, version: str) -> str:
    """The report that the decision rests on, as Markdown."""
    page = objects.find(f"evaluations/{author}/{version}.md")
    return page.decode() if page else "there is no evaluation report"


def _check_approver(config: DecisionConfig, settings: Settings) -> None:
    if config.approver.strip().lower() == approvals.AUTOMATIC and settings.release.approval != "automatic":
        raise dg.Failure(
            "nobody is called 'automatic': release.approval is manual in twin.yaml. Say who you are",
            allow_retries=False,
        )


def _decided(decide: Decide, objects: ObjectStore, config: DecisionConfig) -> Approval:
    try:
        return decide(objects, config, datetime.now(UTC))
    except (approvals.ApprovalError, TamperedError, StorageError) as error:
        raise dg.Failure(str(error), allow_retries=False) from None


def _approve(objects: ObjectStore, said: DecisionConfig, now: datetime) -> Approval:
    return approvals.approve(
        objects, said.author, said.model_version, said.approver, said.reason, now,
        override=said.override, seen=said.seen,
    )  # fmt: skip


def _reject(objects: ObjectStore, said: DecisionConfig, now: datetime) -> Approval:
    return approvals.reject(
        objects, said.author, said.model_version, said.approver, said.reason, now, seen=said.seen
    )  # fmt: skip


def _roll_back(objects: ObjectStore, said: DecisionConfig, now: datetime) -> Approval:
    approval, _ = roll_back_now(
        objects, said.author, said.model_version, said.approver, said.reason, now,
        override=said.override, seen=said.seen,
    )  # fmt: skip
    return approval


approve_model = decision_job(
    "approve_model",
    _approve,
    "Say yes to a model version that passed the gate: it will be released with the newest embedded snapshot.",
)
reject_model = decision_job(
    "reject_model", _reject, "Say no to a model version: it is not released after this, but by an explicit override."
)
roll_back = decision_job(
    "roll_back",
    _roll_back,
    "Go back at once to a version that was released before, with the embedded snapshot it was released with.",
)

DECISION_JOBS = [approve_model, reject_model, roll_back]
