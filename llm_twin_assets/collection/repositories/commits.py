"""The person's commits as documents: the message, indented, and below it the diff, as `git show` prints the two.

A commit says why; the files only say what. Of a commit the files count that would be documents themselves. Left out are
merges, a root commit (it is the files over again; in a shallow copy the oldest ones look like it), commits that touch
many files or change much: no message says what to write there, and no small model's context holds it.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from textwrap import indent

from llm_twin_assets.collection.connector import Collectable, Found, Seen
from llm_twin_assets.collection.reading.dates import utc
from llm_twin_assets.collection.reading.export import ExportError
from llm_twin_assets.collection.repositories.authorship import History
from llm_twin_assets.collection.repositories.checkout import Checkout
from llm_twin_assets.collection.repositories.code_files import (
    is_foreign,
    is_generated,
    is_licence,
    is_readme,
    language_of,
)
from llm_twin_assets.collection.repositories.git import REGULAR, run_git
from llm_twin_assets.collection.repositories.git_attributes import marks
from llm_twin_assets.domain.document import DIFF, Category

MEDIA_TYPE = f"text/x-{DIFF}"
_MOST_FILES, _MOST_CHARACTERS = 10, 16 * 2**10
_INDENTED = " " * 4
# Every line of a hunk begins with a sign: no file can hold a line that looks like this one.
_FILE = re.compile(r"^(?=diff --git )", re.MULTILINE)
# Names of blobs: nobody wrote them, and `git apply` does without.
_INDEX = re.compile(r"^index [0-9a-f]+\.\.[0-9a-f]+(?: \d+)?\n", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit, its message, and the regular files that it changed, as long as their number is bearable."""

    commit: str
    moment: datetime | None
    message: str
    paths: tuple[str, ...]


def own_commits(checkout: Checkout, history: History, most: int) -> Iterator[Collectable]:
    """The person's newest commits that no earlier visit read; all others of theirs still stand, however old.

    So a commit that was collected stays when newer ones come, and goes when history is rewritten without it.
    """
    own = [each for each in _ids(checkout, checkout.branch) if each in history.own] if most else []
    fresh = set(own[:most])
    if checkout.read_to:
        fresh &= set(_ids(checkout, checkout.branch, f"^{checkout.read_to}"))
    if fresh:
        found = list(commits(_log(checkout, [each for each in own if each in fresh])))
        wanted = _wanted(checkout, found)
        for commit in found:
            yield from _document(checkout, commit, [path for path in commit.paths if path in wanted])
    yield from (Seen(checkout.commit_stable_id(each), checkout.listing) for each in own if each not in fresh)


def commits(output: bytes) -> Iterator[Commit]:
    """Parse `git log -z --raw --no-abbrev` in the format of `_log`."""
    tokens = iter(output.decode("utf-8", "surrogateescape").split("\0"))
    header: list[str] = []
    paths: list[str] = []
    for token in tokens:
        if token.startswith("\x01"):
            if header:
                yield _commit(header, paths)
            header, paths = [token[1:], next(tokens, ""), next(tokens, "")], []
        elif ":" in token:
            # `:MODE MODE BLOB BLOB STATUS`, then the path: so one with any bytes in it is not taken for anything else.
            modes, path = token.lstrip("\n:").split(" ")[:2], next(tokens, "")
            paths += [path] if set(modes) & REGULAR else []
    if header:
        yield _commit(header, paths)


def _commit(header: Sequence[str], paths: Sequence[str]) -> Commit:
    commit, moment, message = header
    return Commit(commit, utc(moment), message.replace("\r\n", "\n").strip(), tuple(paths))


def _ids(checkout: Checkout, *revisions: str) -> list[str]:
    """Commits with exactly one parent, newest first; what history was rewritten without excludes nothing."""
    chosen = ("--min-parents=1", "--max-parents=1", "--ignore-missing")
    return run_git(checkout.folder, "rev-list", *chosen, *revisions, "--").decode().split()


def _log(checkout: Checkout, ids: Sequence[str]) -> bytes:
    # Names alone: of a large file that a partial clone left out nothing is read.
    options = ("--no-walk=unsorted", "--stdin", "-z", "--raw", "--no-renames", "--no-abbrev", "--no-show-signature")
    form = ("--encoding=UTF-8", "--format=%x01%H%x00%aI%x00%B")
    return run_git(checkout.folder, "log", *options, *form, data="".join(f"{each}\n" for each in ids).encode())


def _wanted(checkout: Checkout, found: Sequence[Commit]) -> set[str]:
    """The paths that are code or READMEs written by hand: what the repository states goes before a folder's name."""
    paths = {path for commit in found for path in commit.paths}
    text = sorted(path for path in paths if not is_licence(path) and (is_readme(path) or language_of(path)))
    said = marks(checkout.folder, checkout.branch, text) if text else {}
    foreign = {path: said[path].foreign if path in said else None for path in text}
    return {path for path in text if not (is_foreign(path) if foreign[path] is None else foreign[path])}


def _document(checkout: Checkout, commit: Commit, paths: Sequence[str]) -> Iterator[Collectable]:
    """None where nothing is left that somebody wrote, or too much."""
    if not commit.message or not 0 < len(paths) <= _MOST_FILES:
        return
    diff = _diff(checkout, commit, paths)
    content = f"{indent(commit.message, _INDENTED)}\n\n{diff}"
    if diff and len(content) <= _MOST_CHARACTERS:
        yield Found(
            stable_id=checkout.commit_stable_id(commit.commit),
            category=Category.CODE,
            title=commit.message.partition("\n")[0].strip(),
            content=content,
            media_type=MEDIA_TYPE,
            url=checkout.commit_address(commit.commit),
            published_at=commit.moment,
            dated_by="git" if commit.moment else "nothing",
            code_language=DIFF,
            repository=checkout.name,
            listing=checkout.listing,
            as_of=checkout.as_of,
        )


def _diff(checkout: Checkout, commit: Commit, paths: Sequence[str]) -> str:
    """What changed in some files; empty where it is not Unicode, or a partial clone lacks it."""
    # A file so large is taken for binary; a rename is one line. `diff-tree` does not heed how a person likes diffs.
    options = ("-c", "core.bigFileThreshold=1m", "diff-tree", "-p", "-M", "--no-commit-id", "--no-ext-diff")
    try:
        output = run_git(checkout.folder, *options, "--no-textconv", commit.commit, "--", *paths)
    except ExportError:
        return ""
    try:
        parts = _FILE.split(output.decode("utf-8"))
    except UnicodeDecodeError:
        return ""
    return "".join(_INDEX.sub("", part) for part in parts if _is_change(part))


def _is_change(part: str) -> bool:
    """Whether somebody wrote it: no binary file, no rename alone, nothing that a generator marks or nobody types."""
    added = "\n".join(line[1:] for line in part.split("\n") if line.startswith("+"))
    return "\n@@ " in part and not is_generated(added)
