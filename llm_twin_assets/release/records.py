"""How the records of approval and release are read and appended to, and the evaluations they rest on."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from llm_twin_assets.domain.chain import (
    GENESIS,
    current,
    numbered,
    parse,
    read_chain,
    sequence_of,
)
from llm_twin_assets.domain.release import NO_YES, Approval, Chained, Release, Verdict
from llm_twin_assets.domain.released import approvals_prefix, read_approvals, read_releases, read_served
from llm_twin_assets.domain.released import pointer as pointer
from resources.errors import TwinError
from resources.object_store import ObjectStore

R = TypeVar("R", bound=Chained)


class ConflictError(TwinError):
    """Somebody else wrote first; what was to be written may rest on what is no longer so."""


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision, and the chain's digest at it."""

    approval: Approval
    digest: str


def decisions(objects: ObjectStore, author: str) -> list[Decided]:
    """All decisions on an author's models, oldest first; raises `TamperedError` if they are not what was written."""
    prefix = approvals_prefix(author)
    return [
        Decided(parse(Approval, numbered(prefix, link.sequence), link.content), link.digest)
        for link in read_approvals(objects, author)
    ]


def approvals(objects: ObjectStore, author: str) -> list[Approval]:
    """All decisions on an author's models, oldest first; raises `TamperedError`."""
    return [decided.approval for decided in decisions(objects, author)]


def deciding(objects: ObjectStore, author: str) -> Decided | None:
    """The newest yes to a version that was neither said no to after it nor taken back, or None."""
    stopped: set[str] = set()
    for past in reversed(decisions(objects, author)):
        version = past.approval.model_version
        if past.approval.decision in NO_YES:
            stopped.add(version)
        elif version not in stopped:
            return past
    return None


def releases(objects: ObjectStore, author: str) -> list[Release]:
    """All releases of an author, oldest first; raises `TamperedError` if they are not what was written."""
    return read_releases(objects, author)


def current_release(objects: ObjectStore, author: str) -> Release | None:
    """What the pointer names: the release that serves; raises `TamperedError` unless the records bear it out."""
    return read_served(objects, author)


def find_verdict(objects: ObjectStore, author: str, version: str) -> Verdict | None:
    """The evaluation of a model version, if there was one."""
    content = objects.find(verdict_path(author, version))
    return Verdict.model_validate_json(content) if content else None


def verdicts(objects: ObjectStore, author: str) -> list[Verdict]:
    """The evaluations of all of an author's models, in no order."""
    paths = [path for path in objects.list(f"evaluations/{author}") if path.endswith(".json")]
    versions = [path.rsplit("/", 1)[-1].removesuffix(".json") for path in paths]
    return [found for version in versions if (found := find_verdict(objects, author, version))]


def undecided(objects: ObjectStore, author: str) -> Verdict | None:
    """The newest evaluation of an author, if it passed and nobody has decided on its model; raises `TamperedError`."""
    newest = max(verdicts(objects, author), key=lambda found: found.evaluated_at, default=None)
    if newest is None or not newest.passed:
        return None
    decided = {past.model_version for past in approvals(objects, author)}
    return None if newest.model_version in decided else newest


def verdict_digest(objects: ObjectStore, author: str, version: str) -> str | None:
    """sha256 of the evaluation's record, if there is one: what a person saw when saying yes."""
    content = objects.find(verdict_path(author, version))
    return hashlib.sha256(content).hexdigest() if content else None


def verdict_path(author: str, version: str) -> str:
    """Where the evaluation of a model version lies."""
    return f"evaluations/{author}/{version}.json"


def verdict_of(release: Release) -> str:
    """What the gate said of what was released, and whether somebody said yes against it."""
    said = release.verdict or "not on record"
    return f"OVERRIDDEN: {said}" if release.override else said


def append(objects: ObjectStore, prefix: str, record: Callable[[int], R], *, expected: int | None = None) -> R:
    """Write the record that follows on the chain; raises `ConflictError` if another was written first.

    `expected` is how many records there were when it was decided to write this one.
    """
    past = read_chain(objects, prefix)
    if expected is not None and len(past) != expected:
        raise ConflictError(f"there are {len(past)} records where {expected} were seen", where=prefix)
    sequence = len(past) + 1
    written = record(sequence).model_copy(update={"previous": past[-1].digest if past else GENESIS})
    if not objects.put_new(numbered(prefix, sequence), _json(written)):
        raise ConflictError("another record was written at the same moment", where=numbered(prefix, sequence))
    return written


def switch(objects: ObjectStore, prefix: str, record: Chained) -> bool:
    """Let `current.json` be a record of the chain, unless a later one is there already; False if so."""
    path, content = current(prefix), objects.get(numbered(prefix, record.sequence))
    while True:
        present = objects.find(path)
        if present is not None and sequence_of(path, present) >= record.sequence:
            return present == content
        if objects.swap(path, present, content):
            return True


def _json(record: Chained) -> bytes:
    return record.model_dump_json(indent=2).encode()
