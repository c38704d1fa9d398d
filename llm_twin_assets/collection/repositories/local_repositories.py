"""A repository on this disk: a clone that the person works in, or a bundle of one."""

import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from llm_twin_assets.collection.concurrency import in_thread
from llm_twin_assets.collection.connector import Collectable, Found, Listed, Notice, Quarantined, Remember
from llm_twin_assets.collection.reading.dates import utc
from llm_twin_assets.collection.reading.digests import sha256_of
from llm_twin_assets.collection.reading.export import ExportError
from llm_twin_assets.collection.repositories.checkout import Checkout, repository_name
from llm_twin_assets.collection.repositories.git import (
    clone_bundle,
    head_branch,
    require_bundle,
    require_repository,
    run_git,
)
from llm_twin_assets.collection.repositories.repository_files import Authors, StrangersError, documents
from llm_twin_assets.collection.visit import Visit


@dataclass(frozen=True, slots=True)
class LocalRepository:
    """At most one of `clone` (a folder) and `bundle` (a file); `url` is its address on the web."""

    clone: Path | None = None
    bundle: Path | None = None
    url: str | None = None

    async def collect(self, visit: Visit, authors: Authors, *, listed: bool = True) -> AsyncIterator[Collectable]:
        """Its documents, where it changed since the last visit.

        A clone that did not change confirms what it showed; a bundle is a picture taken once, and looking at it again
        is no new sighting. Without `listed` nothing counts as missing: the person's account says what there is.
        """
        if self.clone:
            async for event in in_thread(self._clone(self.clone, visit, authors, listed=listed)):
                yield event
        if self.bundle:
            async for event in in_thread(self._bundle(self.bundle, visit, authors, listed=listed)):
                yield event

    def _clone(self, folder: Path, visit: Visit, authors: Authors, *, listed: bool) -> Iterator[Collectable]:
        require_repository(folder)
        branch = head_branch(folder)
        name = repository_name(self.url, folder)
        listing = f"clone:{name}"
        head = run_git(folder, "rev-parse", f"{branch}^{{commit}}").decode().strip()
        known = visit.memory.get(listing)
        if known == head:
            if listed:
                yield Listed(listing, again=True)
            return
        read_to = known if isinstance(known, str) else None
        checkout = Checkout(folder, str(folder), name, branch, self.url, listing, read_to=read_to)
        yield from _read(checkout, authors, head, listed=listed)

    def _bundle(self, file: Path, visit: Visit, authors: Authors, *, listed: bool) -> Iterator[Collectable]:
        name = repository_name(self.url, file)
        listing = f"bundle:{name}"
        require_bundle(file)
        mark = sha256_of(file)
        if visit.memory.get(listing) == mark:
            return
        with tempfile.TemporaryDirectory(prefix="llm-twin-") as temporary:
            folder = Path(temporary, "repository.git")
            clone_bundle(file, folder)
            branch = head_branch(folder)
            checkout = Checkout(folder, str(file), name, branch, self.url, listing, _committed(folder, branch))
            yield from _read(checkout, authors, mark, listed=listed)


def _read(checkout: Checkout, authors: Authors, mark: str, *, listed: bool) -> Iterator[Collectable]:
    if run_git(checkout.folder, "rev-parse", "--is-shallow-repository").strip() == b"true":
        yield Notice(
            f"{checkout.shown_as} is a shallow copy: who wrote what, and when, cannot be told in full. "
            "Complete it: git fetch --unshallow"
        )
    found = False
    try:
        for event in documents(checkout, authors):
            found = found or isinstance(event, Found | Quarantined)
            yield event
    except StrangersError as error:
        yield Quarantined(checkout.shown_as, error.what)
        return
    if not found:
        raise ExportError(
            f"holds neither code nor a README by {authors.person.name} at HEAD",
            where=checkout.shown_as,
            mend="Remove the source.",
        )
    if listed:
        yield Listed(checkout.listing)
    yield Remember(checkout.listing, mark)


def _committed(folder: Path, branch: str) -> datetime | None:
    """When HEAD was committed: the date of a bundle, whatever copying did to its file's."""
    return utc(run_git(folder, "log", "-1", "--no-show-signature", "--format=%cI", branch, "--").decode().strip())
