"""One reader for a platform's export, be it the zip as downloaded or its unpacked folder."""

import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Protocol

from llm_twin_assets.collection.connector import Quarantined
from llm_twin_assets.collection.decoding import decode
from resources.errors import TwinError

# Far above any real export, far below what would fill a disk or memory.
MAX_ENTRIES = 100_000
MAX_FILE = 256 * 2**20
MAX_TOTAL = 32 * 2**30
# Real text deflates 3 to 20 times; deflate ends near 1,030, where bombs are. Small files may well repeat themselves.
MAX_RATIO = 200
RATIO_FROM = 2**20

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
        _check(archive, path)
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
        """One file's bytes; their length and checksum are verified."""
        try:
            return self._archive.read(name)
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError) as error:
            raise ExportError(
                f"is damaged inside the zip ({error})", where=f"{self.path}/{name}", mend=_DOWNLOAD_AGAIN
            ) from error


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


def _check(archive: zipfile.ZipFile, path: Path) -> None:
    entries = archive.infolist()
    if len(entries) > MAX_ENTRIES:
        raise _refused(path, f"holds {len(entries)} files, more than {MAX_ENTRIES}")
    if sum(entry.file_size for entry in entries) > MAX_TOTAL:
        raise _refused(path, f"would unpack to more than {MAX_TOTAL // 2**30} GiB")
    for entry in entries:
        if reason := _suspicion(entry):
            raise _refused(path, f"holds '{entry.filename}', {reason}")


def _refused(path: Path, what: str) -> ExportError:
    return ExportError(
        f"{what}: no platform exports that",
        where=str(path),
        mend="If you trust the file, unpack it yourself and name the folder.",
    )


def _suspicion(entry: zipfile.ZipInfo) -> str | None:
    name = PurePosixPath(entry.filename.replace("\\", "/"))
    if name.is_absolute() or ".." in name.parts or (name.parts[:1] and name.parts[0].endswith(":")):
        return "which points out of the archive"
    if stat.S_ISLNK(entry.external_attr >> 16):
        return "which is a link"
    if entry.flag_bits & 0x1:
        return "which is encrypted"
    if entry.file_size > MAX_FILE:
        return f"which is larger than {MAX_FILE // 2**20} MiB"
    if entry.file_size > RATIO_FROM and entry.file_size > MAX_RATIO * max(entry.compress_size, 1):
        return f"which is packed more than {MAX_RATIO} times"
    return None


def _is_noise(entry: zipfile.ZipInfo) -> bool:
    parts = PurePosixPath(entry.filename).parts
    return entry.is_dir() or "__MACOSX" in parts or any(part.startswith(".") for part in parts)
