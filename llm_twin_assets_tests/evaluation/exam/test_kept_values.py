from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from llm_twin_assets.evaluation.exam.kept import kept


class Model:
    """Gives the length of a key, and dies after so many."""

    def __init__(self, dies_after: int = 99) -> None:
        self.asked: list[str] = []
        self._left = dies_after

    def __call__(self, keys: Sequence[str]) -> Iterator[float]:
        for key in keys:
            if not self._left:
                raise KeyboardInterrupt
            self._left -= 1
            self.asked.append(key)
            yield len(key)


def test_what_is_known_is_not_asked_again(tmp_path: Path) -> None:
    file, keys = tmp_path / "model" / "bits.jsonl", ["a", "bb", "ccc"]
    first, second = Model(), Model()
    assert [each.value for each in kept(file, keys, first)] == [1, 2, 3]
    assert kept(file, keys, second) == kept(file, keys, first)
    assert (first.asked, second.asked) == (keys, [])


def test_a_run_that_was_killed_goes_on_behind_the_last_value(tmp_path: Path) -> None:
    file, keys = tmp_path / "bits.jsonl", ["a", "bb", "ccc"]
    with pytest.raises(KeyboardInterrupt):
        kept(file, keys, Model(dies_after=2))
    with file.open("a") as lines:
        lines.write('["ccc", 3')  # half a line
    model = Model()
    assert [each.document_id for each in kept(file, keys, model)] == keys
    assert model.asked == ["ccc"]
    assert kept(file, keys, Model(dies_after=0))[2].value == 3


def test_nothing_is_asked_where_there_is_no_question(tmp_path: Path) -> None:
    assert kept(tmp_path / "none.jsonl", [], Model(dies_after=0)) == []
