import json
from pathlib import Path

import pytest

from llm_twin_assets_tests.commands.typed import Configure, Twin, said
from llm_twin_assets_tests.datasets.made import article, stored
from resources.object_store import ObjectStore
from resources.settings import Dataset


@pytest.fixture
def digest(configure: Configure, objects: ObjectStore) -> str:
    configure()
    return stored(objects, [article(f"a{number}") for number in range(12)], Dataset()).digest


def test_show_says_what_a_version_holds(twin: Twin, digest: str) -> None:
    shown = twin("dataset", "show", "--author", "maya")
    assert shown.exit_code == 0
    assert digest in shown.stdout
    for expected in ("title_opening", "Tiers of train", "train → validation and test, dropped 13 gram"):
        assert expected in shown.stdout


def test_show_prints_the_manifest_for_programs(twin: Twin, digest: str) -> None:
    assert json.loads(twin("dataset", "show", "-a", "maya", "--json").stdout)["digest"] == digest


def test_export_writes_train_and_validation_but_not_what_is_sealed(twin: Twin, digest: str, tmp_path: Path) -> None:
    exported = twin("dataset", "export", "-a", "maya", "--format", "alpaca", "--out", str(tmp_path / "out"))
    assert exported.exit_code == 0, exported.output
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["train.jsonl", "validation.jsonl"]
    assert f"{tmp_path / 'out' / 'train.jsonl'}: " in exported.stdout


def test_an_earlier_version_can_be_named(twin: Twin, digest: str, tmp_path: Path) -> None:
    arguments = ("dataset", "export", "-a", "maya", "--split", "test", "--out", str(tmp_path / "out"))
    assert twin(*arguments, "--version", digest).exit_code == 0
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["test.jsonl"]
    assert "there is no such object" in said(twin(*arguments, "--version", "0" * 64))


def test_nothing_is_pushed_anywhere_that_was_not_named(twin: Twin, digest: str) -> None:
    result = twin("dataset", "push", "-a", "maya")
    assert result.exit_code == 2
    assert "--to" in result.stderr


def test_a_push_without_a_network_is_refused_in_one_line(twin: Twin, digest: str) -> None:
    error = said(twin("dataset", "push", "-a", "maya", "--to", "maya/words", "--endpoint", "http://127.0.0.1:9"))
    assert "maya/words: cannot be pushed" in error


def test_an_author_without_a_dataset_is_told_what_to_do(twin: Twin, configure: Configure) -> None:
    configure()
    assert "has no dataset yet. Run `twin run --author maya`" in said(twin("dataset", "show", "-a", "maya"))
    assert "there is no author 'noor'" in said(twin("dataset", "show", "-a", "noor"))
