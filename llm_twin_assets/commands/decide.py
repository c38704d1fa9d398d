"""Approve or reject a candidate, roll back, and put the outcome into service."""

from llm_twin_assets.commands.run import execute
from llm_twin_assets.domain.canary_records import running_canary
from llm_twin_assets.domain.release import Release
from llm_twin_assets.evaluation.exam.contestants import candidate_of
from llm_twin_assets.release.records import approvals, current_release
from resources.errors import TwinError
from resources.object_store import ObjectStore
from resources.registry import registry_of
from resources.settings import Environment


def candidate_version(author: str, environment: Environment) -> str:
    """The version that awaits a decision."""
    return candidate_of(author, registry_of(environment)).version


def decide(
    job: str,
    author: str,
    version: str,
    approver: str,
    reason: str,
    environment: Environment,
    *,
    override: bool = False,
) -> None:
    """Run one of the decision jobs, so that the decision is on record and in the graph."""
    seen = len(approvals(objects(environment), author))
    config = {
        "author": author, "model_version": version, "approver": approver, "reason": reason,
        "override": override, "seen": seen,
    }  # fmt: skip
    execute(job, environment, config={"ops": {f"{job}_op": {"config": config}}})


def deploy(author: str, environment: Environment) -> Release:
    """Materialize `release/deployed`; a running daemon would do it too, a little later."""
    execute("deploy", environment, author=author)
    release = current_release(objects(environment), author)
    if release is None:
        raise TwinError(f"nothing of '{author}' is released")
    return release


def on_trial(author: str, environment: Environment) -> Release | None:
    """The canary that runs, if one does."""
    return running_canary(objects(environment), author)


def objects(environment: Environment) -> ObjectStore:
    """The store of records below the home."""
    return ObjectStore(environment.under("objects"))
