"""What `.gitattributes` says of files: whose they are, by Linguist's attributes.

https://github.com/github-linguist/linguist/blob/main/docs/overrides.md
"""

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from llm_twin_assets.collection.repositories.git import run_git

_VENDORED, _GENERATED, _DOCUMENTATION = ("linguist-vendored", "linguist-generated", "linguist-documentation")


@dataclass(frozen=True, slots=True)
class Marks:
    """Each as stated: True, False (the author contradicts what the path suggests), None where nothing is said."""

    vendored: bool | None = None
    generated: bool | None = None
    documentation: bool | None = None

    @property
    def foreign(self) -> bool | None:
        """Whether nobody wrote it by hand here."""
        stated = {self.vendored, self.generated} - {None}
        return any(stated) if stated else None


def marks(folder: Path, revision: str, paths: Sequence[str]) -> dict[str, Marks]:
    """What the `.gitattributes` of a revision say, whatever is checked out; only paths of which they say something."""
    with tempfile.TemporaryDirectory(prefix="llm-twin-") as temporary:
        # Git 2.39 has no `check-attr --source`: an index of the revision, beside the repository's own, stands for it.
        index = {"GIT_INDEX_FILE": str(Path(temporary, "index"))}
        run_git(folder, "read-tree", revision, environment=index)
        output = run_git(
            folder,
            "check-attr",
            "--cached",
            "-z",
            "--stdin",
            _VENDORED,
            _GENERATED,
            _DOCUMENTATION,
            data=b"".join(path.encode("utf-8", "surrogateescape") + b"\0" for path in paths),
            environment=index,
        )
    stated: dict[str, dict[str, bool]] = {}
    for path, attribute, value in parse_attributes(output):
        if value is not None:
            stated.setdefault(path, {})[attribute] = value
    return {
        path: Marks(values.get(_VENDORED), values.get(_GENERATED), values.get(_DOCUMENTATION))
        for path, values in stated.items()
    }


def parse_attributes(output: bytes) -> Iterator[tuple[str, str, bool | None]]:
    """Path, attribute and value from `git check-attr -z`; Linguist takes everything but `false` for true."""
    fields = output.decode("utf-8", "surrogateescape").split("\0")
    for path, attribute, value in zip(fields[::3], fields[1::3], fields[2::3], strict=False):
        yield path, attribute, None if value == "unspecified" else value not in ("unset", "false")
