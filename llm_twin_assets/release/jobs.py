"""The jobs by which a person decides: approve, reject, roll back. Also `twin approve|reject`."""

from collections.abc import Callable
from datetime import UTC, datetime

import dagster as dg
from pydantic import Field

from llm_twin_assets.domain.identity import digest
from llm_twin_assets.domain.release import Approval
from llm_twin_assets.release import approvals
from llm_twin_assets.release.assets import APPROVED_MODEL
from resources.object_store import ObjectStore

Decide = Callable[[ObjectStore, str, str, str, str, datetime], Approval]


class DecisionConfig(dg.Config):
    """Who decides what, and why."""

    author: str = Field(description="The author key from twin.yaml, for example 'maya'.")
    model_version: str = Field(description="The version in the model registry, for example '3'.")
    approver: str = Field(description="Your name: it goes on record.")
    reason: str = Field(description="Why, in a sentence: it goes on record.")


def decision_job(name: str, decide: Decide, description: str) -> dg.JobDefinition:
    """A job of one op that records a decision and tells the graph of it."""

    @dg.op(name=f"{name}_op", description=description)
    def record(context: dg.OpExecutionContext, config: DecisionConfig, objects: dg.ResourceParam[ObjectStore]) -> None:
        approval = _decided(decide, objects, config)
        context.log.info("%s: version %s, by %s", approval.decision, approval.model_version, approval.approver)
        if approval.decision == "rejected":
            return
        context.log_event(
            dg.AssetMaterialization(
                APPROVED_MODEL.key,
                partition=approval.author,
                description=approval.reason,
                tags={"dagster/data_version": digest([approval.sequence, approval.model_version])[:16]},
                metadata={
                    "model_version": approval.model_version,
                    "decision": approval.decision,
                    "approver": approval.approver,
                    "reason": approval.reason,
                },
            )
        )

    @dg.job(name=name, description=description, executor_def=dg.in_process_executor)
    def job() -> None:
        record()

    return job


def _decided(decide: Decide, objects: ObjectStore, config: DecisionConfig) -> Approval:
    try:
        now = datetime.now(UTC)
        return decide(objects, config.author, config.model_version, config.approver, config.reason, now)
    except approvals.ApprovalError as error:
        raise dg.Failure(str(error), allow_retries=False) from None


approve_model = decision_job(
    "approve_model",
    approvals.approve,
    "Say yes to a model version that passed the gate: it will be released with the newest embedded snapshot.",
)
reject_model = decision_job(
    "reject_model", approvals.reject, "Say no to a model version: it can never be approved after this."
)
roll_back = decision_job(
    "roll_back",
    approvals.roll_back,
    "Go back to a version that was released before, together with the embedded snapshot it was released with.",
)

DECISION_JOBS = [approve_model, reject_model, roll_back]
