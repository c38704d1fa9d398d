"""What an archive on disk is known by: a cheap stamp, a digest of what matters in it, the date that it was made."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from llm_twin_assets.collection.reading.export import Export, ExportError
from llm_twin_assets.domain.identity import digest


def stamp(path: Path) -> str:
    """Size and time of a zip, of every file in a folder; raises `ExportError` if they cannot be had."""
    try:
        files = sorted(each for each in path.rglob("*") if each.is_file()) if path.is_dir() else [path]
        # `ascii`, because a file name need not be Unicode.
        return digest([[ascii(str(each)), each.stat().st_size, each.stat().st_mtime_ns] for each in files])
    except FileNotFoundError:
        return ""  # `open_export` says it better
    except OSError as error:
        raise ExportError(
            f"cannot be read: {error.strerror}", where=str(path), mend="Check its permissions."
        ) from error


def contents_digest(export: Export, names: Sequence[str]) -> str:
    """sha256 over the wanted files, so that a copy, a `touch` or a new picture is no new edition."""
    total = hashlib.sha256()
    for name in names:
        try:
            data = export.read(name)
        except ExportError:
            data = b"damaged"  # the reader quarantines it
        total.update(f"{name}\n{hashlib.sha256(data).hexdigest()}\n".encode("utf-8", "surrogatepass"))
    return total.hexdigest()


def made_at(export: Export, names: Sequence[str]) -> datetime:
    """When an archive was made: its newest wanted file; its own time where these have none.

    A zip has the local time of who made it and no zone: half a day of error does not mix up two editions.
    """
    dates = [date for name in names if (date := export.dated(name))]
    return max(dates, default=datetime.fromtimestamp(export.path.stat().st_mtime, UTC))
