"""A folder of Markdown (front matter in YAML or TOML or none), HTML pages, text and notebooks; or a zip of one.

A page's date is the one in its front matter, else in its file name, else of its first commit, else its mtime.
"""

import re
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from urllib.parse import quote

from llm_twin_assets.collection.concurrency import in_thread
from llm_twin_assets.collection.connector import (
    Collectable,
    Connector,
    DatedBy,
    Found,
    Listed,
    LocalPath,
    Quarantined,
    Remember,
    Seen,
    SourceOptions,
    WebUrl,
)
from llm_twin_assets.collection.platforms.local_pages import LocalPage, is_page, place_of, read_page, title_of
from llm_twin_assets.collection.reading.dates import utc
from llm_twin_assets.collection.reading.digests import sha256_of
from llm_twin_assets.collection.reading.export import Export, ExportError, open_export, where
from llm_twin_assets.collection.reading.patterns import matches
from llm_twin_assets.collection.repositories.git import first_commits, run_git
from llm_twin_assets.collection.visit import Visit
from llm_twin_assets.domain.document import Category

_DATED_NAME = re.compile(r"^(\d{4}-\d{2}-\d{2})[-_]")
_KEY = "file:"
_ZIP = "zip"
# Two writes within the grain of a file system's clock (2 s on FAT) have one mtime.
_SETTLED_AFTER = 2.0

Dating = Callable[[str], tuple[datetime | None, DatedBy]]


class FilesOptions(SourceOptions):
    """`path`: the folder. `base_url`: where its pages are published: `a/b.md` has the address `base_url/a/b`.

    `include` and `exclude` are patterns for a file's name or its path in the folder.
    """

    path: LocalPath
    base_url: WebUrl | None = None
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()


async def collect(options: FilesOptions, visit: Visit) -> AsyncIterator[Collectable]:
    """Every page below the folder, but drafts and hidden ones; those that did not change are not read again."""
    async for event in in_thread(_read_all(options, visit)):
        yield event


CONNECTOR = Connector(
    platform="files",
    categories=frozenset({Category.ARTICLE}),
    options=FilesOptions,
    collect=collect,
    description="Articles from a folder of Markdown, HTML, text and notebooks.",
)


def _read_all(options: FilesOptions, visit: Visit) -> Iterator[Collectable]:
    with open_export(options.path) as export:
        names = [name for name in export.names() if is_page(name) and matches(name, options.include, options.exclude)]
        if not names:
            raise ExportError(
                "holds no Markdown file (*.md), HTML page, text or notebook",
                where=str(options.path),
                mend="Mend `path` in twin.yaml, or fill it.",
            )
        folder = _Folder(export, options.base_url, _dating(options.path), visit)
        if not options.path.is_dir():
            yield from _zip(folder, names, visit)
            return
        for name in names:
            yield from folder.read(name)
        known = {key for key in visit.memory if key.startswith(_KEY)}
        for key in sorted(known - {f"{_KEY}{name}" for name in names}):
            yield Remember(key, None)
        yield Listed()


def _zip(folder: "_Folder", names: list[str], visit: Visit) -> Iterator[Collectable]:
    """A zip is a picture taken once: seeing it again proves nothing of what it shows."""
    mark = sha256_of(folder.export.path)
    if visit.memory.get(_ZIP) == mark:
        return
    for name in names:
        yield from folder.read(name)
    yield Listed()
    yield Remember(_ZIP, mark)


@dataclass(frozen=True)
class _Folder:
    export: Export
    base_url: str | None
    dating: Dating
    visit: Visit

    def read(self, name: str) -> Iterator[Collectable]:
        key, version = f"{_KEY}{name}", self._version(name)
        known = self.visit.page(key)
        if known and known.stable_id and version and known.version == version:
            yield Seen(known.stable_id)
            return
        try:
            page = read_page(name, self.export.read(name), where(self.export, name))
        except ExportError as error:
            page = Quarantined(error.where or name, f"{error.what}. {error.mend or ''}".rstrip())
        if isinstance(page, Quarantined):
            yield page
            # It is there, whatever is wrong with it.
            yield Seen(known.stable_id if known and known.stable_id else self._stable_id(name, self._address(name)))
        elif not page.is_draft:
            found = self._found(name, page)
            yield found
            if version:
                yield Remember(key, {"stable_id": found.stable_id, "version": version})

    def _found(self, name: str, page: LocalPage) -> Found:
        url = page.url or self._address(name)
        moment, dated_by = _dated(page, name, self.dating)
        return Found(
            stable_id=self._stable_id(name, url),
            category=Category.ARTICLE,
            title=page.title or title_of(name),
            content=page.text,
            media_type=page.media_type,
            url=url,
            published_at=moment,
            dated_by=dated_by,
            tags=page.tags,
        )

    def _address(self, name: str) -> str | None:
        return f"{self.base_url}/{quote(place_of(name))}" if self.base_url else None

    def _stable_id(self, name: str, url: str | None) -> str:
        # Without an address of its own the place in the folder is what stays the same from machine to machine.
        return url or f"files:{self.export.path.name}/{name}"

    def _version(self, name: str) -> str | None:
        """What tells a file that was written to; None for one that was written to just now, or is inside a zip."""
        try:
            stat = (self.export.path / name).stat()
        except OSError:
            return None
        if self.visit.now.timestamp() - stat.st_mtime < _SETTLED_AFTER:
            return None
        return f"{stat.st_mtime_ns} {stat.st_size}"


def _dated(page: LocalPage, name: str, dating: Dating) -> tuple[datetime | None, DatedBy]:
    if page.published_at:
        return page.published_at, "front matter"
    named = _DATED_NAME.match(PurePosixPath(name).name)
    if named and (moment := utc(named.group(1))):
        return moment, "file name"
    return dating(name)


def _dating(folder: Path) -> Dating:
    """When a file was first committed, else last changed on this disk; git is asked once, when first needed."""
    history: dict[str, datetime] | None = None

    def date(name: str) -> tuple[datetime | None, DatedBy]:
        nonlocal history
        if history is None:
            history = _history(folder)
        if name in history:
            return history[name], "git"
        try:
            return datetime.fromtimestamp((folder / name).stat().st_mtime, UTC), "mtime"
        except OSError:  # inside a zip
            return None, "nothing"

    return date


def _history(folder: Path) -> dict[str, datetime]:
    try:
        prefix = run_git(folder, "rev-parse", "--show-prefix").decode().strip()
        commits = first_commits(folder)
    except (ExportError, NotADirectoryError):
        return {}  # no repository, no git or no commit yet: not an error, mtime dates the files
    return {path.removeprefix(prefix): moment for path, moment in commits.items() if path.startswith(prefix)}
