"""A batch answered through the service's own code, in this process and in one of its own."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bentos import releases
from bentos.batch import answers as answers_of_process
from llm_twin_assets.batch import assets
from llm_twin_assets.batch.answering import BatchError, answered
from llm_twin_assets.batch.answers import cited_documents
from llm_twin_assets.batch.questions import put_questions
from llm_twin_assets.domain.pause import Pause, pause, resume
from llm_twin_assets.domain.release import Release
from llm_twin_assets.domain.scrub import Scrubber
from llm_twin_assets.inference.batch import BatchFailure, BatchQuestion
from llm_twin_assets.inference.engine import Generated
from llm_twin_assets_tests.batch.asked import ALL, CODE_ALONE, SPLITTING, materialized, rows
from llm_twin_assets_tests.bentos.scripted import Scripted
from llm_twin_assets_tests.inference import tiny_twin
from resources.embedder import Embedder
from resources.object_store import ObjectStore
from resources.settings import Environment
from resources.warehouse import Warehouse


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, embedder: Embedder) -> Path:
    """A released twin that quotes: what is tested here has no need of a model."""
    home = tmp_path_factory.mktemp("home")
    tiny_twin.embed_documents(home, embedder)
    (home / "objects/models/tiny").mkdir(parents=True)
    (home / "objects/models/tiny/config.json").write_text("{}")
    (home / "twin.yaml").write_text(
        "authors: {maya: {name: Maya, sources: [{platform: files}]}}\nserving: {engine: extractive}\n"
    )
    tiny_twin.point_to(home, tiny_twin.release(embedder))
    return home


@pytest.fixture
def home(built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    made = tmp_path / "home"
    shutil.copytree(built, made)
    monkeypatch.setenv("TWIN_CONFIG", str(made / "twin.yaml"))
    return made


@pytest.fixture
def environment(home: Path) -> Environment:
    return Environment(home=str(home), config=home / "twin.yaml", service_url="", phoenix_url="")


@pytest.fixture
def release(home: Path) -> Release:
    return Release.model_validate_json((home / "objects/releases/maya/current.json").read_text())


@pytest.fixture
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The other process' work done in this one, which saves its start; how many were asked each time."""
    counts: list[int] = []

    def here(release: Release, questions: list[BatchQuestion], environment: Environment) -> Iterator[assets.Given]:
        counts.append(len(questions))
        return answers_of_process([each.model_dump_json() for each in (release, *questions)], environment)

    monkeypatch.setattr(assets, "answered", here)
    return counts


def test_each_question_is_answered_once_by_a_release(
    warehouse: Warehouse, environment: Environment, in_this_process: list[int], embedder: Embedder, home: Path
):
    put_questions(warehouse, "maya", ALL, Scrubber.of([]))
    told = materialized(warehouse, environment)
    assert (told["questions"], told["asked"], told["quoted"], told["nothing_found"]) == (3, 3, 2, 1)
    found = rows(warehouse)
    assert {row["release"] for row in found.values()} == {"maya-000001"}
    code = next(each.document_id for each in tiny_twin.DOCUMENTS if each.category.value == "code")
    assert cited_documents(str(found["2"]["citations"])) == {code}, "filters hold"
    assert materialized(warehouse, environment)["asked"] == 0
    tiny_twin.point_to(home, tiny_twin.release(embedder, sequence=2))
    assert materialized(warehouse, environment)["asked"] == 0, "the same parts under another name answer the same"
    (home / "objects/models/other").mkdir()
    (home / "objects/models/other/config.json").write_text('{"other": 1}')
    tiny_twin.point_to(home, tiny_twin.release(embedder, sequence=3, model_path="models/other"))
    assert materialized(warehouse, environment)["asked"] == 3
    assert {row["release"] for row in rows(warehouse).values()} == {"maya-000003"}
    assert in_this_process == [3, 3]


def test_a_pause_holds_from_the_next_question_on_and_what_was_quoted_is_asked_after_it(
    warehouse: Warehouse, environment: Environment, in_this_process: list[int], monkeypatch: pytest.MonkeyPatch
):
    objects = ObjectStore(environment.under("objects"))

    class PausedMeanwhile(Scripted):
        def generate(self, *asked: Any) -> Generated:
            pause(objects, Pause(author="maya", by="Noor", reason="it tires", since=datetime(2026, 1, 1, tzinfo=UTC)))
            return super().generate(*asked)

    model = PausedMeanwhile()
    monkeypatch.setattr(releases, "engine_of", lambda *_: model)
    one_at_a_time = environment.config.read_text().replace("engine: extractive", "batch: 1")
    environment.config.write_text(one_at_a_time)
    put_questions(warehouse, "maya", [SPLITTING, CODE_ALONE], Scrubber.of([]))
    assert materialized(warehouse, environment)["paused"] is False, "nobody had paused it when it began"
    assert [rows(warehouse)[each]["cause"] for each in ("1", "2")] == [None, "paused"]
    assert len(model.asked) == 1
    told = materialized(warehouse, environment)
    assert (told["asked"], told["paused"]) == (0, True)
    resume(objects, "maya")
    model.reset()
    materialized(warehouse, environment)
    assert len(model.asked) == 1
    assert in_this_process == [2, 1]


def test_where_nobody_can_say_whether_it_is_paused_nothing_is_answered(
    release: Release, environment: Environment, home: Path
):
    shutil.rmtree(home / "objects/pauses", ignore_errors=True)
    (home / "objects/pauses").write_text("")
    [failed] = answers_of_process([each.model_dump_json() for each in (release, SPLITTING)], environment)
    assert isinstance(failed, BatchFailure)
    assert "paused" in failed.failed


@pytest.mark.slow
def test_a_process_of_its_own_answers_and_says_why_it_cannot(release: Release, environment: Environment):
    by_process = list(answered(release, ALL, environment))
    assert [each.question_id for each in by_process] == ["1", "2", "3"]
    here = answers_of_process([each.model_dump_json() for each in (release, *ALL)], environment)
    assert by_process == list(here)
    other = release.model_copy(update={"engine": "abacus"})
    with pytest.raises(BatchError, match="its engine is not the one found here"):
        list(answered(other, ALL, environment))
