"""The threadcount repository as a git bundle whose commit ids are the same on every machine.

A bundle is a repository in one file: ``git clone threadcount.bundle`` works with no network. A commit's id follows from
the files, the message, the names and the dates alone, so these are fixed and the machine's configuration is not read.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml

from llm_twin_assets.sample.sources import AUTHOR_EMAIL, AUTHOR_NAME

# Packed by one thread, without deltas or compression: so the bundle's bytes do not depend on the zlib at hand either.
_SETTINGS = {
    "commit.gpgSign": "false",
    "core.autocrlf": "false",
    "core.compression": "0",
    "core.fileMode": "false",
    "core.hooksPath": os.devnull,
    "gc.auto": "0",
    "pack.threads": "1",
    "pack.window": "0",
}


@dataclass(frozen=True)
class Commit:
    """One step of a history: when, why, and the files that it adds."""

    date: str
    message: str
    files: tuple[str, ...]


def read_history(path: Path) -> list[Commit]:
    """Read the commits to make, oldest first."""
    items = yaml.safe_load(path.read_text(encoding="utf-8"))
    return [Commit(item["date"], item["message"], tuple(item["files"])) for item in items]


def write_bundle(source: Path, history: Sequence[Commit], target: Path) -> list[str]:
    """Commit the files of a folder step by step, write the bundle and return the commit ids, oldest first."""
    _check_history(source, history)
    with TemporaryDirectory() as folder:
        repository = Path(folder)
        _git(repository, "init", "--quiet", "--initial-branch=main", "--template=", "--object-format=sha1")
        for commit in history:
            for name in commit.files:
                (repository / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source / name, repository / name)
            _git(repository, "add", "--", *commit.files)
            _git(repository, "commit", "--quiet", "--message", commit.message, date=commit.date)
        _git(repository, "bundle", "create", "--quiet", str(target.resolve()), "HEAD", "main")
        return _git(repository, "rev-list", "--reverse", "main").split()


def _check_history(source: Path, history: Sequence[Commit]) -> None:
    """Stop unless history and folder hold the same files: a forgotten one would be missing without a word."""
    planned = sorted(name for commit in history for name in commit.files)
    files = (path for path in source.rglob("*") if path.is_file() and path.suffix != ".pyc")
    present = sorted(path.relative_to(source).as_posix() for path in files)
    if planned != present:
        raise ValueError(f"the history plans {planned}, the folder has {present}")


def _git(repository: Path, *arguments: str, date: str = "") -> str:
    """Run git with fixed names, dates and settings and without the machine's own configuration."""
    settings = [part for key, value in _SETTINGS.items() for part in ("-c", f"{key}={value}")]
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "LC_ALL": "C",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_AUTHOR_NAME": AUTHOR_NAME,
        "GIT_AUTHOR_EMAIL": AUTHOR_EMAIL,
        "GIT_AUTHOR_DATE": date,
        "GIT_COMMITTER_NAME": AUTHOR_NAME,
        "GIT_COMMITTER_EMAIL": AUTHOR_EMAIL,
        "GIT_COMMITTER_DATE": date,
    }
    command = ["git", *settings, *arguments]
    return subprocess.run(command, cwd=repository, env=environment, check=True, capture_output=True, text=True).stdout
