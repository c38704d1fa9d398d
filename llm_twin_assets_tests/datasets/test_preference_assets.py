"""`datasets/preference` as Dagster runs it, its rejected answers from a real server or a real small model."""

from types import SimpleNamespace

import dagster as dg
import pytest

from llm_twin_assets.datasets import preference_version
from llm_twin_assets.datasets.preference_assets import preference
from llm_twin_assets.datasets.preference_checks import PREFERENCE_CHECKS
from llm_twin_assets.datasets.preference_making import Maker
from llm_twin_assets.domain.feedback import FEEDBACK_TABLE, feedback_table
from llm_twin_assets.domain.sample import Split
from llm_twin_assets.domain.tables import CLEANED_SCHEMA, to_table
from llm_twin_assets.partitions import AUTHORS
from llm_twin_assets_tests.datasets.made import article, stored
from llm_twin_assets_tests.datasets.test_preference import said, sentences
from llm_twin_assets_tests.resources.fake_openai import completion, error, fake_openai
from resources.llm_errors import LlmError
from resources.llm_usage import BudgetExceededError
from resources.settings import Author, Dataset, Settings, Source

DATASET = Dataset()


class World:
    """One author with a dataset, and two ways to make her pairs: through Dagster, and without."""

    def __init__(self, objects, warehouse):
        self.objects, self.warehouse = objects, warehouse
        self.documents = [article(f"a{number}") for number in range(12)]
        warehouse.merge("cleaned/articles", to_table(self.documents, CLEANED_SCHEMA), "maya")
        self.dataset = stored(objects, self.documents, DATASET)
        self.registry = SimpleNamespace(alias_version=lambda author, alias: None)

    def settings(self, teacher=None, **chosen):
        author = Author(name="Maya", sources=(Source(platform="files"),))
        return Settings(authors={"maya": author}, preference=chosen, teacher=teacher, dataset=DATASET)

    def make(self, **chosen):
        settings = self.settings(**chosen)
        return Maker("maya", settings, self.dataset, self.objects, self.warehouse, self.registry).make()

    def run(self, **chosen):
        instruct = dg.AssetSpec(["datasets", "instruct"], partitions_def=AUTHORS)
        instance = dg.DagsterInstance.ephemeral()
        instance.add_dynamic_partitions(AUTHORS.name, ["maya"])
        resources = {"objects": self.objects, "warehouse": self.warehouse, "registry": self.registry}
        return dg.materialize(
            [preference, instruct, *PREFERENCE_CHECKS],
            partition_key="maya",
            instance=instance,
            resources={**resources, "settings": self.settings(**chosen)},
        )

    def correct(self, **stated):
        self.warehouse.upsert(FEEDBACK_TABLE, feedback_table([said(1, **stated)]), "maya", identity="feedback_id")


@pytest.fixture
def world(objects, warehouse):
    return World(objects, warehouse)


@pytest.fixture
def server():
    with fake_openai() as fake:
        fake.answer = lambda asked: completion(sentences(14, 14, 30, seed=asked.user))
        yield fake


def through(server, **options):
    return {"enabled": True, "rejected_by": "endpoint", "endpoint": {"url": server.url, "model": "base", **options}}


def metadata(result):
    [event] = result.asset_materializations_for_node("datasets__preference")
    return {name: value.value for name, value in event.metadata.items()}


def test_it_is_off_and_says_so_unless_configured(world):
    result = world.run()
    assert metadata(result)["pairs"] == 0
    assert metadata(result)["without_rejected"] == "preference.enabled is false in twin.yaml"
    assert all(check.passed for check in result.get_asset_check_evaluations())
    assert preference_version.current(world.objects, "maya") is None


def test_pairs_are_made_of_what_is_trained_on_and_of_nothing_else(world, server):
    result = world.run(**through(server))
    assert [check.passed for check in result.get_asset_check_evaluations()] == [True, True, True]
    pairs = preference_version.pairs_of(world.objects, preference_version.newest(world.objects, "maya"))
    assert {pair.split for pair in pairs} == {Split.TRAIN, Split.VALIDATION}
    assert not set(world.dataset.manifest["documents"]["test"]) & {pair.document_id for pair in pairs}
    texts = {document.document_id: document.text for document in world.documents}
    assert all(texts[pair.document_id][pair.start : pair.end] == pair.chosen for pair in pairs)
    assert metadata(result)["usage"]["requests"] == len(server.asked) == metadata(result)["pairs"]
    assert server.asked[0].system == "You are Maya. Answer in your own voice."


def test_the_second_run_asks_nothing_and_makes_the_same(world, server):
    first = world.make(**through(server))
    asked = len(server.asked)
    assert world.make(**through(server)).preferences == first.preferences
    assert len(server.asked) == asked


def test_what_makes_no_pair_is_asked_once_more_with_another_seed(world, server):
    def better_the_second_time(asked):
        return completion("Short." if asked.body["seed"] == 13 else sentences(14, 14, seed=asked.user))

    server.answer = better_the_second_time
    made = world.make(**through(server, temperature=0.8))
    assert {asked.body["seed"] for asked in server.asked} == {13, 14}
    assert len(server.asked) == 2 * len(made.preferences.pairs)


def test_at_temperature_0_it_is_not_asked_twice(world, server):
    server.answer = completion("Short.")
    made = world.make(**through(server))
    assert made.preferences.pairs == ()
    assert made.preferences.dropped == {"the lengths differ too much": len(server.asked)}


def test_the_budget_is_one_for_all_attempts(world, server):
    server.answer = completion("Short.")
    once = len(world.make(**through(server)).preferences.dropped)
    asked = len(server.asked)
    with pytest.raises(BudgetExceededError):
        world.make(**through(server, temperature=0.8, concurrency=1, budget={"tokens": 120 * asked + 900}))
    assert once
    assert asked < len(server.asked) - asked < 2 * asked


def test_questions_without_an_answer_are_counted(world, server):
    def moody(asked):
        return error(400, "not that") if len(server.asked) % 2 else completion(sentences(14, 14, seed=asked.user))

    server.answer = moody
    made = world.make(**through(server, concurrency=1)).preferences
    assert made.dropped == {"there is no rejected answer": len(server.asked) - len(made.pairs)}
    assert made.pairs


def test_a_service_that_is_gone_is_an_error_with_its_address(world, server):
    server.answer = error(500)
    with pytest.raises(LlmError, match=r"127\.0\.0\.1.*3 questions in a row had no answer"):
        world.make(**through(server, patience={"attempts": 1, "failures": 3}))


def test_the_teacher_can_be_the_one_who_is_rejected(world, server):
    made = world.make(enabled=True, rejected_by="teacher", teacher={"url": server.url, "model": "wise"})
    assert {pair.rejected_by for pair in made.preferences.pairs} == {"wise"}
    with pytest.raises(ValueError, match="needs teacher"):
        world.settings(rejected_by="teacher")
    with pytest.raises(ValueError, match="needs endpoint"):
        world.settings(rejected_by="endpoint")


def test_without_a_champion_there_are_peoples_corrections_alone(world):
    world.correct(corrected_text=sentences(20, seed="better"))
    made = world.make(enabled=True, rejected_by="champion")
    assert [pair.source for pair in made.preferences.pairs] == ["correction"]
    assert "no champion yet" in made.without_rejected


def test_feedback_that_repeats_a_validation_document_is_left_out(world):
    documents = {document.document_id: document.text for document in world.documents}
    world.correct(thumb="up", answer=documents[world.dataset.manifest["documents"]["validation"][0]][:200])
    made = world.make(enabled=True, rejected_by="champion").preferences
    assert made.thumbs == ()
    assert made.dropped == {"feedback on a document that is not to be trained on": 1}
