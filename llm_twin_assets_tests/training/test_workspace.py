from pathlib import Path

import pytest

from llm_twin_assets.training.errors import TrainingFailedError
from llm_twin_assets.training.workspace import output_of, workspace


class Stopped(BaseException):
    """A cancelled run."""


def stop_in(root: Path, order: str, *, with_checkpoint: bool) -> None:
    with workspace(root, "ada", order) as folder:
        output_of(folder).partial.mkdir()
        if with_checkpoint:
            (output_of(folder).checkpoints / "samples" / "checkpoint-1").mkdir(parents=True)
        raise Stopped


def test_a_finished_training_leaves_nothing(tmp_path: Path) -> None:
    with workspace(tmp_path, "ada", "first") as folder:
        output_of(folder).folder.mkdir()

    assert list((tmp_path / "ada").iterdir()) == []


def test_a_stopped_training_leaves_its_checkpoints_and_nothing_else(tmp_path: Path) -> None:
    with pytest.raises(Stopped):
        stop_in(tmp_path, "first", with_checkpoint=True)

    with workspace(tmp_path, "ada", "first") as folder:
        assert (output_of(folder).checkpoints / "samples" / "checkpoint-1").is_dir()
        assert not output_of(folder).partial.exists()


def test_a_training_that_was_stopped_before_its_first_checkpoint_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(Stopped):
        stop_in(tmp_path, "first", with_checkpoint=False)

    assert list((tmp_path / "ada").iterdir()) == []


def test_what_was_left_by_another_order_of_the_author_is_removed(tmp_path: Path) -> None:
    with pytest.raises(Stopped):
        stop_in(tmp_path, "first", with_checkpoint=True)

    with workspace(tmp_path, "ada", "second"):
        assert [path.name for path in (tmp_path / "ada").iterdir()] == ["second"]


def test_two_trainings_of_one_order_do_not_meet_and_of_two_orders_do_not_mind(tmp_path: Path) -> None:
    with workspace(tmp_path, "ada", "first"):
        with (
            pytest.raises(TrainingFailedError, match="being trained by another process"),
            workspace(tmp_path, "ada", "first"),
        ):
            pass
        with workspace(tmp_path, "ada", "second"):
            assert (tmp_path / "ada" / "first").is_dir()
