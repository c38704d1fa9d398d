"""A release whose process is killed between any two of its writes: the old one or the new one serves, never neither."""

import shutil
import signal
from itertools import count
from pathlib import Path

import pytest

from llm_twin_assets.release.records import current_release, releases
from llm_twin_assets_tests.faults.killed_release import die_after, evaluated, redeploy, release, return_home
from llm_twin_assets_tests.faults.own_process import ended
from resources.object_store import ObjectStore


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Version 1 serves, version 2 may be approved."""
    root = tmp_path_factory.mktemp("served") / "objects"
    objects = ObjectStore(str(root))
    evaluated(objects, "1")
    evaluated(objects, "2")
    release(str(root), "1")
    return root


def serving(root: Path) -> tuple[str, str]:
    """Model version and snapshot that every reader is told to serve; both are of one release."""
    found = current_release(ObjectStore(str(root)), "maya")
    assert found is not None
    return found.model_version, found.snapshot


OLD, NEW = ("1", "snapshot-1"), ("2", "snapshot-2")


def test_an_upgrade_killed_after_any_write_leaves_the_old_or_the_new(home: Path, tmp_path: Path) -> None:
    seen = []
    for number in count(1):
        root = Path(shutil.copytree(home, tmp_path / str(number)))
        ended_with = ended(die_after, release, str(root), "2", number)
        if ended_with == 0:
            break
        assert ended_with == -signal.SIGKILL
        seen.append(serving(root))
        # Whether the yes is on record or not, saying and doing it again ends as if nothing had been.
        release(str(root), "2")
        assert serving(root) == NEW
        redeploy(str(root), "2")
        assert len(releases(ObjectStore(str(root)), "maya")) in (2, 3)
    assert seen == [OLD, OLD, OLD, OLD, NEW][-len(seen) :]
    assert len(seen) >= 4, "a decision, its copy, a release and the switch are four writes at least"
    assert serving(root) == NEW


def test_a_roll_back_killed_after_any_write_leaves_the_new_or_the_old(home: Path, tmp_path: Path) -> None:
    upgraded = Path(shutil.copytree(home, tmp_path / "upgraded"))
    release(str(upgraded), "2")
    for number in count(1):
        root = Path(shutil.copytree(upgraded, tmp_path / str(number)))
        if ended(die_after, return_home, str(root), "1", number) == 0:
            break
        assert serving(root) in (OLD, NEW)
        return_home(str(root), "1")
        assert serving(root) == OLD
    assert number > 4
    assert serving(root) == OLD


def test_a_first_release_killed_after_any_write_is_made_good(tmp_path: Path) -> None:
    for number in count(1):
        root = tmp_path / str(number)
        evaluated(ObjectStore(str(root)), "1")
        if ended(die_after, release, str(root), "1", number) == 0:
            break
        release(str(root), "1")
        assert serving(root) == OLD
    assert number > 4
