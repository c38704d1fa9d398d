"""Who wrote a file: one pass over a repository's history, and `git blame` for the files that it leaves open."""

import os
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from llm_twin_assets.collection.reading.dates import utc
from llm_twin_assets.collection.reading.export import ExportError
from llm_twin_assets.collection.repositories.git import run_git
from llm_twin_assets.collection.visit import Person

# GitHub: `login@` and, since 2017, `ID+login@users.noreply.github.com`; GitLab: `ID-login@users.noreply.gitlab.com`.
_NO_REPLY = re.compile(r"(?:\d+\+)?(?P<login>[^@+]+)@users\.noreply\.(?P<host>[^@]+)")
_NUMBERED = re.compile(r"^\d+-")
_LINE = re.compile(rb"([0-9a-f]{40,64}) \d+ \d+(?: \d+)?")
_FIELDS = 6
_BLAMES_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class Identity:
    """By what a person's commits are known: addresses, names, logins; compared without regard to case."""

    emails: frozenset[str]
    names: frozenset[str]
    logins: frozenset[str]

    @classmethod
    def of(cls, person: Person, handle: str | None = None) -> "Identity":
        """From what `twin.yaml` says of a person, and their login at the host."""
        logins = frozenset({handle.casefold()} if handle else set())
        names = frozenset({_folded(person.name)}) | logins
        return cls(frozenset(email.strip().casefold() for email in person.emails), names, logins)

    def wrote(self, name: str, email: str) -> bool:
        """Whether a commit signed like this is the person's."""
        address = email.strip().casefold()
        if address in self.emails or _folded(name) in self.names:
            return True
        login = _login(address)
        return login is not None and login in self.logins


@dataclass(frozen=True, slots=True)
class Change:
    """A commit: who signed it, as written and as the mailmap corrects it, and the files it changed."""

    commit: str
    moment: datetime | None
    signatures: tuple[tuple[str, str], ...]
    files: tuple[tuple[str, str], ...]


@dataclass
class Trail:
    """Who ever touched a path, and whether it may have come from elsewhere."""

    own: bool = False
    others: bool = False
    moved: bool = False


@dataclass(frozen=True)
class History:
    """What one pass over history tells: the person's commits, everybody else's, when each file first appeared."""

    own: frozenset[str]
    others: Mapping[str, int]
    first: Mapping[str, datetime]
    trails: Mapping[str, Trail] = field(default_factory=dict)

    def share(self, path: str) -> float | None:
        """The person's share of a file's lines, where history alone says it."""
        if not self.others:
            return 1.0
        trail = self.trails.get(path)
        # Blame follows a renamed file to lines that were written under another name.
        if trail is None or trail.moved or trail.own == trail.others:
            return None
        return 1.0 if trail.own else 0.0


def read_history(folder: Path, revision: str, identity: Identity) -> History:
    """One `git log`; a shallow copy dates nothing, for all its files would have one date."""
    output = run_git(
        folder,
        "-c",
        f"mailmap.blob={revision}:.mailmap",
        "log",
        "--no-show-signature",
        "--no-renames",
        "-c",
        "--name-status",
        "-z",
        "--format=%x01%H%x00%aI%x00%an%x00%ae%x00%aN%x00%aE",
        revision,
        "--",
    )
    history = _gathered(changes(output), identity)
    shallow = run_git(folder, "rev-parse", "--is-shallow-repository").strip() == b"true"
    return History(history.own, history.others, {}, history.trails) if shallow else history


def changes(output: bytes) -> Iterator[Change]:
    """Parse `git log -z --name-status` in the format of `read_history`, newest commit first."""
    tokens = iter(output.decode("utf-8", "surrogateescape").split("\0"))
    header: list[str] = []
    files: list[tuple[str, str]] = []
    for token in tokens:
        token = token.lstrip("\n")
        if token.startswith("\x01"):
            if header:
                yield _change(header, files)
            header = [token[1:], *(next(tokens, "") for _ in range(_FIELDS - 1))]
            files = []
        elif token:
            # A path follows each status, so that a name with any bytes in it cannot be taken for a header.
            files.append((token, next(tokens, "")))
    if header:
        yield _change(header, files)


def blamed(output: bytes) -> Counter[str]:
    """Lines by commit, from `git blame --porcelain`."""
    lines: Counter[str] = Counter()
    commit = ""
    for line in output.split(b"\n"):
        if line.startswith(b"\t"):
            lines[commit] += 1
        elif header := _LINE.fullmatch(line):
            commit = header.group(1).decode()
    return lines


def shares(folder: Path, revision: str, paths: Iterable[str], history: History) -> dict[str, float]:
    """The person's share of each file's lines, white space apart; a file that cannot be blamed is missing."""
    known = {path: history.share(path) for path in paths}
    unknown = [path for path, share in known.items() if share is None]
    with ThreadPoolExecutor(min(_BLAMES_AT_ONCE, os.cpu_count() or 1)) as pool:
        found = pool.map(lambda path: _blamed_share(folder, revision, path, history.own), unknown)
        known.update(zip(unknown, found, strict=True))
    return {path: share for path, share in known.items() if share is not None}


def strangers(history: History, person: Person) -> str:
    """What to tell a person of whom a repository has no commit: who did commit, and how to say that it was them."""
    named = [who for who, _ in Counter(history.others).most_common(5)]
    more = len(history.others) - len(named)
    committed = ", ".join(named) + (f" and {more} more" if more > 0 else "")
    return (
        f"has no commit by {person.name}; there are commits by {committed}. "
        f"If one of them is {person.name}, add the address in twin.yaml: authors.{person.key}.emails: [ADDRESS]."
    )


def _blamed_share(folder: Path, revision: str, path: str, own: frozenset[str]) -> float | None:
    try:
        output = run_git(
            folder,
            "-c",
            "blame.ignoreRevsFile=",
            "blame",
            "-w",
            "--porcelain",
            "--no-textconv",
            revision,
            "--",
            path,
        )
    except ExportError:
        return None
    lines = blamed(output)
    total = lines.total()
    return sum(count for commit, count in lines.items() if commit in own) / total if total else None


def _gathered(all_changes: Iterable[Change], identity: Identity) -> History:
    own: set[str] = set()
    others: Counter[str] = Counter()
    first: dict[str, datetime] = {}
    trails: dict[str, Trail] = {}
    for change in all_changes:
        is_own = any(identity.wrote(*signature) for signature in change.signatures)
        if is_own:
            own.add(change.commit)
        else:
            others["{} <{}>".format(*change.signatures[-1])] += 1
        _follow(trails, change, is_own)
        # Newest first: the oldest addition is the last to be written.
        first.update({path: change.moment for status, path in change.files if status == "A" and change.moment})
    return History(frozenset(own), others, first, trails)


def _follow(trails: dict[str, Trail], change: Change, is_own: bool) -> None:
    removes = any("D" in status for status, _ in change.files)
    for status, path in change.files:
        trail = trails.setdefault(path, Trail())
        trail.own |= is_own
        trail.others |= not is_own
        trail.moved |= removes and "A" in status


def _change(header: Sequence[str], files: Sequence[tuple[str, str]]) -> Change:
    commit, moment, name, email, mapped_name, mapped_email = header
    return Change(commit, utc(moment), ((name, email), (mapped_name, mapped_email)), tuple(files))


def _login(address: str) -> str | None:
    found = _NO_REPLY.fullmatch(address)
    if found is None:
        return None
    # A GitHub login may begin with digits and a hyphen, a GitLab one has its number before it.
    return found["login"] if "github" in found["host"] else _NUMBERED.sub("", found["login"])


def _folded(name: str) -> str:
    return " ".join(unicodedata.normalize("NFC", name).casefold().split())
