"""Small immutable records and the pointers to them: a folder, or a bucket with the same guarantees."""

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, PreconditionError
from obstore.store import LocalStore, from_url

from resources.errors import StorageError

if TYPE_CHECKING:
    from obstore import PutMode, UpdateVersion

# Bytes that are in memory at a time, times twelve parts under way. S3 takes 10,000 parts: up to 160 GB a file.
_PART = 16 * 1024 * 1024


class ObjectStore:
    """Objects below one root URI. `put_new` never overwrites; `replace` switches atomically."""

    def __init__(self, root: str) -> None:
        self.root = root.rstrip("/")
        is_bucket = "://" in root
        self._store = from_url(root) if is_bucket else LocalStore(Path(root), mkdir=True)

    def put_new(self, path: str, content: bytes) -> bool:
        """Write an object that does not exist yet; False (and nothing written) if it does."""
        try:
            self._put(path, content, "create")
        except AlreadyExistsError:
            return False
        return True

    def replace(self, path: str, content: bytes) -> None:
        """Write an object in one step: a reader sees the old bytes or the new ones, never a mixture."""
        self._put(path, content, "overwrite")

    def swap(self, path: str, expected: bytes | None, content: bytes) -> bool:
        """Write an object if it is what is expected (None: not there); False, and nothing written, if it is not.

        Of several writers that expect the same, exactly one succeeds.
        """
        if expected is None:
            return self.put_new(path, content)
        if isinstance(self._store, LocalStore):
            with _locked(Path(self.root, path).parent):
                if self.find(path) != expected:
                    return False
                self.replace(path, content)
                return True
        return self._swap_in_bucket(path, expected, content)

    def get(self, path: str) -> bytes:
        """Read an object; raises `StorageError` if there is none."""
        if (content := self.find(path)) is not None:
            return content
        raise StorageError("there is no such object", where=f"{self.root}/{path}")

    def find(self, path: str) -> bytes | None:
        """Read an object, or None if there is none."""
        try:
            return bytes(obstore.get(self._store, path).bytes())
        except FileNotFoundError:
            return None

    def list(self, prefix: str) -> Iterator[str]:
        """Paths below a prefix, in order."""
        yield from sorted(entry["path"] for batch in obstore.list(self._store, prefix) for entry in batch)

    def modified(self, prefix: str) -> dict[str, datetime]:
        """When each object below a prefix was written, by its path."""
        return {entry["path"]: entry["last_modified"] for batch in obstore.list(self._store, prefix) for entry in batch}

    def delete(self, paths: Sequence[str]) -> None:
        """Remove objects, in this order; what is not there is no error."""
        for path in paths:
            with suppress(FileNotFoundError):
                obstore.delete(self._store, path)

    def put_folder(self, prefix: str, folder: Path) -> None:
        """Copy a local folder in, file by file; objects that are there already stay as they are."""
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            self._put_new_file(f"{prefix}/{file.relative_to(folder).as_posix()}", file)

    def local_folder(self, prefix: str, scratch: Path) -> Path:
        """A local folder that holds the objects below a prefix: in place, or copied to `scratch` from a bucket."""
        if isinstance(self._store, LocalStore):
            return Path(self.root, prefix)
        for path in self.list(prefix):
            target = scratch / Path(path).relative_to(prefix)
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("wb") as stream:
                for part in obstore.get(self._store, path).stream():
                    stream.write(part)
        return scratch

    def _swap_in_bucket(self, path: str, expected: bytes, content: bytes) -> bool:
        """`If-Match` on the entity tag: what Amazon S3 has since November 2024, as have GCS, Azure, R2 and MinIO."""
        try:
            found = obstore.get(self._store, path)
            if bytes(found.bytes()) != expected:
                return False
            # A version is there only where the bucket keeps versions, and null is not taken for none.
            seen: UpdateVersion = {"e_tag": found.meta["e_tag"]}
            if version := found.meta["version"]:
                seen["version"] = version
            self._put(path, content, seen)
        except (FileNotFoundError, PreconditionError):
            return False
        return True

    def _put_new_file(self, path: str, file: Path) -> None:
        # A put on condition is one request with all of the content: what is large goes in parts, which know no
        # condition. Nobody else writes below a prefix that is named by a version or a digest.
        if file.stat().st_size <= _PART:
            self.put_new(path, file.read_bytes())
        elif not self._exists(path):
            obstore.put(self._store, path, file, chunk_size=_PART)

    def _put(self, path: str, content: bytes, mode: "PutMode") -> None:
        """Write; raises `StorageError` where that cannot be, as on a full disk, and then what was there stays."""
        try:
            obstore.put(self._store, path, content, mode=mode)
        except (AlreadyExistsError, PreconditionError, FileNotFoundError):
            raise
        except BaseError as error:
            raise StorageError(
                f"cannot be written: {str(error).splitlines()[0]}",
                where=f"{self.root}/{path}",
                mend="Is there room, and may this process write there?",
            ) from error

    def _exists(self, path: str) -> bool:
        try:
            obstore.head(self._store, path)
        except FileNotFoundError:
            return False
        return True


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Alone among the processes of this machine that ask for the same folder; freed by the kernel if they die."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except FileNotFoundError:
        yield  # nothing is there that could be swapped
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
