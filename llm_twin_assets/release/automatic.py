"""`release.approval: automatic`: whatever passes the gate is approved, once, and on record as approved by nobody."""

import dagster as dg

from llm_twin_assets.domain.chain import TamperedError
from llm_twin_assets.domain.release import Verdict
from llm_twin_assets.partitions import AUTHORS
from llm_twin_assets.release.approvals import AUTOMATIC
from llm_twin_assets.release.jobs import approve_model
from llm_twin_assets.release.records import undecided
from resources.object_store import ObjectStore
from resources.settings import Environment, Settings


@dg.sensor(
    job=approve_model,
    name="automatic_approval",
    minimum_interval_seconds=10,
    # Running, and idle unless twin.yaml says so: a setting that also wants a switch in the UI would be half of one.
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Approves the newest model that passed the gate, where twin.yaml says `release.approval: automatic`.",
)
def automatic_approval(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
    """A run of `approve_model` for each author whose newest evaluation passed and is undecided."""
    if Settings.load().release.approval != "automatic":
        return dg.SkipReason("twin.yaml: release.approval is manual: a person decides")
    objects = ObjectStore(Environment.current().under("objects"))
    requests = []
    for author in context.instance.get_dynamic_partitions(AUTHORS.name or ""):
        try:
            found = undecided(objects, author)
        except TamperedError as error:
            context.log.error(str(error))
            continue
        if found is not None:
            requests.append(_request(found))
    return dg.SensorResult(run_requests=requests)


def _request(found: Verdict) -> dg.RunRequest:
    said = {
        "author": found.author,
        "model_version": found.model_version,
        "approver": AUTOMATIC,
        "reason": f"passed the gate: {found.reason}",
    }
    return dg.RunRequest(
        run_key=f"{found.author}/{found.model_version}/{found.model_digest}/{found.evaluated_at.isoformat()}",
        run_config={"ops": {f"{approve_model.name}_op": {"config": said}}},
    )
