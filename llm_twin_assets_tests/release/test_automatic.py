"""`release.approval: automatic`, and the jobs by which people decide."""

from datetime import datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from llm_twin_assets.partitions import AUTHORS
from llm_twin_assets.release.approvals import approve, reject
from llm_twin_assets.release.automatic import automatic_approval
from llm_twin_assets.release.jobs import approve_model, reject_model
from llm_twin_assets.release.records import approvals
from llm_twin_assets_tests.release.test_approvals import evaluated
from resources.object_store import ObjectStore
from resources.release_settings import Releasing
from resources.settings import Author, Settings, Source


def settings(approval: str) -> Settings:
    authors = {"maya": Author(name="Maya", sources=(Source(platform="files"),))}
    return Settings(authors=authors, release=Releasing.model_validate({"approval": approval}))


@pytest.fixture
def instance() -> dg.DagsterInstance:
    made = dg.DagsterInstance.ephemeral()
    made.add_dynamic_partitions(AUTHORS.name or "", ["maya"])
    return made


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "twin.yaml"
    file.write_text("authors: {maya: {name: Maya, sources: [{platform: files}]}}\nrelease: {approval: automatic}\n")
    monkeypatch.setenv("TWIN_CONFIG", str(file))
    return file


def requests(instance: dg.DagsterInstance) -> list[dg.RunRequest]:
    result = automatic_approval(dg.build_sensor_context(instance=instance))
    return [] if isinstance(result, dg.SkipReason) else list(result.run_requests or [])


def run(job: dg.JobDefinition, objects: ObjectStore, config: object, approval: str = "manual") -> bool:
    return job.execute_in_process(
        run_config=config,
        resources={"objects": objects, "settings": settings(approval)},
        raise_on_error=False,
    ).success


def test_a_person_decides_unless_the_configuration_says_otherwise(
    instance: dg.DagsterInstance, config: Path, objects: ObjectStore, now: datetime
) -> None:
    evaluated(objects, "1", now)
    config.write_text("authors: {maya: {name: Maya, sources: [{platform: files}]}}\n")
    assert requests(instance) == []


@pytest.mark.usefixtures("config")
def test_what_passed_the_gate_is_approved_once_and_on_record_as_automatic(
    instance: dg.DagsterInstance, objects: ObjectStore, now: datetime
) -> None:
    assert requests(instance) == []
    evaluated(objects, "1", now)
    [request] = requests(instance)
    [again] = requests(instance)
    assert request.run_key == again.run_key, "Dagster runs a key once"
    assert run(approve_model, objects, request.run_config, "automatic")
    [yes] = approvals(objects, "maya")
    assert (yes.approver, yes.model_version, yes.override) == ("automatic", "1", False)
    assert requests(instance) == []


@pytest.mark.usefixtures("config")
def test_what_failed_the_gate_or_was_rejected_is_not_approved(
    instance: dg.DagsterInstance, objects: ObjectStore, now: datetime
) -> None:
    evaluated(objects, "1", now)
    evaluated(objects, "2", now + timedelta(hours=1), passed=False)
    assert requests(instance) == [], "an older model that passed is not what is new"
    evaluated(objects, "3", now + timedelta(hours=2))
    reject(objects, "maya", "3", "Noor", "repeats itself", now)
    assert requests(instance) == []


def decision(**said: object) -> dict[str, object]:
    whole = {"author": "maya", "model_version": "1", "approver": "Noor", "reason": "yes", **said}
    return {"ops": {"approve_model_op": {"config": whole}}}


def test_nobody_passes_for_automatic(objects: ObjectStore, now: datetime) -> None:
    evaluated(objects, "1", now)
    assert not run(approve_model, objects, decision(approver="Automatic"))
    assert approvals(objects, "maya") == []


def test_the_job_wants_an_explicit_override_against_the_gate(objects: ObjectStore, now: datetime) -> None:
    evaluated(objects, "1", now, passed=False)
    assert not run(approve_model, objects, decision())
    assert run(approve_model, objects, decision(override=True))
    assert approvals(objects, "maya")[0].override


def test_the_job_refuses_who_does_not_know_of_the_last_decision(objects: ObjectStore, now: datetime) -> None:
    evaluated(objects, "1", now)
    approve(objects, "maya", "1", "Ada", "yes", now)
    assert not run(approve_model, objects, decision(seen=0))
    assert run(approve_model, objects, decision(seen=1))


def test_a_rejection_tells_the_graph_nothing(objects: ObjectStore, now: datetime) -> None:
    evaluated(objects, "1", now)
    config = {"ops": {"reject_model_op": decision()["ops"]["approve_model_op"]}}  # type: ignore[index]
    done = reject_model.execute_in_process(
        run_config=config, resources={"objects": objects, "settings": settings("manual")}
    )
    assert not [event for event in done.all_events if event.is_step_materialization]
