import stat
import zipfile
from pathlib import Path

import pytest

from llm_twin_assets.collection import export
from llm_twin_assets.collection.connector import Quarantined
from llm_twin_assets.collection.export import ExportError, open_export, read_text


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
    monkeypatch.setattr(export, "MAX_ENTRIES", 1)
    with pytest.raises(ExportError, match="more than 1"):
        opened(archive({"a": "1", "b": "2"}))
    monkeypatch.setattr(export, "MAX_ENTRIES", 10)
    monkeypatch.setattr(export, "MAX_TOTAL", 1)
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
