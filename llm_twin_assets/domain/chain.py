"""Append-only records, each sealed by a digest over all before it: what was changed, removed or moved shows.

A chain lies below one prefix: `000001.json`, `000002.json`, … and `current.json`, a copy of the newest record that took
effect. The copy is what a follower polls, and what gives away a chain that lost its end.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol, TypeVar

from pydantic import BaseModel, ValidationError

from resources.errors import TwinError

R = TypeVar("R", bound=BaseModel)

# What the first record names as digest of those before it.
GENESIS = "0" * 64
_NUMBERED = re.compile(r"/\d{6,}\.json$")
_CURRENT = "current.json"
# From a bucket each record is a round trip of some 20 ms.
_READERS = 16


class TamperedError(TwinError):
    """Records are not what was written."""

    def __init__(self, what: str, *, where: str) -> None:
        super().__init__(
            what,
            where=where,
            mend="Nothing is released from it. Put back what was written, from a backup or the bucket's versions.",
        )


class Reader(Protocol):
    """Of an object store, what reading takes."""

    def find(self, path: str) -> bytes | None:
        """Read an object, or None if there is none."""
        ...

    def list(self, prefix: str) -> Iterator[str]:
        """Paths below a prefix, in order."""
        ...


@dataclass(frozen=True, slots=True)
class Link:
    """A record's bytes; `digest` is over it and all records before it."""

    sequence: int
    content: bytes
    digest: str


class Seal(BaseModel):
    """Of a record of any kind, what makes it part of a chain."""

    author: str
    sequence: int
    previous: str | None = None


def current(prefix: str) -> str:
    """Where the newest record that took effect is copied to."""
    return f"{prefix}/{_CURRENT}"


def numbered(prefix: str, sequence: int) -> str:
    """Where a record lies."""
    return f"{prefix}/{sequence:06d}.json"


def read_chain(objects: Reader, prefix: str, *, lag: int | None = None) -> list[Link]:
    """All records below a prefix, oldest first; raises `TamperedError` unless each follows from those before it.

    `lag` is by how many records `current.json` may be behind: a writer that was killed leaves it so.
    """
    # The copy first: a record that is appended meanwhile makes the chain longer, never shorter, than it says.
    head = objects.find(current(prefix))
    paths = [path for path in objects.list(prefix) if _NUMBERED.search(path)]
    with ThreadPoolExecutor(_READERS) as pool:
        contents = list(pool.map(objects.find, paths))
    links = _linked(prefix, paths, contents)
    if head is not None:
        _check_head(prefix, head, links)
    if lag is not None and links and parse(Seal, paths[-1], links[-1].content).previous is not None:
        newest = objects.find(current(prefix))
        reached = 0 if newest is None else sequence_of(current(prefix), newest)
        if len(links) - reached > lag:
            raise TamperedError(f"is at record {reached} of {len(links)}", where=current(prefix))
    return links


def sequence_of(path: str, content: bytes) -> int:
    """A record's number, as it says itself."""
    return parse(Seal, path, content).sequence


def parse(kind: type[R], path: str, content: bytes) -> R:
    """A record as a value; raises `TamperedError` if it is none of its kind."""
    try:
        return kind.model_validate_json(content)
    except ValidationError as error:
        first = error.errors()[0]
        raise TamperedError(f"cannot be read: {'.'.join(map(str, first['loc']))}: {first['msg']}", where=path) from None


def _linked(prefix: str, paths: Sequence[str], contents: Sequence[bytes | None]) -> list[Link]:
    author = prefix.rsplit("/", 1)[-1]
    links: list[Link] = []
    digest, sealed = GENESIS, False
    for number, (path, content) in enumerate(zip(paths, contents, strict=True), 1):
        if content is None or path != numbered(prefix, number):
            raise TamperedError("is missing", where=numbered(prefix, number))
        seal = parse(Seal, path, content)
        if (seal.author, seal.sequence) != (author, number):
            raise TamperedError(f"is record {seal.sequence} of '{seal.author}'", where=path)
        # Records from before there were chains carry nothing; the first that does seals them all.
        if seal.previous != digest and (sealed or seal.previous is not None):
            raise TamperedError("does not follow from those before it: it, or one of them, was changed", where=path)
        sealed = seal.previous is not None
        digest = hashlib.sha256(digest.encode() + b"\n" + content).hexdigest()
        links.append(Link(number, content, digest))
    return links


def _check_head(prefix: str, head: bytes, links: Sequence[Link]) -> None:
    reached = sequence_of(current(prefix), head)
    if reached > len(links):
        raise TamperedError(f"is missing: {_CURRENT} is at record {reached}", where=numbered(prefix, len(links) + 1))
    if reached < 1 or links[reached - 1].content != head:
        raise TamperedError(f"is not record {reached}", where=current(prefix))
