import os
import stat
import struct
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from llm_twin_assets.collection.connector import Quarantined
from llm_twin_assets.collection.reading import zip_safety
from llm_twin_assets.collection.reading.archive_stamp import made_at
from llm_twin_assets.collection.reading.export import ExportError, open_export, read_text


def opened(path: Path) -> list[str]:
    with open_export(path) as found:
        return found.names()


def test_zip_and_folder_read_alike(folder, archive) -> None:
    files = {"b/c.txt": "c", "a.txt": "\ufeffa", ".hidden": "x", "__MACOSX/a.txt": "x"}
    with open_export(archive(files)) as zipped, open_export(folder({"b/c.txt": "c", "a.txt": "\ufeffa"})) as unpacked:
        assert zipped.names() == unpacked.names() == ["a.txt", "b/c.txt"]
        assert read_text(zipped, "a.txt") == read_text(unpacked, "a.txt") == "a"


def test_a_truncated_zip_says_so(archive) -> None:
    path = archive({"a.txt": "text " * 1000})
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(ExportError, match=r"export\.zip: is a truncated zip.*Download the export again"):
        opened(path)


@pytest.mark.parametrize("content", [b"", b"hello", b"%PDF-1.4"])
def test_what_is_no_zip_says_so(tmp_path, content) -> None:
    (tmp_path / "x.zip").write_bytes(content)
    with pytest.raises(ExportError, match=r"x\.zip: is not a zip"):
        opened(tmp_path / "x.zip")


def test_a_missing_export_says_where_paths_start(tmp_path) -> None:
    with pytest.raises(ExportError, match=r"no such file or folder.*twin\.yaml"):
        opened(tmp_path / "none.zip")


@pytest.mark.parametrize("name", ["../a", "a/../../b", "/etc/x", "..\\a", "C:\\a"])
def test_names_that_point_out_of_the_archive_are_refused(archive, name) -> None:
    with pytest.raises(ExportError, match="points out of the archive"):
        opened(archive({name: "x"}))


def test_links_are_refused(tmp_path) -> None:
    entry = zipfile.ZipInfo("link")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as file:
        file.writestr(entry, "/etc/passwd")
    with pytest.raises(ExportError, match="which is a link"):
        opened(tmp_path / "x.zip")


def test_bombs_are_refused(archive, monkeypatch) -> None:
    with pytest.raises(ExportError, match="packed more than"):
        opened(archive({"zeros": b"\0" * 2**22}))
    monkeypatch.setattr(zip_safety, "MAX_ENTRIES", 1)
    with pytest.raises(ExportError, match="more than 1"):
        opened(archive({"a": "1", "b": "2"}))
    monkeypatch.setattr(zip_safety, "MAX_ENTRIES", 10)
    monkeypatch.setattr(zip_safety, "MAX_TOTAL", 1)
    with pytest.raises(ExportError, match="would unpack"):
        opened(archive({"a": "1", "b": "2"}))


def test_one_damaged_file_inside_a_zip_is_quarantined(tmp_path) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as file:
        file.writestr("good.txt", "good")
        file.writestr("bad.txt", "UNIQUE CONTENT")
    path.write_bytes(path.read_bytes().replace(b"UNIQUE", b"ANIQUE"))
    with open_export(path) as found:
        assert read_text(found, "good.txt") == "good"
        bad = read_text(found, "bad.txt")
    assert isinstance(bad, Quarantined)
    assert "damaged" in bad.reason


def test_utf_16_is_named(folder) -> None:
    with open_export(folder({"a.md": "# Å".encode("utf-16")})) as found:
        bad = read_text(found, "a.md")
    assert isinstance(bad, Quarantined)
    assert "iconv -f UTF-16" in bad.reason


def rewritten(path: Path, change) -> Path:
    path.write_bytes(change(bytearray(path.read_bytes())))
    return path


def central(data: bytearray, nth: int = 0) -> int:
    """Where the nth entry of the central directory begins."""
    place = -1
    for _ in range(nth + 1):
        place = data.index(b"PK\x01\x02", place + 1)
    return place


def test_two_entries_over_the_same_bytes_are_refused(archive) -> None:
    def overlap(data: bytearray) -> bytearray:
        # Both entries of the list point at the first file, whose name the second takes: David Fifield's simplest bomb.
        struct.pack_into("<I", data, central(data, 1) + 42, 0)
        return data

    with pytest.raises(ExportError, match="overlaps with another file: no platform exports that"):
        opened(rewritten(archive({"a.txt": "kernel", "b.txt": "x"}), overlap))


def test_an_entry_that_swallows_the_next_one_is_refused(archive) -> None:
    def swallow(data: bytearray) -> bytearray:
        place = central(data)
        struct.pack_into("<II", data, place + 20, 200, 200)
        return data

    with pytest.raises(ExportError, match=r"'b\.txt', which overlaps"):
        opened(rewritten(archive({"a.txt": "kernel" * 9, "b.txt": "x" * 90}), swallow))


def test_an_entry_that_runs_into_the_list_is_refused(archive) -> None:
    def swallow(data: bytearray) -> bytearray:
        struct.pack_into("<I", data, central(data) + 20, 500)
        return data

    with pytest.raises(ExportError, match="runs into the list of files"):
        opened(rewritten(archive({"a.txt": "x"}), swallow))


def test_an_entry_with_two_names_is_refused(archive) -> None:
    with pytest.raises(ExportError, match=r"'a\.txt', which calls itself 'b\.txt'"):
        opened(rewritten(archive({"a.txt": "x"}), lambda data: data.replace(b"a.txt", b"b.txt", 1)))


def test_an_entry_without_a_header_is_refused(archive) -> None:
    with pytest.raises(ExportError, match="which has no header"):
        opened(rewritten(archive({"a.txt": "x"}), lambda data: data.replace(b"PK\x03\x04", b"PK\x00\x00", 1)))


def test_a_name_that_comes_twice_is_refused(tmp_path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as file:
        file.writestr("a.txt", "1")
        with pytest.warns(UserWarning, match="Duplicate"):
            file.writestr("a.txt", "2")
    with pytest.raises(ExportError, match=r"holds 'a\.txt' twice"):
        opened(tmp_path / "x.zip")


def test_no_more_is_read_than_an_entry_states(archive) -> None:
    def shrink(data: bytearray) -> bytearray:
        struct.pack_into("<I", data, central(data) + 24, 10)
        return data

    path = rewritten(archive({"a.txt": "0123456789" * 1000}), shrink)
    with open_export(path) as found, pytest.raises(ExportError, match="damaged inside the zip"):
        found.read("a.txt")


def test_a_zip_behind_other_bytes_is_read(archive) -> None:
    path = rewritten(archive({"å.txt": "a", "b.txt": "b" * 99}), lambda data: bytearray(b"MZ stub") + data)
    assert opened(path) == ["b.txt", "å.txt"]


def test_a_zip_in_a_zip_is_one_more_file(archive) -> None:
    inner = archive({"a.txt": "a"}, "inner.zip").read_bytes()
    with open_export(archive({"inner.zip": inner})) as found:
        assert found.names() == ["inner.zip"]
        assert found.read("inner.zip") == inner


def as_of(path):
    with open_export(path) as export:
        return made_at(export, export.names())


def test_an_export_is_of_its_newest_entry(tmp_path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as file:
        file.writestr(zipfile.ZipInfo("old.txt", (2024, 1, 2, 3, 4, 6)), "x")
        file.writestr(zipfile.ZipInfo("new.txt", (2025, 6, 7, 8, 9, 10)), "x")
    assert as_of(tmp_path / "x.zip") == datetime(2025, 6, 7, 8, 9, 10, tzinfo=UTC)


def test_a_folder_is_of_its_newest_file(folder) -> None:
    root = folder({"a.txt": "a", "b/c.txt": "c"})
    os.utime(root / "a.txt", (1_700_000_000, 1_700_000_000))
    os.utime(root / "b/c.txt", (1_600_000_000, 1_600_000_000))
    assert as_of(root) == datetime.fromtimestamp(1_700_000_000, UTC)


def test_an_export_whose_entries_have_no_date_is_of_its_own(tmp_path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as file:
        file.writestr(zipfile.ZipInfo("a.txt"), "x")
    assert abs(as_of(tmp_path / "x.zip") - datetime.now(UTC)) < timedelta(minutes=5)
