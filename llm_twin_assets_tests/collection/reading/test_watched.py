import os
import zipfile
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from llm_twin_assets.collection.connector import (
    Collectable,
    Connector,
    Found,
    Listed,
    LocalPath,
    Notice,
    Quarantined,
    SourceOptions,
)
from llm_twin_assets.collection.reading.export import Export, ExportError
from llm_twin_assets.collection.reading.watched import Archives
from llm_twin_assets.collection.visit import Visit
from llm_twin_assets.domain.document import Category
from llm_twin_assets_tests.collection.contract import assert_connector, quarantined, remembered, visited


class Options(SourceOptions):
    export: LocalPath | None = None
    watch: LocalPath | None = None
    reader: int = 1


def read(export: Export) -> Iterator[Collectable]:
    names = [name for name in export.names() if name.endswith(".txt")]
    if not names:
        raise ExportError("holds no text", where=str(export.path))
    for name in names:
        text = export.read(name).decode()
        if text == "broken":
            yield Quarantined(name, "cannot be read")
        else:
            yield Found(name, Category.POST, None, text, "text/plain", None, None, "nothing", listing="posts")
    yield Listed("posts")


async def collect(options: Options, visit: Visit) -> AsyncIterator[Collectable]:
    archives = Archives(lambda name: name.endswith(".txt"), read, options.export, options.watch, options.reader)
    for event in archives.visited(visit):
        yield event


CONNECTOR = Connector("texts", frozenset({Category.POST}), Options, collect, "Texts.")


def put(path: Path, year: int, day: int = 1, **files: str) -> Path:
    path.parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(zipfile.ZipInfo(f"{name}.txt", (year, 5, day, 12, 0, 0)), text)
    return path


def texts(events: list[Collectable]) -> list[str]:
    return [event.content for event in events if isinstance(event, Found)]


def listed(events: list[Collectable]) -> list[Listed]:
    return [event for event in events if isinstance(event, Listed)]


def test_an_archive_keeps_the_contract_and_dates_its_documents(tmp_path) -> None:
    first = assert_connector(CONNECTOR, Options(export=put(tmp_path / "a.zip", 2024, a="one")))
    assert [event.as_of for event in first if isinstance(event, Found)] == [datetime(2024, 5, 1, 12, tzinfo=UTC)]
    assert listed(first) == [Listed("posts")]


def test_an_unchanged_archive_costs_nothing_and_is_no_sighting(tmp_path) -> None:
    options = Options(export=put(tmp_path / "a.zip", 2024, a="one"))
    memory = remembered(visited(CONNECTOR, options))
    assert visited(CONNECTOR, options, memory) == []


def test_a_touched_or_renamed_archive_is_no_new_edition(tmp_path) -> None:
    folder = tmp_path / "inbox"
    path = put(folder / "a.zip", 2024, a="one")
    memory = remembered(visited(CONNECTOR, Options(watch=folder)))
    os.utime(path, (1, 1))
    path.rename(folder / "b.zip")
    again = visited(CONNECTOR, Options(watch=folder), memory)
    assert not texts(again)
    assert not listed(again)


def test_each_new_zip_in_the_folder_is_picked_up_by_itself(tmp_path) -> None:
    folder = tmp_path / "inbox"
    put(folder / "2023.zip", 2023, a="one", b="two")
    memory = remembered(visited(CONNECTOR, Options(watch=folder)))
    put(folder / "2024.zip", 2024, a="one, edited")
    second = visited(CONNECTOR, Options(watch=folder), memory)
    assert texts(second) == ["one, edited"]
    assert listed(second) == [Listed("posts")]


def test_an_older_edition_says_nothing_of_what_exists_now(tmp_path) -> None:
    folder = tmp_path / "inbox"
    put(folder / "2024.zip", 2024, a="one")
    memory = remembered(visited(CONNECTOR, Options(watch=folder)))
    put(folder / "2023.zip", 2023, old="once")
    second = visited(CONNECTOR, Options(watch=folder), memory)
    assert [(e.content, e.listing, e.as_of.year) for e in second if isinstance(e, Found)] == [
        ("once", "posts 2023-05-01", 2023)
    ]
    assert not listed(second)


def test_a_newest_edition_that_was_taken_away_is_not_replaced_by_an_older_one(tmp_path) -> None:
    folder = tmp_path / "inbox"
    newest = put(folder / "2024.zip", 2024, a="one")
    memory = remembered(visited(CONNECTOR, Options(watch=folder)))
    newest.unlink()
    put(folder / "2023.zip", 2023, old="once")
    assert not listed(visited(CONNECTOR, Options(watch=folder), memory))


def test_the_parts_of_one_edition_are_read_together_when_one_comes_late(tmp_path) -> None:
    folder = tmp_path / "inbox"
    put(folder / "basic.zip", 2024, day=1, a="one")
    memory = remembered(visited(CONNECTOR, Options(watch=folder)))
    put(folder / "complete.zip", 2024, day=2, b="two")
    second = visited(CONNECTOR, Options(watch=folder), memory)
    assert texts(second) == ["one", "two"]
    assert listed(second) == [Listed("posts")]


def test_a_half_copied_zip_waits_until_it_is_whole_and_stops_no_other(tmp_path) -> None:
    folder = tmp_path / "inbox"
    put(folder / "a.zip", 2023, a="one")
    whole = put(folder / "b.zip", 2024, b="two").read_bytes()
    (folder / "b.zip").write_bytes(whole[: len(whole) // 2])
    (folder / "c.zip.crdownload").write_bytes(whole)
    first = visited(CONNECTOR, Options(watch=folder))
    assert texts(first) == ["one"]
    assert "truncated" in quarantined(first)[0].reason
    assert not listed(first)
    (folder / "b.zip").write_bytes(whole)
    second = visited(CONNECTOR, Options(watch=folder), remembered(first))
    assert texts(second) == ["two"]
    assert listed(second) == [Listed("posts")]


def test_what_could_not_be_read_hides_no_document(tmp_path) -> None:
    events = visited(CONNECTOR, Options(export=put(tmp_path / "a.zip", 2024, a="one", b="broken")))
    assert texts(events) == ["one"]
    assert quarantined(events)
    assert not listed(events)


def test_other_zips_in_the_folder_are_left_alone(tmp_path) -> None:
    folder = tmp_path / "inbox"
    folder.mkdir()
    with zipfile.ZipFile(folder / "holiday.zip", "w") as archive:
        archive.writestr("beach.jpg", b"x")
    events = visited(CONNECTOR, Options(watch=folder))
    assert [type(event) for event in events[:1]] == [Notice]
    assert not quarantined(events)


def test_one_archive_under_two_names_is_read_once(tmp_path) -> None:
    folder = tmp_path / "inbox"
    data = put(folder / "a.zip", 2024, a="one").read_bytes()
    (folder / "a (1).zip").write_bytes(data)
    assert texts(visited(CONNECTOR, Options(watch=folder))) == ["one"]


def test_an_unpacked_folder_in_the_folder_is_an_archive_too(tmp_path) -> None:
    (tmp_path / "inbox" / "export").mkdir(parents=True)
    (tmp_path / "inbox" / "export" / "a.txt").write_text("one")
    assert_connector(CONNECTOR, Options(watch=tmp_path / "inbox"))


def test_reading_in_another_way_reads_all_again_but_is_no_sighting(tmp_path) -> None:
    path = put(tmp_path / "a.zip", 2024, a="one")
    memory = remembered(visited(CONNECTOR, Options(export=path)))
    second = visited(CONNECTOR, Options(export=path, reader=2), memory)
    assert texts(second) == ["one"]
    assert not listed(second)


def test_an_unusable_export_is_an_error_and_so_is_a_missing_folder(tmp_path) -> None:
    (tmp_path / "a.zip").write_bytes(b"no zip")
    with pytest.raises(ExportError, match="is not a zip"):
        visited(CONNECTOR, Options(export=tmp_path / "a.zip"))
    with pytest.raises(ExportError, match="no such folder"):
        visited(CONNECTOR, Options(watch=tmp_path / "nowhere"))


def test_a_date_in_the_future_or_none_does_not_outlive_the_next_edition(tmp_path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(zipfile.ZipInfo("a.txt", (1980, 1, 1, 0, 0, 0)), "one")
    os.utime(path, (1_700_000_000, 1_700_000_000))
    (found,) = [event for event in visited(CONNECTOR, Options(export=path)) if isinstance(event, Found)]
    assert found.as_of == datetime.fromtimestamp(1_700_000_000, UTC)
    (found,) = [
        event
        for event in visited(CONNECTOR, Options(export=put(tmp_path / "b.zip", 2099, a="one")))
        if isinstance(event, Found)
    ]
    assert found.as_of == datetime(2026, 1, 1, tzinfo=UTC)
