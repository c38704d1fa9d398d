"""A folder of Markdown, its front matter in YAML or TOML or none.

A page's date is the one in its front matter, else in its file name, else of its first commit, else its mtime.
"""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from urllib.parse import quote

from llm_twin_assets.collection.connector import (
    Collectable,
    Connector,
    DatedBy,
    Found,
    LocalPath,
    Quarantined,
    SourceOptions,
    WebUrl,
)
from llm_twin_assets.collection.dates import utc
from llm_twin_assets.collection.export import Export, ExportError, open_export, read_text, where
from llm_twin_assets.collection.front_matter import FrontMatterError, Page, split_page
from llm_twin_assets.collection.git import first_commits, run_git
from llm_twin_assets.domain.document import Category

_SUFFIXES = (".md", ".markdown", ".mdown", ".mkd")
_DATED_NAME = re.compile(r"^(\d{4}-\d{2}-\d{2})[-_]")

Dating = Callable[[str], tuple[datetime | None, DatedBy]]


class FilesOptions(SourceOptions):
    """`path`: the folder. `base_url`: where its pages are published: `a/b.md` has the address `base_url/a/b`."""

    path: LocalPath
    base_url: WebUrl | None = None


def collect(options: FilesOptions) -> Iterator[Collectable]:
    """Every Markdown file below the folder, but drafts and hidden ones."""
    with open_export(options.path) as folder:
        names = [name for name in folder.names() if name.lower().endswith(_SUFFIXES)]
        if not names:
            raise ExportError(
                "holds no Markdown file (*.md)", where=str(options.path), mend="Mend `path` in twin.yaml, or fill it."
            )
        dating = _dating(options.path)
        for name in names:
            yield from _read(folder, name, options.base_url, dating)


CONNECTOR = Connector(
    platform="files",
    categories=frozenset({Category.ARTICLE}),
    options=FilesOptions,
    collect=collect,
    description="Articles from a folder of Markdown files.",
)


def _read(folder: Export, name: str, base_url: str | None, dating: Dating) -> Iterator[Collectable]:
    text = read_text(folder, name)
    if isinstance(text, Quarantined):
        yield text
        return
    try:
        page = split_page(text)
    except FrontMatterError as error:
        yield Quarantined(f"{where(folder, name)}:{error.line}", f"{error}. Mend it, or remove the front matter.")
        return
    if page.is_draft:
        return
    if not page.body.strip():
        yield Quarantined(where(folder, name), "holds no text. Write some, or delete the file.")
        return
    url = page.url or (f"{base_url}/{_address(name)}" if base_url else None)
    moment, dated_by = _dated(page, name, dating)
    yield Found(
        # Without an address of its own the place in the folder is what stays the same from machine to machine.
        stable_id=url or f"files:{folder.path.name}/{name}",
        category=Category.ARTICLE,
        title=page.title or PurePosixPath(name).stem.replace("-", " ").replace("_", " "),
        content=page.body,
        media_type="text/markdown",
        url=url,
        published_at=moment,
        dated_by=dated_by,
    )


def _address(name: str) -> str:
    path = PurePosixPath(name).with_suffix("")
    return quote(str(path.parent if path.name in ("index", "_index") and path.parent.name else path))


def _dated(page: Page, name: str, dating: Dating) -> tuple[datetime | None, DatedBy]:
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
