from collections.abc import Callable
from pathlib import Path

import pytest

from llm_twin_assets.training.checkpoints import Checkpoints, mark_whole


@pytest.fixture
def checkpoints(tmp_path: Path) -> Checkpoints:
    made = Checkpoints(tmp_path / "checkpoints")
    made.prepare("an order")
    for step in (9, 10):
        folder = made.stage("samples") / f"checkpoint-{step}"
        folder.mkdir(parents=True)
        (folder / "weights").write_bytes(b"one by one")
        (folder / "state").write_text("{}")
        mark_whole(folder)
    return made


def silent(line: str) -> None:
    pass


def test_the_newest_is_that_of_the_most_steps(checkpoints: Checkpoints) -> None:
    newest = checkpoints.newest("samples", silent)

    assert newest is not None
    assert newest.name == "checkpoint-10"
    assert checkpoints.newest("dpo", silent) is None


def cut(folder: Path) -> None:
    (folder / "weights").write_bytes(b"one")


def remove(folder: Path) -> None:
    (folder / "state").unlink()


def leave_unmarked(folder: Path) -> None:
    (folder.parent / f"whole-{folder.name}").unlink()


@pytest.mark.parametrize("spoil", [cut, remove, leave_unmarked])
def test_a_damaged_or_unfinished_one_gives_way_to_the_one_before(
    spoil: Callable[[Path], None], checkpoints: Checkpoints
) -> None:
    spoil(checkpoints.stage("samples") / "checkpoint-10")
    said: list[str] = []

    newest = checkpoints.newest("samples", said.append)

    assert newest is not None
    assert newest.name == "checkpoint-9"
    assert "step 10 is damaged or was not finished" in said[0]
    assert not (checkpoints.stage("samples") / "checkpoint-10").exists()


def test_another_order_begins_anew(checkpoints: Checkpoints) -> None:
    checkpoints.prepare("an order")
    assert checkpoints.newest("samples", silent) is not None

    checkpoints.prepare("another order")

    assert checkpoints.newest("samples", silent) is None
