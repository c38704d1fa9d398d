"""Digests of files on disk: whether one is what it was."""

import hashlib
from pathlib import Path

from llm_twin_assets.collection.reading.export import ExportError


def sha256_of(file: Path) -> str:
    """Of a file's bytes, whatever copying did to its name and times; raises `ExportError` if it cannot be read."""
    try:
        with file.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError as error:
        raise ExportError(
            f"cannot be read: {error.strerror}", where=str(file), mend="Check its permissions."
        ) from error
