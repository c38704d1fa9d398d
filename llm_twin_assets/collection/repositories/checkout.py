"""A repository on this disk at one branch, and what it and the things in it are called elsewhere."""

import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import quote


@dataclass(frozen=True, slots=True)
class Checkout:
    """A repository at one branch; `read_to` is the commit that an earlier visit read it up to."""

    folder: Path
    shown_as: str
    name: str
    branch: str
    url: str | None = None
    listing: str = ""
    as_of: datetime | None = None
    blob: str = "blob"
    read_to: str | None = None

    def address(self, path: str) -> str | None:
        """Where a file is shown on the web."""
        return f"{self.url}/{self.blob}/{quote(self.branch)}/{quote(path)}" if self.url else None

    def stable_id(self, path: str) -> str:
        """Without the branch: renaming master to main leaves every document what it was."""
        return f"{self._stable}#{path}"

    def commit_address(self, commit: str) -> str | None:
        """Where a commit is shown: beside the files, at GitHub and at GitLab (`-/commit`)."""
        return f"{self.url}/{self.blob.removesuffix('blob')}commit/{commit}" if self.url else None

    def commit_stable_id(self, commit: str) -> str:
        """What names a commit; no file can be called so, for a file comes after a `#`."""
        return f"{self._stable}@{commit}"

    @property
    def _stable(self) -> str:
        return self.url or f"git:{self.name}"


def repository_name(url: str | None, folder: Path) -> str:
    """`owner/name` where the address says it, else the name of folder or bundle."""
    known = re.search(r"//[^/]+/(.+?/[^/]+?)(?:\.git)?$", url) if url else None
    return known.group(1) if known else folder.resolve().name.removesuffix(".bundle").removesuffix(".git")
