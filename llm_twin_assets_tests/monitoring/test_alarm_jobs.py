"""The job that acts on an alarm, and the sensor that starts what actions ask for."""

from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest
from dagster._core.definitions.partitions.context import partition_loading_context

from llm_twin_assets.definitions import definitions
from llm_twin_assets.domain.alarm import Action, Alarm
from llm_twin_assets.monitoring.action_jobs import act_on_alarm, alarm_request, handle
from llm_twin_assets.monitoring.actions import acted
from llm_twin_assets.monitoring.alarm_records import find, put_new
from llm_twin_assets.monitoring.cooldown import Claim
from llm_twin_assets.partitions import AUTHORS
from llm_twin_assets.release.records import approvals
from llm_twin_assets_tests.faults.killed_release import evaluated, release
from llm_twin_assets_tests.monitoring.test_alarm_actions import MONITORING, alarm
from llm_twin_assets_tests.resources.listeners import webhook
from resources.monitoring_settings import Monitoring
from resources.object_store import ObjectStore
from resources.settings import Author, Settings, Source

VARIABLE = "TWIN_TEST_WEBHOOK"
SETTINGS = Settings(
    authors={"maya": Author(name="Maya", sources=(Source(platform="files"),))},
    monitoring=Monitoring.model_validate({"notify": {"webhooks": [{"url_variable": VARIABLE}], "attempts": 1}}),
)


@pytest.fixture
def released(objects: ObjectStore) -> ObjectStore:
    """Version 1 was released, version 2 serves."""
    for version in ("1", "2"):
        evaluated(objects, version)
        release(objects.root, version)
    return objects


def ran(objects: ObjectStore, opened: Alarm) -> dg.ExecuteInProcessResult:
    """The run that an alarm asks for."""
    return act_on_alarm.execute_in_process(
        run_config=alarm_request(opened).run_config, resources={"objects": objects, "settings": SETTINGS}
    )


def opened_now(name: str, action: Action, minutes: int = 0) -> Alarm:
    at = datetime.now(UTC) - timedelta(minutes=minutes)
    return alarm(name, action).model_copy(update={"opened_at": at, "changed_at": at})


def test_the_job_acts_tells_people_and_the_graph(released: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    put_new(released, alarm())
    with webhook() as hook:
        monkeypatch.setenv(VARIABLE, hook.url)
        done = ran(released, alarm())
        again = ran(released, alarm())
    [approved] = [event.asset_key for event in done.all_events if event.is_step_materialization]
    assert approved == dg.AssetKey(["release", "approved_model"])
    assert not [event for event in again.all_events if event.is_step_materialization]
    [seen] = [event.asset_observation_data for event in done.all_events if event.is_asset_observation]
    observation = seen.asset_observation
    assert (observation.asset_key, observation.partition) == (dg.AssetKey(["release", "deployed"]), "maya")
    assert "maya-000003 serves" in str(observation.metadata["acted"].value)
    [posted] = hook.posted
    assert "roll back, automatically: maya-000003 serves: version 1" in str(posted["text"])
    assert len(approvals(released, "maya")) == 3


def test_a_webhook_that_is_dead_fails_nothing_and_is_on_record(
    released: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_new(released, alarm())
    monkeypatch.delenv(VARIABLE, raising=False)
    assert ran(released, alarm()).success
    found = find(released, "maya", "a1")
    assert found is not None
    assert "maya-000003 serves" in (acted(found, Action.ROLL_BACK) or "")
    assert f"webhook {VARIABLE}: not told: the variable {VARIABLE} is not set" in (acted(found, Action.NOTIFY) or "")


@pytest.fixture(scope="module")
def location() -> dg.Definitions:
    return definitions()


def requested(objects: ObjectStore, location: dg.Definitions) -> list[dg.RunRequest]:
    """What the sensor of the code location asks for, with its partitions resolved as the daemon does it."""
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions(AUTHORS.name or "", ["maya"])
        context = dg.build_sensor_context(instance=instance, definitions=location, resources={"objects": objects})
        with partition_loading_context(dynamic_partitions_store=instance):
            tick = location.resolve_sensor_def("alarm_follow_up").evaluate_tick(context)
    return list(tick.run_requests or [])


@pytest.mark.parametrize(("action", "job"), [(Action.RETRAIN, "build_candidate"), (Action.RECOLLECT, "collect")])
def test_a_run_that_an_alarm_asks_for_is_started_for_its_author_once(
    objects: ObjectStore, location: dg.Definitions, action: Action, job: str
) -> None:
    put_new(objects, opened_now("a1", action))
    gone = Claim(author="ben", action=action, alarm_id="b1", at=datetime.now(UTC))
    objects.replace(f"actions/ben/{action}.json", gone.model_dump_json().encode())
    done = handle(objects, "maya", "a1", MONITORING, datetime.now(UTC))
    assert (acted(done, action) or "").startswith("a run is requested")
    [request] = requested(objects, location)
    assert (request.job_name, request.partition_key, request.run_key) == (job, "maya", f"{action}/a1")
    [again] = requested(objects, location)
    assert again.run_key == request.run_key, "Dagster runs a key once"


def test_an_alarm_whose_run_was_killed_is_acted_on_again_until_it_is_on_record(
    objects: ObjectStore, location: dg.Definitions
) -> None:
    put_new(objects, opened_now("a1", Action.NOTIFY, minutes=1))
    assert requested(objects, location) == [], "its own run may still be under way"
    put_new(objects, opened_now("a2", Action.NOTIFY, minutes=6))
    put_new(objects, opened_now("a3", Action.NOTIFY, minutes=40))
    assert [(each.job_name, each.run_key) for each in requested(objects, location)] == [
        ("act_on_alarm", "a2/0"),
        ("act_on_alarm", "a3/2"),
    ]
    handle(objects, "maya", "a2", MONITORING, datetime.now(UTC))
    handle(objects, "maya", "a3", MONITORING, datetime.now(UTC))
    assert requested(objects, location) == []


def test_a_claim_that_cannot_be_read_is_said_and_starts_nothing(objects: ObjectStore, location: dg.Definitions) -> None:
    objects.replace("actions/maya/retrain.json", b"{}")
    assert requested(objects, location) == []
