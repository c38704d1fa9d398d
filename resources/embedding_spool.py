"""Vectors on their way into a snapshot: what a killed run had encoded is not encoded again by the next."""

import os
import tempfile
import zipfile
from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


class VectorSpool:
    """A folder with one small file for every slice, each written in one step; emptied once the snapshot has them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, keys: Collection[str]) -> dict[str, NDArray[np.float32]]:
        """Vectors that an earlier run left, by embedding key; a file that cannot be read is as good as none."""
        wanted = set(keys)
        found: dict[str, NDArray[np.float32]] = {}
        for file in sorted(self._folder.glob("*.npz")):
            try:
                with np.load(file, allow_pickle=False) as kept:
                    pairs = zip(kept["keys"].tolist(), kept["vectors"], strict=True)
                    found.update({key: vector for key, vector in pairs if key in wanted})
            except (OSError, ValueError, KeyError, zipfile.BadZipFile):
                file.unlink(missing_ok=True)
        return found

    def add(self, keys: Sequence[str], vectors: NDArray[np.float32]) -> None:
        """Keep a slice."""
        self._folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=self._folder, suffix=".part")
        try:
            with os.fdopen(handle, "wb") as stream:
                np.savez(stream, keys=np.asarray(keys), vectors=vectors)
            Path(name).replace(Path(name).with_suffix(".npz"))
        finally:
            Path(name).unlink(missing_ok=True)

    def clear(self) -> None:
        """Forget everything, what a kill left half-written included."""
        for file in [*self._folder.glob("*.npz"), *self._folder.glob("*.part")]:
            file.unlink(missing_ok=True)
