"""Whether something on this disk has changed, told from sizes and times alone: cheap enough for every half minute."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

# More files than any notes folder; beyond, a change of the first ones still shows.
MAX_FILES = 50_000
# What changes in a repository with every commit and fetch; its objects would be thousands of files.
_GIT = ("HEAD", "packed-refs", "refs", "logs/HEAD")


def fingerprint_of(path: Path) -> str:
    """Digest of names, sizes and times of a file, a folder or a repository; `missing` if there is nothing."""
    digest = hashlib.sha256()
    count = 0
    for count, (name, state) in enumerate(_entries(path), start=1):
        digest.update(f"{name}\0{state.st_size}\0{state.st_mtime_ns}\n".encode("utf-8", "surrogateescape"))
        if count >= MAX_FILES:
            break
    return digest.hexdigest()[:16] if count else "missing"


def _entries(path: Path) -> Iterator[tuple[str, os.stat_result]]:
    repository = _repository(path)
    if repository:
        for part in _GIT:
            yield from _walk(repository / part)
    else:
        yield from _walk(path)


def _repository(path: Path) -> Path | None:
    if (path / ".git").is_dir():
        return path / ".git"
    return path if (path / "HEAD").is_file() and (path / "objects").is_dir() else None


def _walk(path: Path) -> Iterator[tuple[str, os.stat_result]]:
    """Every regular file in a fixed order; what vanishes or may not be read on the way is left out."""
    try:
        if path.is_file():
            yield path.name, path.stat()
            return
        with os.scandir(path) as found:
            entries = sorted(found, key=lambda entry: entry.name)
    except OSError:
        return
    for entry in entries:
        if entry.name.startswith(".") or entry.is_symlink():
            continue
        for name, state in _walk(Path(entry.path)):
            yield f"{entry.name}/{name}" if entry.is_dir(follow_symlinks=False) else name, state
