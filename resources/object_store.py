"""Small immutable records and the pointers to them: a folder, or a bucket with the same guarantees."""

from collections.abc import Iterator
from pathlib import Path

import obstore
from obstore.exceptions import AlreadyExistsError
from obstore.store import LocalStore, from_url

from resources.errors import StorageError


class ObjectStore:
    """Objects below one root URI. `put_new` never overwrites; `replace` switches atomically."""

    def __init__(self, root: str) -> None:
        self.root = root.rstrip("/")
        is_bucket = "://" in root
        self._store = from_url(root) if is_bucket else LocalStore(Path(root), mkdir=True)

    def put_new(self, path: str, content: bytes) -> bool:
        """Write an object that does not exist yet; False (and nothing written) if it does."""
        try:
            obstore.put(self._store, path, content, mode="create")
        except AlreadyExistsError:
            return False
        return True

    def replace(self, path: str, content: bytes) -> None:
        """Write an object in one step: a reader sees the old bytes or the new ones, never a mixture."""
        obstore.put(self._store, path, content, mode="overwrite")

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

    def put_folder(self, prefix: str, folder: Path) -> None:
        """Copy a local folder in, file by file; objects that are there already stay as they are."""
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            self.put_new(f"{prefix}/{file.relative_to(folder).as_posix()}", file.read_bytes())

    def local_folder(self, prefix: str, scratch: Path) -> Path:
        """A local folder that holds the objects below a prefix: in place, or copied to `scratch` from a bucket."""
        if isinstance(self._store, LocalStore):
            return Path(self.root, prefix)
        for path in self.list(prefix):
            target = scratch / Path(path).relative_to(prefix)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(self.get(path))
        return scratch
