"""An index whose writer is killed, runs out of disk, or has another beside it: the old or the new, never torn."""

import shutil
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from llm_twin_assets_tests.faults import killed_index
from llm_twin_assets_tests.faults.killed_index import AUTHOR, CHUNKS, DOCUMENTS, corpus, run
from llm_twin_assets_tests.faults.own_process import ended, ended_at_once, killed_after
from resources import lance_upkeep, lance_vectors
from resources.lance_store import LanceVectorStore
from resources.vector_store import Filters

BEFORE, AFTER = 0, 1


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lance_vectors, "FLAT_BELOW", 100)
    monkeypatch.setattr(lance_upkeep, "_FILES", 1)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index as an earlier run left it."""
    root = tmp_path_factory.mktemp("published") / "embedded"
    assert ended(run, str(root), BEFORE) == 0
    return root


@pytest.fixture
def homes(tmp_path: Path, published: Path) -> Iterator[Path]:
    """Copies of it without end."""
    return (Path(shutil.copytree(published, tmp_path / f"home-{number}")) for number in count())


def turns(root: Path) -> set[int]:
    """Which states of the corpus the head and its snapshots are in, after a look whether each is one, and whole."""
    store = LanceVectorStore(str(root))
    hashes = {each.removeprefix("hash-") for each in store.contents(AUTHOR)["document_hash"].to_pylist()}
    assert len(hashes) <= 1
    found = {int(each) for each in hashes}
    if found:
        assert_whole(store, None, *found)
    for snapshot in store.snapshots(AUTHOR):
        turn = int(snapshot.removeprefix("snapshot-"))
        assert_whole(store, snapshot, turn)
        found.add(turn)
    return found


def assert_whole(store: LanceVectorStore, snapshot: str | None, turn: int) -> None:
    index, expected = store.open(AUTHOR, snapshot), corpus(turn)
    assert sorted(index.rows(["chunk_id"])["chunk_id"].to_pylist()) == sorted(expected["chunk_id"].to_pylist())
    nearest = index.dense(expected["vector"][5].as_py(), 1, Filters())
    assert [(hit.row["chunk_id"], round(hit.score, 3)) for hit in nearest] == [("0-5", 1.0)]
    if snapshot is not None:
        assert len(index.text(f"turn{turn}", 1000, Filters())) == DOCUMENTS * (CHUNKS + turn)


def assert_made_good(root: Path) -> None:
    """The next run ends as if nothing had been, and the one after it finds nothing to do."""
    run(str(root), AFTER)
    store = LanceVectorStore(str(root))
    assert turns(root) == {AFTER}
    assert store.snapshots(AUTHOR) == (f"snapshot-{AFTER}",)
    assert store.open(AUTHOR).configuration()["kind"] == "ivf_flat"
    version = store.version(AUTHOR)
    run(str(root), AFTER)
    assert store.version(AUTHOR) == version


def test_a_first_run_killed_after_any_of_its_writes_is_made_good(tmp_path: Path) -> None:
    for number in count(1):
        root = tmp_path / f"home-{number}"
        if ended(killed_index.run_and_die_after, str(root), AFTER, number) == 0:
            break
        assert turns(root) <= {AFTER}
        assert_made_good(root)
    assert number > 8


def test_a_later_run_killed_after_any_of_its_writes_leaves_the_old_or_the_new(homes: Iterator[Path]) -> None:
    for number in count(1):
        root = next(homes)
        if ended(killed_index.run_and_die_after, str(root), AFTER, number) == 0:
            break
        assert turns(root) <= {BEFORE, AFTER}
        assert_made_good(root)
    assert number > 4


@pytest.mark.parametrize("size", [300, 1_000, 8_000])
def test_a_run_killed_in_the_middle_of_a_file_leaves_the_old_or_the_new(homes: Iterator[Path], size: int) -> None:
    root = next(homes)
    assert ended(killed_index.run_and_die_within, str(root), AFTER, size) < 0
    assert turns(root) <= {BEFORE, AFTER}
    assert_made_good(root)


@pytest.mark.parametrize("seconds", [0.05, 0.12, 0.2])
def test_a_run_killed_at_any_moment_leaves_the_old_or_the_new(homes: Iterator[Path], seconds: float) -> None:
    root = next(homes)
    killed_after(seconds, run, str(root), AFTER)
    assert turns(root) <= {BEFORE, AFTER}
    assert_made_good(root)


@pytest.mark.parametrize("size", [300, 3_000, 20_000])
def test_a_full_disk_is_a_clear_error_and_leaves_the_old_snapshot(
    homes: Iterator[Path], tmp_path: Path, size: int
) -> None:
    root, said = next(homes), tmp_path / "said"
    said.touch()
    assert ended(killed_index.run_on_full_disk, str(root), AFTER, size, str(said)) == 0
    assert "the disk is full" in said.read_text()
    assert BEFORE in turns(root) <= {BEFORE, AFTER}
    assert_made_good(root)


def test_two_runs_at_once_on_a_new_author_insert_nothing_twice(tmp_path: Path) -> None:
    root = tmp_path / "embedded"
    work = (run, (str(root), AFTER))
    assert ended_at_once(work, work) == [0, 0]
    assert turns(root) == {AFTER}
    assert_made_good(root)


def test_of_two_runs_with_different_corpora_one_wins_whole(homes: Iterator[Path]) -> None:
    root = next(homes)
    assert ended_at_once((run, (str(root), 1)), (run, (str(root), 2))) == [0, 0]
    assert turns(root) <= {1, 2}
    assert_made_good(root)


def test_runs_of_several_categories_at_once_lose_nothing(tmp_path: Path) -> None:
    root, categories = str(tmp_path / "embedded"), ("article", "post", "code")
    works = [(killed_index.run_category, (root, category)) for category in categories]
    assert ended_at_once(*works) == [0, 0, 0]
    expected = {f"{category}-2-{number}" for category in categories for number in range(20)}
    assert sorted(LanceVectorStore(root).contents(AUTHOR)["chunk_id"].to_pylist()) == sorted(expected)
