from pathlib import Path

import pytest
from obstore.exceptions import BaseError

from resources.object_store import ObjectStore
from resources.pseudonyms import Pseudonyms


def test_two_processes_give_the_same_name_and_another_installation_another(tmp_path: Path):
    one, other = (Pseudonyms(ObjectStore(str(tmp_path / "here"))) for _ in range(2))
    elsewhere = Pseudonyms(ObjectStore(str(tmp_path / "elsewhere")))
    assert one.of("desk", "anna") == other.of("desk", "anna") == one.of("desk", "anna")
    assert one.of("desk", "anna") != elsewhere.of("desk", "anna")


def test_names_are_told_apart_and_told_by_nothing(tmp_path: Path):
    pseudonyms = Pseudonyms(ObjectStore(str(tmp_path)))
    found = [
        pseudonyms.of(*names) for names in (("desk",), ("desk", ""), ("desk", "anna"), ("deskanna",), ("", "anna"))
    ]
    assert len(set(found)) == len(found)
    assert all(each and len(each) == 16 and int(each, 16) >= 0 for each in found)


def test_without_its_secret_nobody_has_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    objects = ObjectStore(str(tmp_path))
    pseudonyms = Pseudonyms(objects)

    def gone(_: str) -> bytes:
        raise BaseError("the bucket does not answer")

    with monkeypatch.context() as away:
        away.setattr(ObjectStore, "find", lambda self, path: gone(path))
        assert pseudonyms.of("desk") is None
    assert pseudonyms.of("desk")
