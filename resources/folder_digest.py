"""One digest for a whole folder: what was stored is what is there now, or it is not."""

import hashlib
from pathlib import Path


def folder_digest(folder: Path) -> str:
    """sha256 over names and contents of all files below a folder."""
    sha = hashlib.sha256()
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        with file.open("rb") as stream:
            content = hashlib.file_digest(stream, "sha256").hexdigest()
        sha.update(f"{file.relative_to(folder).as_posix()}\0{content}\n".encode())
    return sha.hexdigest()
