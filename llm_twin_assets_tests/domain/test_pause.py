from datetime import UTC, datetime

import pytest

from llm_twin_assets.domain.pause import Pause, pause, pause_path, paused_authors, read_pause, resume
from resources.errors import StorageError
from resources.object_store import ObjectStore

ALARM = Pause(author="maya", by="alarm a1", reason="errors", since=datetime(2026, 11, 21, tzinfo=UTC), alarm_id="a1")


def test_a_pause_is_read_as_it_was_written_until_it_is_lifted(objects: ObjectStore) -> None:
    assert read_pause(objects, "maya") is None
    assert pause(objects, ALARM) == ALARM
    assert read_pause(objects, "maya") == ALARM
    assert list(paused_authors(objects)) == ["maya"]
    assert resume(objects, "maya")
    assert not resume(objects, "maya")
    assert list(paused_authors(objects)) == []


def test_an_earlier_pause_stands(objects: ObjectStore) -> None:
    noors = ALARM.model_copy(update={"by": "Noor", "alarm_id": None})
    pause(objects, noors)
    assert pause(objects, ALARM) == noors
    assert read_pause(objects, "maya") == noors


def test_what_is_no_pause_says_how_to_be_rid_of_it(objects: ObjectStore) -> None:
    objects.replace(pause_path("maya"), b"{}")
    with pytest.raises(StorageError, match="twin resume maya"):
        read_pause(objects, "maya")
    assert list(paused_authors(objects)) == ["maya"]
