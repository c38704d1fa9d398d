"""What a roll-back returns to where nobody names a version."""

from dataclasses import replace

import pytest

from llm_twin_assets.domain.model import ModelVersion
from llm_twin_assets.inference.prompts import prompt_digest
from llm_twin_assets.release.approvals import ApprovalError
from llm_twin_assets.release.deployment import Served, approved, deploy
from llm_twin_assets.release.returning import release_before
from llm_twin_assets_tests.faults.killed_release import NOW, evaluated, release, return_home
from resources.object_store import ObjectStore


def released(objects: ObjectStore, *versions: str) -> None:
    for version in versions:
        evaluated(objects, version)
        release(objects.root, version)


def with_new_snapshot(objects: ObjectStore, version: str) -> None:
    """The approved model again, on what was written since."""
    model = ModelVersion(
        "maya", "twin-maya", version, f"m{version}", f"models/maya/{version}", "tiny-llama", None, "d1"
    )
    served = Served("Maya", f"snapshot-{version}", "minilm", "e", prompt_digest())
    deploy(objects, approved(objects, "maya"), model, replace(served, snapshot="snapshot-new"), NOW)


def before(objects: ObjectStore) -> str:
    return release_before(objects, "maya").release_id


def test_it_is_the_model_before_whatever_snapshots_came_since(objects: ObjectStore) -> None:
    released(objects, "1")
    with_new_snapshot(objects, "1")
    released(objects, "2")
    with_new_snapshot(objects, "2")
    assert before(objects) == "maya-000002"


def test_going_back_twice_goes_further_back(objects: ObjectStore) -> None:
    released(objects, "1", "2", "3")
    return_home(objects.root, "2")
    assert before(objects) == "maya-000001"


def test_a_version_that_was_approved_anew_counts_from_then(objects: ObjectStore) -> None:
    released(objects, "1", "2")
    return_home(objects.root, "1")
    released(objects, "2")
    assert before(objects) == "maya-000003"


@pytest.mark.parametrize("versions", [(), ("1",)])
def test_there_has_to_be_something_to_return_to(objects: ObjectStore, versions: tuple[str, ...]) -> None:
    released(objects, *versions)
    with pytest.raises(ApprovalError, match="no other model of 'maya' served before what serves"):
        release_before(objects, "maya")
