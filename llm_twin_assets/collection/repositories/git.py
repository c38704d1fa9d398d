"""What collection asks of git: the tree at HEAD with its bytes, and when each file first appeared. Reads only."""

import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from llm_twin_assets.collection.reading.dates import utc
from llm_twin_assets.collection.reading.export import ExportError

_TIMEOUT = 300
_BATCH = 1000
# Of a file that is no link and no submodule.
REGULAR = frozenset({"100644", "100755"})


@dataclass(frozen=True, slots=True)
class Blob:
    """A regular file of a tree."""

    path: str
    object_id: str
    size: int


def run_git(folder: Path, *arguments: str, data: bytes = b"", environment: Mapping[str, str] | None = None) -> bytes:
    """Output of one git command; raises `ExportError` with git's own last line."""
    command = ["git", "-c", "safe.directory=*", "-c", "core.fsmonitor=false", "-c", "core.quotePath=false", *arguments]
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=_environment() | dict(environment or {}),
            input=data,
            capture_output=True,
            timeout=_TIMEOUT,
            check=True,
        )
    except FileNotFoundError:
        raise git_is_missing(folder) from None
    except subprocess.TimeoutExpired:
        raise ExportError(f"git took more than {_TIMEOUT} s", where=str(folder), mend="Clone it anew.") from None
    except subprocess.CalledProcessError as error:
        raise ExportError(
            f"git {_subcommand(arguments)} failed: {last_line(error.stderr) or error.returncode}",
            where=str(folder),
            mend="Check that it is a whole git repository (git fsck) or clone it anew.",
        ) from error
    return done.stdout


def _subcommand(arguments: Sequence[str]) -> str:
    return arguments[2] if arguments[0] == "-c" else arguments[0]


def _environment() -> dict[str, str]:
    """Nothing of the caller's repository (a hook sets GIT_DIR), no prompt, no network, no check of who owns it."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return environment | {
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_OPTIONAL_LOCKS": "0",
        # Git before 2.44 does not know GIT_NO_LAZY_FETCH: no protocol, no fetch.
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_ALLOW_PROTOCOL": "",
        "GIT_LITERAL_PATHSPECS": "1",
        "LC_ALL": "C",
    }


def git_is_missing(folder: Path) -> ExportError:
    """The one error that has nothing to do with a repository."""
    return ExportError("git is not installed", where=str(folder), mend="Install git.")


def last_line(output: bytes) -> str:
    """What git said last; there it says what is wrong."""
    said = output.decode(errors="replace").strip().splitlines()
    return said[-1] if said else ""


_BUNDLE_AGAIN = "Write it again: git bundle create NAME.bundle --all"


def require_bundle(bundle: Path) -> None:
    """Raises `ExportError` if there is no file, or one that does not begin as a bundle."""
    if not bundle.is_file():
        raise ExportError("there is no such bundle", where=str(bundle), mend="Mend `bundle` in twin.yaml.")
    with bundle.open("rb") as file:
        if not file.read(16).startswith((b"# v2 git bundle", b"# v3 git bundle")):
            raise ExportError("is not a git bundle", where=str(bundle), mend=_BUNDLE_AGAIN)


def clone_bundle(bundle: Path, into: Path) -> None:
    """Unpack a bundle as a bare repository; raises `ExportError` if it is missing, truncated or no bundle."""
    require_bundle(bundle)
    try:
        run_git(
            bundle.parent,
            "clone",
            "--bare",
            "--quiet",
            str(bundle.resolve()),
            str(into),
            environment={"GIT_ALLOW_PROTOCOL": "file"},
        )
    except ExportError as error:
        raise ExportError(f"is a damaged git bundle ({error.what})", where=str(bundle), mend=_BUNDLE_AGAIN) from error


def require_repository(folder: Path) -> None:
    """Raises `ExportError` unless the folder itself is a repository (not merely inside one)."""
    if not folder.is_dir():
        raise ExportError("there is no such folder", where=str(folder), mend="Mend `clone` in twin.yaml.")
    if not ((folder / ".git").exists() or ((folder / "HEAD").is_file() and (folder / "objects").is_dir())):
        raise ExportError("is not a git repository", where=str(folder), mend="Name the folder that holds `.git`.")


def head_branch(folder: Path) -> str:
    """The branch to read: HEAD's own, else the usual ones, else the only one; a detached HEAD gives its commit."""
    branches = run_git(folder, "for-each-ref", "--format=%(refname:short)", "refs/heads").decode().split()
    commit = run_git(folder, "rev-parse", "--verify", "--quiet", "HEAD^{commit}") if _has_head(folder) else b""
    if commit:
        name = run_git(folder, "rev-parse", "--abbrev-ref", "HEAD").decode().strip()
        return commit.decode().strip() if name == "HEAD" else name
    # A bundle made with `git bundle create x main` carries no HEAD.
    usual = [name for name in ("main", "master") if name in branches]
    if usual or len(branches) == 1:
        return (usual or branches)[0]
    raise ExportError(
        "has no commit at HEAD",
        where=str(folder),
        mend="Commit something, or bundle it with --all.",
    )


def _has_head(folder: Path) -> bool:
    try:
        run_git(folder, "rev-parse", "--verify", "--quiet", "HEAD^{commit}")
    except ExportError:
        return False
    return True


def tree(folder: Path, revision: str) -> list[Blob]:
    """Every regular file at a revision: no links, no submodules, nothing that a partial clone left out."""
    output = run_git(folder, "ls-tree", "-r", "-z", "-l", "--full-tree", revision)
    blobs = []
    for entry in output.split(b"\0")[:-1]:
        head, _, path = entry.partition(b"\t")
        mode, _, object_id, size = head.decode().split()
        if mode in REGULAR and size != "BAD":
            blobs.append(Blob(path.decode("utf-8", "surrogateescape"), object_id, int(size)))
    return blobs


def contents(folder: Path, blobs: Sequence[Blob]) -> Iterator[tuple[Blob, bytes]]:
    """The bytes of blobs, a thousand in one git process, so that memory stays bounded."""
    for start in range(0, len(blobs), _BATCH):
        yield from _batch(folder, blobs[start : start + _BATCH])


def _batch(folder: Path, blobs: Sequence[Blob]) -> Iterator[tuple[Blob, bytes]]:
    wanted = "".join(f"{blob.object_id}\n" for blob in blobs).encode()
    output = run_git(folder, "cat-file", "--batch", data=wanted)
    offset = 0
    for blob in blobs:
        start = output.index(b"\n", offset) + 1
        if output[offset : start - 1].endswith(b" missing"):
            raise ExportError(f"lacks the content of {blob.path}", where=str(folder), mend="Clone it anew, in full.")
        yield blob, output[start : start + blob.size]
        offset = start + blob.size + 1


def first_commits(folder: Path, revision: str = "HEAD") -> dict[str, datetime]:
    """When each file was first committed, by its path from the repository's root; one pass over history."""
    # Without --no-renames a renamed file would have no addition; a shallow copy would date all files alike.
    if run_git(folder, "rev-parse", "--is-shallow-repository").strip() == b"true":
        return {}
    output = run_git(
        folder,
        "log",
        "--no-show-signature",
        "--no-renames",
        "--diff-filter=A",
        "--name-only",
        "-z",
        "--format=%x01%aI",
        revision,
        "--",
    )
    dates: dict[str, datetime] = {}
    for commit in output.decode("utf-8", "surrogateescape").split("\x01")[1:]:
        stated, *paths = commit.split("\0")
        moment = utc(stated.strip())
        for path in paths:
            # Newest first: the oldest addition is the last to be written.
            if moment and path.strip("\n"):
                dates[path.strip("\n")] = moment
    return dates
