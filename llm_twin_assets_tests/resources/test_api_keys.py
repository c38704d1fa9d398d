import json
import os
from pathlib import Path

import pytest

from resources.api_keys import Keyring, keyring, new_key, read_keys, write_keys
from resources.errors import ConfigurationError
from resources.settings import Environment


def test_a_key_is_found_by_what_was_shown_once_and_the_file_does_not_hold_it(tmp_path: Path):
    token, key = new_key("page", authors=("maya",), endpoints=("answer",))
    write_keys(tmp_path / "keys.json", [key])
    held = Keyring(tmp_path / "keys.json")
    assert held.needed
    assert held.find(token) == key
    assert held.find(token + "x") is None
    assert held.find("\udcff") is None
    assert token not in (tmp_path / "keys.json").read_text()
    assert (tmp_path / "keys.json").stat().st_mode & 0o077 == 0


def test_where_there_are_no_keys_none_is_needed_until_a_file_appears(tmp_path: Path):
    held = Keyring(tmp_path / "keys.json")
    assert not held.needed
    token, key = new_key("first")
    write_keys(tmp_path / "keys.json", [key])
    assert held.needed
    assert held.find(token) == key


def test_an_empty_file_lets_nobody_in(tmp_path: Path):
    write_keys(tmp_path / "keys.json", [])
    assert Keyring(tmp_path / "keys.json").needed


def test_a_key_taken_out_of_the_file_stops_at_once_and_so_do_all_when_it_vanishes(tmp_path: Path):
    path = tmp_path / "keys.json"
    (gone, first), (stays, second) = new_key("one"), new_key("two")
    write_keys(path, [first, second])
    held = Keyring(path)
    write_keys(path, [second])
    assert not held.holds(first)
    assert held.find(gone) is None
    assert held.find(stays) == second
    path.unlink()
    assert held.needed
    assert held.find(stays) is None


def test_a_file_that_breaks_keeps_the_keys_it_held_and_is_no_file_to_start_with(tmp_path: Path):
    path = tmp_path / "keys.json"
    token, key = new_key("one")
    write_keys(path, [key])
    held = Keyring(path)
    path.write_text('[{"name": ')
    assert held.find(token) == key
    with pytest.raises(ConfigurationError, match="is not JSON"):
        Keyring(path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xff", "cannot be read"),
        (b'{"name": "x"}', "should be a valid tuple"),
        (b'[{"name": "x", "sha256": "ab", "created_at": "2026-01-01T00:00:00Z"}]', "0.sha256"),
        (b'[{"name": "a b"}]', "0.name"),
    ],
)
def test_a_wrong_file_says_where_and_repeats_nothing(tmp_path: Path, content: bytes, said: str):
    (tmp_path / "keys.json").write_bytes(content)
    with pytest.raises(ConfigurationError, match=said):
        read_keys(tmp_path / "keys.json")


def test_two_keys_of_one_name_and_a_name_with_blanks_are_refused(tmp_path: Path):
    write_keys(tmp_path / "keys.json", [new_key("one")[1], new_key("one")[1]])
    with pytest.raises(ConfigurationError, match="one name"):
        read_keys(tmp_path / "keys.json")
    with pytest.raises(ConfigurationError, match="name"):
        new_key("a b")
    with pytest.raises(ConfigurationError, match="endpoints"):
        new_key("one", endpoints=("everything",))


def test_keys_come_from_the_environment_or_from_a_file_it_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    environment = Environment(home=str(tmp_path), config=tmp_path / "none.yaml", service_url="", phoenix_url="")
    token, key = new_key("one")
    monkeypatch.setenv("TWIN_KEYS", json.dumps([json.loads(key.model_dump_json())]))
    assert keyring(environment).find(token) == key
    monkeypatch.delenv("TWIN_KEYS")
    assert not keyring(environment).needed
    write_keys(tmp_path / "elsewhere.json", [key])
    monkeypatch.setenv("TWIN_KEYS_FILE", str(tmp_path / "elsewhere.json"))
    assert keyring(environment).find(token) == key
    assert "TWIN_KEYS" not in os.environ
