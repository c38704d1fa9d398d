"""The folder in which an order is trained on this machine: a killed training is gone on from, a finished one tidied."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from llm_twin_assets.training.errors import TrainingFailedError
from llm_twin_assets.training.spec import TrainingOutput

_LOCK = ".lock"


@contextmanager
def workspace(root: Path, author: str, order: str) -> Iterator[Path]:
    """The order's own folder, which no other process enters meanwhile; raises `TrainingFailedError` if one is in it.

    It is removed in the end, unless a training was stopped that left checkpoints. What trainings of the author's other
    orders have left is removed first: nobody will go on from it.
    """
    folder = root / author / order[:16]
    for other in (root / author).glob("*"):
        if other != folder:
            _remove_abandoned(other)
    with _locked(folder) as is_ours:
        if not is_ours:
            raise TrainingFailedError(
                "the same order is being trained by another process", where=str(folder), mend="Wait until it is done."
            )
        try:
            yield folder
        except BaseException:
            _tidy(folder)
            raise
        shutil.rmtree(folder)


def output_of(folder: Path) -> TrainingOutput:
    """Where in a workspace the training puts its output."""
    return TrainingOutput(folder / "output")


def _tidy(folder: Path) -> None:
    output = output_of(folder)
    shutil.rmtree(output.partial, ignore_errors=True)
    if not output.folder.is_dir() and not any(output.checkpoints.glob("*/checkpoint-*")):
        shutil.rmtree(folder)


def _remove_abandoned(folder: Path) -> None:
    with _locked(folder) as is_ours:
        if is_ours:
            shutil.rmtree(folder)


@contextmanager
def _locked(folder: Path) -> Iterator[bool]:
    """Whether the folder, which is made if there is none, could be locked; the kernel frees it when its holder dies."""
    with _opened(folder) as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        # Somebody may have removed the folder between the opening and the locking.
        yield _is_still(folder / _LOCK, stream)


def _opened(folder: Path) -> IO[str]:
    folder.mkdir(parents=True, exist_ok=True)
    return (folder / _LOCK).open("a", encoding="utf-8")


def _is_still(file: Path, stream: IO[str]) -> bool:
    try:
        return os.path.samestat(file.stat(), os.fstat(stream.fileno()))
    except FileNotFoundError:
        return False
