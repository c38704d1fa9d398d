"""The repositories of a person at a host, as an API lists them: only what was pushed since the last visit is cloned.

Every repository is a listing of its own (`tree:OWNER/NAME`), so that one that fails neither stops nor removes another's
documents. What is remembered of it: `version` (the host's own mark of the last push) and `head` (the commit it was read
at). The engine forgets all of it when options or the person's addresses change, and everything is read again.
"""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from llm_twin_assets.collection.concurrency import in_thread
from llm_twin_assets.collection.connector import Collectable, Listed, Notice, Quarantined, Remember
from llm_twin_assets.collection.reading.api_pages import next_page
from llm_twin_assets.collection.reading.export import ExportError
from llm_twin_assets.collection.repositories.checkout import Checkout
from llm_twin_assets.collection.repositories.git import head_branch
from llm_twin_assets.collection.repositories.git_remote import (
    Credential,
    Remote,
    clone,
    origins_match,
    remote,
    remote_head,
)
from llm_twin_assets.collection.repositories.repository_files import Authors, StrangersError, documents
from llm_twin_assets.collection.visit import Visit
from llm_twin_assets.domain.identity import Json, digest
from resources.errors import TwinError
from resources.http import HttpError, Response

_TREE = "tree:"
# What a listing says of a repository while it is absent; a second visit forgets it.
_ABSENT: Mapping[str, Json] = {"absent": True}
_EXCLUDED: Mapping[str, Json] = {"excluded": True}


@dataclass(frozen=True, slots=True)
class HostedRepository:
    """One repository as a host lists it; `version` changes with every push, None where the host cannot promise that."""

    name: str
    url: str
    clone_url: str
    version: str | None
    private: bool = False
    megabytes: float = 0.0

    @property
    def listing(self) -> str:
        """The listing that its documents are in."""
        return f"{_TREE}{self.name}"


@dataclass(frozen=True, slots=True)
class Host:
    """Where repositories are cloned from. `blob` stands before the branch in a file's address."""

    api: str
    credential: Credential | None
    max_mb: int
    blob: str = "blob"


def state_of(repositories: Iterable[HostedRepository]) -> str:
    """Digest of a list of repositories."""
    return digest(sorted([each.name, each.version] for each in repositories))


def noted(
    visit: Visit, first: Response, repositories: Sequence[HostedRepository], cursor: str
) -> Iterator[Collectable]:
    """What to remember of a list once all of it was read: how far it went, and the mark that it has not changed."""
    if cursor and cursor != visit.memory.get("cursor"):
        yield Remember("cursor", cursor)
    # Of a list in several pages the first may stand while a later one changes: it is read whole each time.
    if next_page(first) is None and all(each.version for each in repositories):
        yield visit.remember(first, version=state_of(repositories))


def known_state(visit: Visit) -> str:
    """The same digest of what is remembered: while it differs, something has yet to be read."""
    known = {name: _known(visit, f"{_TREE}{name}") for name in known_repositories(visit)}
    return digest(sorted([name, value["version"]] for name, value in known.items() if "version" in value))


def known_repositories(visit: Visit) -> Iterator[str]:
    """The names of all that are remembered."""
    return (key.removeprefix(_TREE) for key in visit.memory if key.startswith(_TREE))


def unchanged(visit: Visit) -> Iterator[Collectable]:
    """The events for all that is known, where the host says that its list is the same as before."""
    for name in known_repositories(visit):
        known = _known(visit, f"{_TREE}{name}")
        yield from withdrawn(visit, name) if known == _ABSENT else _as_before(f"{_TREE}{name}", known)


def withdrawn(visit: Visit, name: str) -> Iterator[Collectable]:
    """A repository that the host has no more: one sighting of the absence of all its files; the second forgets it."""
    listing = f"{_TREE}{name}"
    yield Listed(listing)
    yield Remember(listing, None if _known(visit, listing) == _ABSENT else _ABSENT)


def excluded(visit: Visit, names: Iterable[str]) -> Iterator[Collectable]:
    """Repositories that the person does not want read, or no more: their files count as missing."""
    for name in names:
        listing = f"{_TREE}{name}"
        yield Listed(listing)
        if _known(visit, listing) != _EXCLUDED:
            yield Remember(listing, _EXCLUDED)


async def collect_repositories(
    visit: Visit, repositories: Iterable[HostedRepository], host: Host, authors: Authors
) -> AsyncIterator[Collectable]:
    """The documents of every repository that changed; what fails is quarantined, and tried again at the next visit."""
    for repository in repositories:
        known = _known(visit, repository.listing)
        if repository.version is not None and repository.version == known.get("version"):
            for event in _as_before(repository.listing, known):
                yield event
        elif repository.megabytes > host.max_mb:
            what = f"{repository.name} is left out: {repository.megabytes:.0f} MB are more than max_mb ({host.max_mb})"
            yield Notice(what)
            yield Remember(repository.listing, {"version": repository.version, "notice": what})
        else:
            async for event in _changed(visit, repository, known, host, authors):
                yield event


async def _changed(
    visit: Visit, repository: HostedRepository, known: Mapping[str, Json], host: Host, authors: Authors
) -> AsyncIterator[Collectable]:
    try:
        source = await _remote(visit, repository, host)
        head = await asyncio.to_thread(remote_head, source)
        remembered: dict[str, Json] = {"version": repository.version, "head": head}
        # Without a HEAD nothing was ever pushed, or all of it is gone: no reason to take files for removed.
        if head is None or head == known.get("head"):
            remembered = dict(known) | remembered
            for event in _as_before(repository.listing, remembered):
                yield event
        else:
            before = known.get("head")
            read_to = before if isinstance(before, str) else None
            async for event in in_thread(_cloned(source, repository, host, authors, read_to)):
                yield event
            yield Listed(repository.listing)
    except StrangersError as error:
        yield Quarantined(repository.url, error.what)
        remembered["strangers"] = error.what
    except (ExportError, HttpError) as error:
        yield quarantined(repository.url, error)
        return
    if remembered != dict(known):
        yield Remember(repository.listing, remembered)


async def _remote(visit: Visit, repository: HostedRepository, host: Host) -> Remote:
    # A host that lists another one's address gets nothing but the clone that anybody could make.
    trusted = origins_match(host.api, repository.clone_url)
    credential = host.credential if repository.private and trusted else None
    return await remote(repository.clone_url, visit.http.policy.allowed, credential)


def _cloned(
    source: Remote, repository: HostedRepository, host: Host, authors: Authors, read_to: str | None
) -> Iterator[Collectable]:
    with tempfile.TemporaryDirectory(prefix="llm-twin-") as temporary:
        folder = Path(temporary, "repository.git")
        clone(source, folder, host.max_mb * 2**20)
        branch = head_branch(folder)
        yield from documents(
            Checkout(
                folder,
                repository.url,
                repository.name,
                branch,
                repository.url,
                listing=repository.listing,
                blob=host.blob,
                read_to=read_to,
            ),
            authors,
        )


def quarantined(where: str, error: TwinError) -> Quarantined:
    """A part of a source that could not be had, in the words of its error."""
    return Quarantined(error.where or where, f"{error.what}. {error.mend or ''}".rstrip())


def _as_before(listing: str, known: Mapping[str, Json]) -> Iterator[Collectable]:
    """A file that was missing at the last visit is missing again; all others stand."""
    if strangers := known.get("strangers"):
        yield Quarantined(listing.removeprefix(_TREE), str(strangers))
    elif notice := known.get("notice"):
        yield Notice(str(notice))
    else:
        yield Listed(listing, again=True)


def _known(visit: Visit, listing: str) -> Mapping[str, Json]:
    known = visit.memory.get(listing)
    return known if isinstance(known, Mapping) else {}
