"""Where the disk is full nothing that was there is lost, and it goes on when there is room again."""

from dataclasses import replace
from datetime import datetime

import pytest

from llm_twin_assets.batch.answers import unanswered
from llm_twin_assets.batch.assets import answer_all
from llm_twin_assets.batch.questions import put_questions, questions_of
from llm_twin_assets.domain.scrub import Scrubber
from llm_twin_assets.inference.batch import BatchQuestion
from llm_twin_assets.release.approvals import approve
from llm_twin_assets.release.deployment import deploy
from llm_twin_assets.release.records import approvals, current_release, releases
from llm_twin_assets_tests.batch.asked import given
from llm_twin_assets_tests.faults.full_disk import full_disk
from llm_twin_assets_tests.release.test_approvals import evaluated
from llm_twin_assets_tests.release.test_deployment import MODEL, SERVED, approval
from resources.errors import StorageError
from resources.object_store import ObjectStore
from resources.warehouse import Warehouse


def test_a_record_is_as_it_was_and_no_half_of_the_new_one_lies_about(objects: ObjectStore):
    objects.replace("releases/maya/current.json", b"the old one")
    with full_disk(), pytest.raises(StorageError, match="cannot be written"):
        objects.swap("releases/maya/current.json", b"the old one", b"the new one")
    with full_disk(), pytest.raises(StorageError, match=r"000001\.json"):
        objects.put_new("releases/maya/000001.json", b"a record")
    assert list(objects.list("releases")) == ["releases/maya/current.json"]
    assert objects.get("releases/maya/current.json") == b"the old one"
    assert objects.swap("releases/maya/current.json", b"the old one", b"the new one")


def test_a_decision_or_a_deployment_that_finds_no_room_has_not_been(objects: ObjectStore, now: datetime):
    first, _ = deploy(objects, approval(objects, "1", now), MODEL, SERVED, now)
    evaluated(objects, "2", now)
    with full_disk(), pytest.raises(StorageError):
        approve(objects, "maya", "2", "Noor", "reads well", now)
    assert len(approvals(objects, "maya")) == 1
    yes, second = approval(objects, "2", now), replace(MODEL, version="2", digest="m2", path="models/maya/2")
    with full_disk(), pytest.raises(StorageError):
        deploy(objects, yes, second, SERVED, now)
    assert current_release(objects, "maya") == first
    released, _ = deploy(objects, yes, second, SERVED, now)
    assert releases(objects, "maya") == [first, released]


def test_answers_of_a_batch_that_were_recorded_stay(warehouse: Warehouse, objects: ObjectStore, now: datetime):
    release, _ = deploy(objects, approval(objects, "1", now), MODEL, SERVED, now)
    asked = [BatchQuestion(question_id=str(number), question="Why?") for number in range(3)]
    put_questions(warehouse, "maya", asked, Scrubber.of([]))
    answer_all(warehouse, release, asked[:1], iter([given(asked[0])]))
    with full_disk(), pytest.raises(StorageError, match="cannot be written"):
        answer_all(warehouse, release, asked[1:], iter([given(each) for each in asked[1:]]))
    assert unanswered(warehouse, "maya", questions_of(warehouse, "maya"), release) == asked[1:]
