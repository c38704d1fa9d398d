"""Gists: Markdown and notebooks as articles or posts, text as posts, code as code."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlsplit

from llm_twin_assets.collection.connector import Collectable, Found, Listed, Quarantined, Remember, Seen
from llm_twin_assets.collection.platforms import github_api
from llm_twin_assets.collection.reading.api_pages import next_page, pages, parsed
from llm_twin_assets.collection.reading.dates import utc
from llm_twin_assets.collection.reading.decoding import decode
from llm_twin_assets.collection.reading.front_matter import first_heading
from llm_twin_assets.collection.reading.notebooks import NotebookError, read_notebook
from llm_twin_assets.collection.repositories.code_files import (
    MAX_BYTES,
    MAX_NOTEBOOK,
    is_binary,
    is_foreign,
    is_generated,
    is_licence,
    language_of,
)
from llm_twin_assets.collection.repositories.repository_files import code_media_type
from llm_twin_assets.collection.visit import Visit
from llm_twin_assets.domain.document import Category
from llm_twin_assets.domain.identity import digest
from resources.http import HttpError, UnavailableError

_LISTING = "gists"
_KEY = "gist:"
_MARKDOWN = (".md", ".markdown")
_NOTEBOOK = ".ipynb"
_PLAIN = (".txt", ".text")
_CONTENT_HOST = ".githubusercontent.com"


@dataclass(frozen=True, slots=True)
class _File:
    """A file of a gist that is a document."""

    gist: github_api.Gist
    name: str
    raw_url: str

    @property
    def stable_id(self) -> str:
        return f"{self.gist.html_url}#{self.name}"

    @property
    def key(self) -> str:
        return f"{_KEY}{self.stable_id}"

    @property
    def version(self) -> str:
        # The address names one version of the text; the description beside it is its title.
        return digest([self.raw_url, self.gist.description])


async def gists(api: str, handle: str, visit: Visit) -> AsyncIterator[Collectable]:
    """Every file of every public gist; only those that changed are fetched."""
    address = github_api.address(f"{api}/users/{handle}/gists", per_page="100")
    known = visit.page(address)
    settled = known is not None and known.version == _state(visit)
    first = await github_api.ask(visit, address, conditional=settled)
    if first.not_modified:
        yield Listed(_LISTING, again=True)
        return
    if first.missing:
        return
    files = [
        file
        async for page in pages(visit, first, github_api.headers(visit))
        for gist in parsed(page, github_api.GISTS)
        for file in _files(gist)
    ]
    async for events in visit.each(files, partial(_read, api, visit)):
        for event in events:
            yield event
    for stale in sorted(_remembered(visit) - {file.key for file in files}):
        yield Remember(stale, None)
    yield Listed(_LISTING)
    if next_page(first) is None:
        yield visit.remember(first, version=digest(sorted([file.key, file.version] for file in files)))


def _remembered(visit: Visit) -> set[str]:
    return {key for key in visit.memory if key.startswith(_KEY)}


def _state(visit: Visit) -> str:
    """Digest of what is remembered; while it differs from that of the list, something has yet to be read."""
    return digest(sorted([key, page.version] for key in _remembered(visit) if (page := visit.page(key))))


def _files(gist: github_api.Gist) -> Iterator[_File]:
    for file in gist.files.values():
        name = file.filename
        most = MAX_NOTEBOOK if _kind(name) == "notebook" else MAX_BYTES
        if _kind(name) and 0 < file.size <= most and not is_licence(name) and not is_foreign(name):
            yield _File(gist, name, file.raw_url)


def _kind(name: str) -> str | None:
    lowered = name.lower()
    if lowered.endswith(_MARKDOWN):
        return "markdown"
    if lowered.endswith(_NOTEBOOK):
        return "notebook"
    # GitHub names what a person gave no name `gistfile1.txt`; one without any suffix is text as well.
    if lowered.endswith(_PLAIN):
        return "text"
    if language_of(name):
        return "code"
    return None if "." in name else "text"


async def _read(api: str, visit: Visit, file: _File) -> list[Collectable]:
    still_there = Seen(file.stable_id, _LISTING)
    before = visit.page(file.key)
    if before and before.version == file.version:
        return [still_there] if before.stable_id else []
    if not _is_at_home(file.raw_url, api):
        return [Quarantined(file.raw_url, "is at a host that is neither the API's nor GitHub's."), still_there]
    try:
        # Without the token: the address alone opens it, at a host that is another than the API's.
        response = await visit.get(file.raw_url, robots=False, conditional=False)
        if response.missing:
            return [Quarantined(file.raw_url, "is listed and not there."), still_there]
        found = _document(file, response.content)
    except UnavailableError:
        raise
    except (HttpError, NotebookError) as error:
        return [Quarantined(file.gist.html_url, str(error)), still_there]
    if isinstance(found, Quarantined):
        return [found, still_there]
    if found is None:  # read and no document
        return [Remember(file.key, {"version": file.version})]
    return [found, Remember(file.key, {"version": file.version, "stable_id": file.stable_id})]


def _is_at_home(address: str, api: str) -> bool:
    try:
        there, home = urlsplit(address), urlsplit(api)
    except ValueError:
        return False
    if there.netloc == home.netloc:
        return True
    return there.scheme == "https" and (there.hostname or "").endswith(_CONTENT_HOST)


def _document(file: _File, data: bytes) -> Found | Quarantined | None:
    if is_binary(data):
        return None
    text = decode(data, file.raw_url)
    if isinstance(text, Quarantined):
        return text
    kind = _kind(file.name)
    if kind == "notebook":
        text = read_notebook(text).markdown
    if not text.strip() or (kind == "code" and is_generated(text, language_of(file.name))):
        return None
    if kind == "code":
        return _code(file, text)
    heading = first_heading(text) if kind != "text" else None
    # What has a heading is laid out to be read as an article; a gist without one is a note.
    return _found(
        file,
        text,
        Category.ARTICLE if heading else Category.POST,
        heading or file.gist.description or None,
        "text/plain" if kind == "text" else "text/markdown",
    )


def _code(file: _File, text: str) -> Found:
    language = language_of(file.name) or "text"
    return _found(
        file, text, Category.CODE, file.gist.description or file.name, code_media_type(language), language, file.name
    )


def _found(
    file: _File,
    text: str,
    category: Category,
    title: str | None,
    media_type: str,
    language: str | None = None,
    path: str | None = None,
) -> Found:
    return Found(
        stable_id=file.stable_id,
        category=category,
        title=title,
        content=text,
        media_type=media_type,
        url=file.gist.html_url,
        published_at=utc(file.gist.created_at),
        code_language=language,
        path=path,
        listing=_LISTING,
    )
