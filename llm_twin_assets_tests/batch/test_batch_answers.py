"""Which questions are asked, what is recorded of the answers, and what becomes of it after a kill."""

import csv
import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import dagster as dg
import pytest
from typer.testing import CliRunner

from llm_twin_assets.batch import assets
from llm_twin_assets.batch.answers import unanswered
from llm_twin_assets.batch.assets import answer_all
from llm_twin_assets.batch.export import export
from llm_twin_assets.batch.questions import put_questions, questions_of
from llm_twin_assets.batch.sensors import unanswered_questions
from llm_twin_assets.commands.batch import batch
from llm_twin_assets.domain.pause import Pause, pause, resume
from llm_twin_assets.domain.release import Release
from llm_twin_assets.domain.scrub import Scrubber
from llm_twin_assets.inference.batch import BatchFailure, BatchQuestion
from llm_twin_assets.partitions import AUTHORS
from llm_twin_assets.release.deployment import deploy
from llm_twin_assets_tests.batch.asked import ALL, SPLITTING, given, materialized, rows
from llm_twin_assets_tests.release.test_deployment import MODEL, SERVED, approval
from resources.object_store import ObjectStore
from resources.settings import Environment
from resources.warehouse import Warehouse


@pytest.fixture
def environment(objects: ObjectStore) -> Environment:
    home = Path(objects.root).parent
    return Environment(home=str(home), config=home / "twin.yaml", service_url="", phoenix_url="")


@pytest.fixture
def release(objects: ObjectStore, now: datetime) -> Release:
    return deploy(objects, approval(objects, "1", now), MODEL, SERVED, now)[0]


@pytest.fixture
def asked(warehouse: Warehouse) -> list[BatchQuestion]:
    put_questions(warehouse, "maya", ALL, Scrubber.of([]))
    return questions_of(warehouse, "maya")


def test_after_a_kill_only_the_rest_is_asked(
    warehouse: Warehouse, release: Release, monkeypatch: pytest.MonkeyPatch, asked: list[BatchQuestion]
):
    monkeypatch.setattr(assets, "_COMMIT", 1)

    def killed() -> Iterator[assets.Given]:
        yield given(asked[0])
        yield given(asked[1])
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        answer_all(warehouse, release, asked, killed())
    assert set(rows(warehouse)) == {"1", "2"}
    assert unanswered(warehouse, "maya", asked, release) == [asked[2]]


def test_a_question_that_changed_and_one_that_failed_are_asked_again(
    warehouse: Warehouse, release: Release, asked: list[BatchQuestion]
):
    failing = [given(asked[0]), BatchFailure(question_id="2", failed="gone"), given(asked[2], "engine_deadline")]
    done = answer_all(warehouse, release, asked, iter(failing))
    assert (done.counts["failed"], done.failures) == (1, ["gone"])
    assert unanswered(warehouse, "maya", asked, release) == [asked[1]]
    assert unanswered(warehouse, "maya", asked, release, again=True) == asked[1:]
    changed = asked[0].model_copy(update={"question": "And how not?"})
    assert unanswered(warehouse, "maya", [changed], release) == [changed]


def test_without_questions_there_is_nothing_to_do_and_without_a_release_it_says_so(
    warehouse: Warehouse, environment: Environment
):
    assert materialized(warehouse, environment)["questions"] == 0
    put_questions(warehouse, "maya", ALL, Scrubber.of([]))
    with pytest.raises(assets.NothingReleasedError, match="nothing of 'maya' is released"):
        materialized(warehouse, environment)


def test_the_sensor_runs_it_where_questions_are_unanswered_and_not_again_without_a_change(
    warehouse: Warehouse, release: Release, objects: ObjectStore
):
    instance = dg.DagsterInstance.ephemeral()
    instance.add_dynamic_partitions(AUTHORS.name or "", ["maya", "ben"])

    def requested() -> list[str | None]:
        result = unanswered_questions(dg.build_sensor_context(instance=instance))
        return [] if isinstance(result, dg.SkipReason) else [each.run_key for each in result.run_requests or []]

    assert requested() == []
    put_questions(warehouse, "maya", ALL, Scrubber.of([]))
    [first], [again] = requested(), requested()
    assert first == again
    answer_all(warehouse, release, ALL[:2], iter([given(each) for each in ALL[:2]]))
    assert requested() != [first]
    answer_all(warehouse, release, ALL[2:], iter([given(ALL[2], "paused")]))
    pause(objects, Pause(author="maya", by="Noor", reason="it tires", since=release.released_at))
    assert requested() == []
    resume(objects, "maya")
    assert len(requested()) == 1, "what was quoted in a pause is asked when it is over"


def test_answers_go_out_as_json_lines_and_as_csv(warehouse: Warehouse, release: Release, tmp_path: Path):
    answer_all(warehouse, release, ALL, iter([given(each) for each in ALL]))
    assert export(warehouse, "maya", tmp_path / "out.jsonl") == 3
    lines = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [(line["question_id"], line["citations"]) for line in lines] == [("1", []), ("2", []), ("3", [])]
    assert export(warehouse, "maya", tmp_path / "out.csv") == 3
    with (tmp_path / "out.csv").open(newline="") as file:
        assert [row["answer"] for row in csv.DictReader(file)] == ["Split first."] * 3


def test_a_file_goes_in_and_a_file_comes_out_by_command(
    tmp_path: Path, warehouse: Warehouse, release: Release, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("TWIN_CONFIG", str(tmp_path / "twin.yaml"))
    (tmp_path / "twin.yaml").write_text("authors: {maya: {name: Maya, sources: [{platform: files}]}}\n")
    asked = tmp_path / "asked.csv"
    asked.write_text("question_id,question\n1,Why split?\n")
    for said in ("1 new, 0 changed, 0 known already.\n", "0 new, 0 changed, 1 known already.\n"):
        assert CliRunner().invoke(batch, ["add", str(asked), "--author", "maya"]).stdout == said
    answer_all(warehouse, release, questions_of(warehouse, "maya"), iter([given(SPLITTING)]))
    out = tmp_path / "answers.jsonl"
    assert CliRunner().invoke(batch, ["export", "--author", "maya", "--out", str(out)]).exit_code == 0
    assert json.loads(out.read_text())["question"] == "Why split?"
