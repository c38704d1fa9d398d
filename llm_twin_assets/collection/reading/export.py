"""One reader for a platform's export, be it the zip as downloaded or its unpacked folder."""

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Protocol

from llm_twin_assets.collection.connector import Quarantined
from llm_twin_assets.collection.reading.decoding import decode
from llm_twin_assets.collection.reading.zip_safety import suspicion
from resources.errors import TwinError

_DOWNLOAD_AGAIN = "Download the export again, or name its unpacked folder."


class ExportError(TwinError):
    """An export, folder or repository that cannot be used at all."""


class Export(Protocol):
    """Files by name, `/` between folders, whatever holds them."""

    path: Path

    def names(self) -> list[str]:
        """Every regular file, sorted."""

    def read(self, name: str) -> bytes:
        """One file's bytes; raises `ExportError` if they are damaged."""

    def dated(self, name: str) -> datetime | None:
        """When the file was last changed; None if nothing says so."""


def where(export: Export, name: str) -> str:
    """How a message names a file: `linkedin.zip/Shares.csv` or the path in the unpacked folder."""
    return f"{export.path}/{name}"


def read_text(export: Export, name: str) -> str | Quarantined:
    """One file as text, or why not; a damaged file among good ones is no reason to stop."""
    try:
        data = export.read(name)
    except ExportError as error:
        return Quarantined(error.where or where(export, name), f"{error.what}. {error.mend or ''}".rstrip())
    return decode(data, where(export, name))


@contextmanager
def open_export(path: Path) -> Iterator[Export]:
    """Open a zip or a folder; raises `ExportError` if it is missing, truncated, hostile or neither."""
    if path.is_dir():
        yield FolderExport(path)
        return
    if not path.exists():
        raise ExportError(
            "there is no such file or folder",
            where=str(path),
            mend="Mend the path in twin.yaml (a relative one starts at the folder of twin.yaml).",
        )
    with _open_zip(path) as archive:
        if reason := suspicion(archive):
            raise ExportError(
                f"{reason}: no platform exports that",
                where=str(path),
                mend="If you trust the file, unpack it yourself and name the folder.",
            )
        yield ZipExport(path, archive)


class FolderExport:
    """An unpacked export, or any folder. Links and hidden files (`.git`, `.obsidian`) are left out."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def names(self) -> list[str]:
        """Every regular file, sorted."""
        return sorted(self._walk(self.path))

    def read(self, name: str) -> bytes:
        """One file's bytes."""
        try:
            return (self.path / name).read_bytes()
        except OSError as error:
            raise ExportError(
                f"cannot be read: {error.strerror}", where=str(self.path / name), mend="Check its permissions."
            ) from error

    def dated(self, name: str) -> datetime | None:
        """The file's own time."""
        return datetime.fromtimestamp((self.path / name).stat().st_mtime, UTC)

    def _walk(self, folder: Path) -> Iterator[str]:
        try:
            entries = list(folder.iterdir())
        except OSError as error:
            raise ExportError(
                f"cannot be read: {error.strerror}", where=str(folder), mend="Check its permissions."
            ) from error
        for entry in entries:
            if entry.is_symlink() or entry.name.startswith("."):
                continue
            if entry.is_dir():
                yield from self._walk(entry)
            elif entry.is_file():
                yield entry.relative_to(self.path).as_posix()


class ZipExport:
    """A checked zip."""

    def __init__(self, path: Path, archive: zipfile.ZipFile) -> None:
        self.path = path
        self._archive = archive

    def names(self) -> list[str]:
        """Every regular file, sorted."""
        return sorted(entry.filename for entry in self._archive.infolist() if not _is_noise(entry))

    def read(self, name: str) -> bytes:
        """One file's bytes; their length and checksum are verified, and never more is read than is stated."""
        entry = self._archive.getinfo(name)
        try:
            with self._archive.open(entry) as file:
                data = file.read(entry.file_size + 1)
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError) as error:
            raise self._damaged(name, str(error)) from error
        if len(data) != entry.file_size:
            raise self._damaged(name, f"it states {entry.file_size} bytes and holds {len(data)} or more")
        return data

    def dated(self, name: str) -> datetime | None:
        """The entry's date; 1980-01-01, where the format begins, is none."""
        try:
            date = datetime(*self._archive.getinfo(name).date_time, tzinfo=UTC)
        except ValueError:
            return None
        return date if (date.year, date.month, date.day) > (1980, 1, 1) else None

    def _damaged(self, name: str, why: str) -> ExportError:
        return ExportError(f"is damaged inside the zip ({why})", where=f"{self.path}/{name}", mend=_DOWNLOAD_AGAIN)


def _open_zip(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except zipfile.BadZipFile:
        with path.open("rb") as file:
            begins_as_zip = file.read(4) == b"PK\x03\x04"
        if begins_as_zip:
            raise ExportError("is a truncated zip: its end is missing", where=str(path), mend=_DOWNLOAD_AGAIN) from None
        raise ExportError("is not a zip", where=str(path), mend=_DOWNLOAD_AGAIN) from None
    except OSError as error:
        raise ExportError(
            f"cannot be read: {error.strerror}", where=str(path), mend="Check its permissions."
        ) from error


def _is_noise(entry: zipfile.ZipInfo) -> bool:
    parts = PurePosixPath(entry.filename).parts
    return entry.is_dir() or "__MACOSX" in parts or any(part.startswith(".") for part in parts)
