import json
import socket
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest

from llm_twin_assets.monitoring import checks
from llm_twin_assets.monitoring.alarms import AnswerSeen, Figures, State, counted, finding
from llm_twin_assets.monitoring.checks import answers_are_sound
from llm_twin_assets.monitoring.sensors import answer_alarms
from llm_twin_assets.monitoring.traces import TracesUnavailableError, answers_between, seen
from llm_twin_assets.partitions import AUTHORS
from resources.settings import Author, Environment, Monitoring, Settings, Source

RULES = Monitoring(min_answers=10, max_degraded_share=0.5, max_error_share=0.1)
GOOD, DEGRADED, FAILED = AnswerSeen(False, False), AnswerSeen(True, False), AnswerSeen(False, True)


@pytest.fixture
def environment() -> Environment:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return Environment(home="/nowhere", config=Path("none"), service_url="", phoenix_url=f"http://127.0.0.1:{port}")


@pytest.fixture
def settings() -> Settings:
    authors = {name: Author(name=name, sources=(Source(platform="files"),)) for name in ("maya", "ben")}
    return Settings(authors=authors, monitoring=RULES)


@pytest.mark.parametrize(
    ("answers", "state"),
    [
        ([], State.TOO_FEW),
        ([DEGRADED] * 9, State.TOO_FEW),
        ([GOOD] * 10, State.SOUND),
        ([GOOD] * 5 + [DEGRADED] * 5, State.SOUND),
        ([GOOD] * 4 + [DEGRADED] * 6, State.ALARM),
        ([GOOD] * 9 + [FAILED], State.SOUND),
        ([GOOD] * 8 + [FAILED] * 2, State.ALARM),
    ],
)
def test_a_window_is_judged_by_shares_and_only_if_there_are_enough(answers: list[AnswerSeen], state: State):
    assert finding(counted(answers), RULES).state is state


def test_an_alarm_says_what_and_how_much():
    found = finding(Figures(answers=20, degraded=15, failed=4), RULES)
    assert found.reason == "degraded 75% of 20 answers, more than 50%; failed 20% of 20 answers, more than 10%"


def test_a_span_tells_whether_its_answer_was_degraded():
    span = {"status_code": "OK", "attributes": {"metadata.degraded": True, "metadata.cause": "empty"}}
    assert seen([span]) == [AnswerSeen(True, False, "empty")]


@pytest.mark.parametrize("attributes", [None, {}, {"metadata": "{"}, {"metadata.degraded": "yes"}])
def test_a_span_that_tells_nothing_counts_as_an_answer(attributes: object):
    assert seen([{"status_code": "ERROR", "attributes": attributes}]) == [AnswerSeen(False, True)]


def test_a_phoenix_that_is_not_there_is_an_error_that_says_so(environment: Environment):
    now = datetime.now(UTC)
    with pytest.raises(TracesUnavailableError, match="cannot be reached"):
        answers_between(environment.phoenix_url, "maya", now, now)


def tick(settings: Settings, environment: Environment, cursor: str | None = None) -> dg.SensorResult | dg.SkipReason:
    context = dg.build_sensor_context(
        cursor=cursor,
        resources={
            "settings": dg.ResourceDefinition.hardcoded_resource(settings),
            "environment": dg.ResourceDefinition.hardcoded_resource(environment),
        },
    )
    return answer_alarms(context)


def test_the_sensor_skips_where_phoenix_is_not_there(settings: Settings, environment: Environment):
    skipped = tick(settings, environment)
    assert isinstance(skipped, dg.SkipReason)
    assert "cannot be reached" in str(skipped.skip_message)


def test_the_sensor_evaluates_the_check_when_a_state_changes_and_not_again(
    settings: Settings, environment: Environment, monkeypatch: pytest.MonkeyPatch
):
    windows = {"maya": [DEGRADED] * 12, "ben": [GOOD] * 3}
    monkeypatch.setattr(checks, "answers_between", lambda url, author, start, end: windows[author])
    first = tick(settings, environment)
    assert isinstance(first, dg.SensorResult)
    assert [(each.partition, each.passed, each.check_name) for each in first.asset_events] == [
        ("maya", False, "answers_are_sound")
    ]
    assert json.loads(first.cursor or "") == {"maya": "alarm"}
    assert isinstance(tick(settings, environment, first.cursor), dg.SkipReason)
    windows["maya"] = [GOOD] * 12
    cleared = tick(settings, environment, first.cursor)
    assert isinstance(cleared, dg.SensorResult)
    assert [each.passed for each in cleared.asset_events] == [True]


def test_the_ui_knows_the_check_and_shows_what_the_sensor_says(settings: Settings, environment: Environment):
    @dg.asset(key=["release", "deployed"], partitions_def=AUTHORS)
    def deployed() -> None: ...

    definitions = dg.Definitions(
        assets=[deployed],
        asset_checks=[answers_are_sound],
        sensors=[answer_alarms],
        resources={"settings": settings, "environment": environment},
    )
    keys = definitions.resolve_asset_graph().asset_check_keys
    assert keys == {dg.AssetCheckKey(dg.AssetKey(["release", "deployed"]), "answers_are_sound")}


def test_run_by_hand_without_phoenix_the_check_measures_nothing(settings: Settings, environment: Environment):
    @dg.asset(key=["release", "deployed"], partitions_def=AUTHORS)
    def deployed() -> None: ...

    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions("author", ["maya"])
        result = dg.materialize(
            [deployed, answers_are_sound],
            instance=instance,
            partition_key="maya",
            resources={"settings": settings, "environment": environment},
        )
    [evaluated] = result.get_asset_check_evaluations()
    assert evaluated.passed
    assert "not measured" in (evaluated.description or "")
