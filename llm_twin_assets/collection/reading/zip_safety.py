"""What a zip may be before anything in it is unpacked: neither a bomb nor two archives in one."""

import stat
import struct
import zipfile
from collections.abc import Iterator
from pathlib import PurePosixPath

# Far above any real export, far below what would fill a disk or memory.
MAX_ENTRIES = 100_000
MAX_FILE = 256 * 2**20
MAX_TOTAL = 32 * 2**30
# Real text deflates 3 to 20 times; deflate ends near 1,030, where bombs are. Small files may well repeat themselves.
MAX_RATIO = 200
RATIO_FROM = 2**20

# APPNOTE.TXT, 4.3.7: thirty bytes, the last four of them the lengths of the name and of the extra field.
_LOCAL = struct.Struct("<4s22xHH")
_SIGNATURE = b"PK\x03\x04"
_UTF8, _ENCRYPTED = 0x800, 0x1


def suspicion(archive: zipfile.ZipFile) -> str | None:
    """Why an archive is not opened, None if it is in order; reads the local headers and no content."""
    entries = archive.infolist()
    if len(entries) > MAX_ENTRIES:
        return f"holds {len(entries)} files, more than {MAX_ENTRIES}"
    if sum(entry.file_size for entry in entries) > MAX_TOTAL:
        return f"would unpack to more than {MAX_TOTAL // 2**30} GiB"
    return next(_suspicions(archive, entries), None)


def _suspicions(archive: zipfile.ZipFile, entries: list[zipfile.ZipInfo]) -> Iterator[str]:
    seen: set[str] = set()
    for entry in entries:
        if reason := _entry(entry):
            yield f"holds '{entry.filename}', {reason}"
        if entry.filename in seen:
            yield f"holds '{entry.filename}' twice"
        seen.add(entry.filename)
    yield from _layout(archive, entries)


def _entry(entry: zipfile.ZipInfo) -> str | None:
    name = PurePosixPath(entry.filename.replace("\\", "/"))
    if name.is_absolute() or ".." in name.parts or (name.parts[:1] and name.parts[0].endswith(":")):
        return "which points out of the archive"
    if stat.S_ISLNK(entry.external_attr >> 16):
        return "which is a link"
    if entry.flag_bits & _ENCRYPTED:
        return "which is encrypted"
    if entry.file_size > MAX_FILE:
        return f"which is larger than {MAX_FILE // 2**20} MiB"
    if entry.file_size > RATIO_FROM and entry.file_size > MAX_RATIO * max(entry.compress_size, 1):
        return f"which is packed more than {MAX_RATIO} times"
    return None


def _layout(archive: zipfile.ZipFile, entries: list[zipfile.ZipInfo]) -> Iterator[str]:
    """Every entry has bytes of its own, and its two headers agree.

    Overlapping entries let a few kilobytes unpack to terabytes without a suspicious ratio (D. Fifield, "A better zip
    bomb", 2019); two names let one program see another archive than the next.
    """
    end = 0
    for entry in sorted(entries, key=lambda each: each.header_offset):
        if entry.header_offset < end:
            yield f"holds '{entry.filename}', which overlaps with another file"
        start, name = _local_header(archive, entry)
        if name is None:
            yield f"holds '{entry.filename}', which has no header"
        elif name != entry.orig_filename:
            yield f"holds '{entry.filename}', which calls itself '{name}'"
        end = start + entry.compress_size
    if end > archive.start_dir:
        yield "holds a file that runs into the list of files"


def _local_header(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> tuple[int, str | None]:
    """Where the entry's data begins, and its name as its own header has it."""
    file = archive.fp
    if file is None:
        return entry.header_offset, None
    file.seek(entry.header_offset)
    header = file.read(_LOCAL.size)
    if len(header) < _LOCAL.size or not header.startswith(_SIGNATURE):
        return entry.header_offset, None
    _, name_length, extra_length = _LOCAL.unpack(header)
    # Read with the flag of the list: a zip that marks one of the two names as UTF-8 is careless, not bad.
    name = file.read(name_length).decode("utf-8" if entry.flag_bits & _UTF8 else "cp437", "replace")
    return entry.header_offset + _LOCAL.size + name_length + extra_length, name
