from pathlib import Path

import pytest
from typer.testing import CliRunner

from llm_twin_assets.commands.keys import keys
from resources.api_keys import Keyring, read_keys


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TWIN_KEYS_FILE", str(tmp_path / "keys.json"))
    return tmp_path / "keys.json"


def test_a_key_is_printed_once_works_and_can_be_taken_back(path: Path):
    made = CliRunner().invoke(keys, ["new", "page", "--author", "maya", "--endpoint", "answer", "--requests", "9"])
    assert made.exit_code == 0
    token = made.stdout.strip()
    held = Keyring(path)
    found = held.find(token)
    assert found is not None
    assert (found.name, found.authors, found.endpoints) == ("page", ("maya",), ("answer",))
    assert found.requests_per_minute == 9
    listed = CliRunner().invoke(keys, ["list"]).stdout
    assert "page" in listed
    assert token not in listed
    assert CliRunner().invoke(keys, ["revoke", "page"]).exit_code == 0
    assert held.find(token) is None
    assert read_keys(path) == ()


def test_a_key_of_the_authors_own_says_so_and_may_ask_that_author(path: Path):
    assert CliRunner().invoke(keys, ["new", "laptop", "--held-by", "maya"]).exit_code == 0
    assert [each.held_by for each in read_keys(path)] == ["maya"]
    assert "maya" in CliRunner().invoke(keys, ["list"]).stdout
    other = CliRunner().invoke(keys, ["new", "other", "--held-by", "maya", "--author", "ben"])
    assert other.exit_code == 1
    assert "may not ask" in other.stderr


def test_two_keys_of_one_name_and_a_key_that_is_not_there_are_refused(path: Path):
    assert CliRunner().invoke(keys, ["new", "page"]).exit_code == 0
    for arguments in (["new", "page"], ["revoke", "nobody"], ["new", "a b"], ["new", "x", "--author", "../x"]):
        assert CliRunner().invoke(keys, arguments).exit_code == 1
    assert [each.name for each in read_keys(path)] == ["page"]


def test_a_bucket_needs_a_file_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TWIN_HOME", "s3://bucket/twin")
    said = CliRunner().invoke(keys, ["list"])
    assert said.exit_code == 1
    assert "TWIN_KEYS_FILE" in said.stderr
