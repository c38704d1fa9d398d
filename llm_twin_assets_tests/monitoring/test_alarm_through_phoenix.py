"""A worse model is released, Phoenix has the traces of its answers, and an alarm brings the former release back."""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from llm_twin_assets.domain.alarm import Action
from llm_twin_assets.inference.spans import project_of
from llm_twin_assets.monitoring.action_jobs import act_on_alarm
from llm_twin_assets.monitoring.actions import acted
from llm_twin_assets.monitoring.alarm_records import alarms
from llm_twin_assets.monitoring.answer_traces import EMBEDDING
from llm_twin_assets.monitoring.answers import AnswerSeen
from llm_twin_assets.monitoring.looks import step_minutes
from llm_twin_assets.monitoring.sensors import answer_alarms
from llm_twin_assets.monitoring.traces import ROOT, spans_of
from llm_twin_assets.release.records import approvals, current_release
from llm_twin_assets_tests.benchmarks.week_traffic import AUTHOR, MONDAY, Change, answers_of_a_week, gaussian_subjects
from llm_twin_assets_tests.bentos import servers
from llm_twin_assets_tests.e2e.dagster_graphql import until
from llm_twin_assets_tests.faults.killed_release import evaluated, release
from resources.lance_store import LanceVectorStore
from resources.monitoring_settings import Monitoring
from resources.object_store import ObjectStore
from resources.settings import Author, Environment, Settings, Source
from resources.trace_export import PhoenixExporter
from resources.trace_queue import Fate
from resources.trace_steps import Step, Trace
from resources.tracing_settings import Tracing
from resources.warehouse import Warehouse

pytestmark = pytest.mark.slow

# From the evening before to noon: some 200 answers, the worse model's from nine on.
WORSE = Change(33, 36, {"release": "maya-000002", "unsupported": 0.5})
START, NOW = MONDAY + timedelta(hours=20), MONDAY + timedelta(hours=36)
MONITORING = Monitoring.model_validate(
    {"reference_answers": 60, "rules": {"worse_model_degraded": {"automatic": True}}}
)
SETTINGS = Settings(
    authors={AUTHOR: Author(name="Maya", sources=(Source(platform="files"),))},
    monitoring=MONITORING,
)


@pytest.fixture
def phoenix(tmp_path: Path) -> Iterator[str]:
    folder = tmp_path / "phoenix"
    folder.mkdir()
    with servers.phoenix(folder) as url:
        yield url


def test_a_worse_model_is_taken_back_by_what_phoenix_knows_of_its_answers(
    phoenix: str, objects: ObjectStore, warehouse: Warehouse, tmp_path: Path
) -> None:
    for version in ("1", "2"):
        evaluated(objects, version)
        release(objects.root, version)
    week = answers_of_a_week(1, gaussian_subjects(1, dimension=16), [WORSE])
    answers = [each for each in week if START <= each.started_at <= NOW - timedelta(minutes=1)]
    send(phoenix, answers, newest_look() - NOW)
    wanted = {"parent_id": "null", "name": ROOT}
    until(lambda: len(spans_of(phoenix, AUTHOR, wanted, 2000)) == len(answers), "the traces", 120)

    resources = {
        "settings": SETTINGS,
        "environment": Environment(home="", config=Path("twin.yaml"), service_url="", phoenix_url=phoenix),
        "warehouse": warehouse,
        "objects": objects,
        "vector_store": LanceVectorStore(str(tmp_path / "home" / "embedded")),
    }
    cursor, requests = None, list[dg.RunRequest]()
    while warehouse.version("answers") is None or len(warehouse.read("answers", AUTHOR)) < len(answers):
        ticked = tick(resources, cursor)
        cursor, requests = ticked.cursor, [*(ticked.run_requests or [])]

    [alarm] = alarms(objects, AUTHOR)
    assert (alarm.rule, alarm.release) == ("worse_model_degraded", "maya-000002")
    assert [(each.run_key, each.job_name) for each in requests] == [(alarm.alarm_id, act_on_alarm.name)]
    done = act_on_alarm.execute_in_process(
        run_config=requests[0].run_config, resources={"objects": objects, "settings": SETTINGS}
    )
    assert done.success
    serving = current_release(objects, AUTHOR)
    assert serving is not None
    assert (serving.model_version, serving.decision) == ("1", "rolled_back")
    assert approvals(objects, AUTHOR)[-1].approver == f"alarm {alarm.alarm_id}"
    [alarm] = alarms(objects, AUTHOR)
    assert "maya-000003 serves" in (acted(alarm, Action.ROLL_BACK) or "")
    assert not tick(resources, cursor).run_requests, "what is on record is not asked for again"


def newest_look() -> datetime:
    """Until when the newest look at the rule reaches; what was asked later would wait for the next one, in hours."""
    step = 60 * step_minutes(MONITORING.rules["worse_model_degraded"])
    settled = datetime.now(UTC).timestamp() - 60
    return datetime.fromtimestamp(settled - settled % step, UTC)


def tick(resources: dict[str, object], cursor: str | None) -> dg.SensorResult:
    given = {name: dg.ResourceDefinition.hardcoded_resource(each) for name, each in resources.items()}
    found = answer_alarms(dg.build_sensor_context(cursor=cursor, resources=given))
    assert isinstance(found, dg.SensorResult)
    return found


def send(url: str, answers: Sequence[AnswerSeen], shift: timedelta) -> None:
    """The answers' traces by the service's own exporter, as if they had been asked that much later."""
    exporter = PhoenixExporter(url, Tracing())
    for first in range(0, len(answers), 50):
        content, _ = exporter.encoded([traced(each, shift) for each in answers[first : first + 50]])
        assert exporter.send(content) == (Fate.DELIVERED, "")
    exporter.close()


def traced(answer: AnswerSeen, shift: timedelta) -> Trace:
    trace = Trace(project_of(answer.author), str, lambda _: None)
    root = trace.root(ROOT)
    steps = (root, Step(trace, EMBEDDING, root.span_id))
    for step in steps:
        step.began = nanoseconds(answer.started_at + shift)
        step.ended = nanoseconds(answer.started_at + shift + timedelta(seconds=answer.seconds))
        step.has_ended_well = not answer.failed
        step.error = "EngineError: made to fail" if answer.failed else None
        trace.ended(step)
    said = {
        "author": answer.author,
        "release": answer.release,
        "snapshot": answer.snapshot,
        "form": answer.form,
        "outcome": answer.outcome,
        "cause": answer.cause,
        "degraded": answer.degraded,
        "cached": answer.cached,
        "citations": answer.citations,
        "relevance": answer.relevance,
        "support": answer.support,
        "personal_data": answer.personal_data,
        "prompt_tokens": answer.prompt_tokens,
        "completion_tokens": answer.completion_tokens,
        "canary": answer.canary,
        "question_digest": answer.question_digest,
    }
    known = {key: value for key, value in said.items() if value is not None}
    root.set({"openinference.span.kind": "CHAIN", "metadata": json.dumps(known)})
    vector = list(answer.vector or ())
    steps[1].set({"openinference.span.kind": "EMBEDDING", "embedding.embeddings.0.embedding.vector": vector})
    return trace


def nanoseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1e9)
