"""`datasets/instruct` with a teacher, as Dagster runs it."""

import dagster as dg
import pytest

from llm_twin_assets.datasets.assets import instruct
from llm_twin_assets.datasets.checks import DATASET_CHECKS
from llm_twin_assets.domain.document import Category
from llm_twin_assets.domain.tables import CLEANED_SCHEMA, to_table
from llm_twin_assets.partitions import AUTHORS
from llm_twin_assets_tests.datasets.classroom import Classroom, enclosed
from llm_twin_assets_tests.datasets.made import article
from llm_twin_assets_tests.resources.collector import attributes, collecting
from llm_twin_assets_tests.resources.fake_openai import fake_openai
from resources.settings import Author, Settings, Source


@pytest.fixture
def classroom():
    with fake_openai() as server:
        yield Classroom(server)


def test_a_teacher_adds_samples_that_pass_the_blocking_checks_and_is_asked_once(
    classroom, objects, warehouse, monkeypatch
):
    documents = [article(f"a{number}", sections=1, length=20) for number in range(8)]
    warehouse.merge("cleaned/articles", to_table(documents, CLEANED_SCHEMA), "maya")

    with collecting() as phoenix:
        monkeypatch.setenv("PHOENIX_URL", phoenix.url)
        first = run(classroom, objects, warehouse)
    found = metadata(first)
    assert all(check.passed for check in first.get_asset_check_evaluations())
    assert {"back_translation", "knowledge_question", "title_opening"} <= set(found["kinds"])
    assert found["teacher"]["model"] == "wise"
    assert found["teacher"]["drafts"]["back_translation"] >= 4
    assert found["teacher"]["usage"]["requests"] == len(classroom.asked)

    # Its questions are traced, apart from the twin's answers.
    [(project, spans)] = phoenix.spans.items()
    assert (project, len(spans)) == ("twin-maya-pipelines", len(classroom.asked))
    assert attributes(spans[0])["llm.model_name"] == "wise"

    again = metadata(run(classroom, objects, warehouse))
    assert again["dataset_version"] == found["dataset_version"]
    assert len(classroom.asked) == found["teacher"]["usage"]["requests"]
    shown = {enclosed(asked) for asked in classroom.asked_for("back_translation")}
    hidden = [each for each in documents if not any(passage in each.text for passage in shown)]
    assert hidden  # the sealed ones


def run(classroom, objects, warehouse):
    cleaned = [dg.AssetSpec(["cleaned", category.plural], partitions_def=AUTHORS) for category in Category]
    instance = dg.DagsterInstance.ephemeral()
    instance.add_dynamic_partitions(AUTHORS.name, ["maya"])
    author = Author(name="Maya", sources=(Source(platform="files"),))
    settings = Settings(authors={"maya": author}, teacher={"url": classroom.server.url, "model": "wise"})
    return dg.materialize(
        [instruct, *DATASET_CHECKS, *cleaned],
        partition_key="maya",
        instance=instance,
        resources={"objects": objects, "warehouse": warehouse, "settings": settings},
    )


def metadata(result):
    [event] = result.asset_materializations_for_node("datasets__instruct")
    return {name: value.value for name, value in event.metadata.items()}
