"""When a stored verdict holds, and when a candidate is judged anew."""

from dataclasses import replace
from datetime import datetime

import pytest

from llm_twin_assets.domain.model import ModelVersion
from llm_twin_assets.evaluation import records
from llm_twin_assets.evaluation.exam.contestants import Contestants
from llm_twin_assets.evaluation.run import config_digest, holds
from llm_twin_assets_tests.evaluation.compared import verdict
from resources.evaluation_settings import Evaluation
from resources.object_store import ObjectStore
from resources.settings import Author, Settings, Source

SETTINGS = Settings(authors={"maya": Author(name="Maya", sources=(Source(platform="files"),))})
STRICTER = SETTINGS.model_copy(update={"evaluation": Evaluation(min_improvement=0.1)})


def version(number: str, digest: str = "m" * 64, dataset: str = "d" * 64) -> ModelVersion:
    return ModelVersion("maya", "twin-maya", number, digest, f"models/maya/{number}", "tiny-llama", None, dataset)


AGAINST_CHAMPION = Contestants(version("2"), version("1"), is_champion=False)


@pytest.mark.parametrize(
    ("contestants", "settings", "expected"),
    [
        (AGAINST_CHAMPION, SETTINGS, True),
        (AGAINST_CHAMPION, STRICTER, False),
        (replace(AGAINST_CHAMPION, champion=version("3")), SETTINGS, False),
        (replace(AGAINST_CHAMPION, champion=None), SETTINGS, False),
        # What it was judged against gave way to it: that makes the verdict no less true.
        (Contestants(version("2"), None, is_champion=True), SETTINGS, True),
        (replace(AGAINST_CHAMPION, candidate=version("2", digest="other")), SETTINGS, False),
        (replace(AGAINST_CHAMPION, candidate=version("2", dataset="other")), SETTINGS, False),
    ],
)
def test_a_verdict_holds_while_models_data_and_rules_do(
    contestants: Contestants, settings: Settings, expected: bool, now: datetime
) -> None:
    found = verdict(now).model_copy(update={"config_digest": config_digest(SETTINGS)})
    assert holds(found, contestants, settings) is expected


def test_a_champion_is_compared_with_the_base_and_never_with_itself() -> None:
    assert Contestants(version("2"), None, is_champion=True).reference == "base tiny-llama"
    assert AGAINST_CHAMPION.reference == "champion 1"


def test_a_record_that_cannot_be_read_counts_as_none(objects: ObjectStore, now: datetime) -> None:
    assert records.find(objects, "maya", "2") is None
    objects.replace("evaluations/maya/2.json", b'{"author": "maya", "passed": "perhaps"}')
    assert records.find(objects, "maya", "2") is None
    objects.replace("evaluations/maya/2.json", verdict(now).model_dump_json().encode())
    assert records.find(objects, "maya", "2") == verdict(now)
