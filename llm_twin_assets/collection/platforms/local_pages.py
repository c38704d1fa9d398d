"""One file of a folder as a page: Markdown, HTML, plain text or a notebook."""

import html
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath

from llm_twin_assets.collection.connector import Quarantined
from llm_twin_assets.collection.reading.decoding import decode, decode_html
from llm_twin_assets.collection.reading.front_matter import FrontMatterError, split_page
from llm_twin_assets.collection.reading.notebooks import NotebookError, read_notebook
from llm_twin_assets.collection.repositories.code_files import is_licence

_MARKDOWN = (".md", ".markdown", ".mdown", ".mkd")
_HTML = (".html", ".htm", ".xhtml")
_TEXT = (".txt",)
_NOTEBOOK = (".ipynb",)
# Text by its suffix, but written for machines.
_FOR_MACHINES = re.compile(r"(?:requirements|constraints)[\w.-]*\.txt|robots\.txt|cmakelists\.txt", re.IGNORECASE)
_TITLE = re.compile(r"<title[^>]{0,200}>(.{1,1000}?)</title", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class LocalPage:
    """What a file says: its text, exact, and what it states of itself."""

    text: str
    media_type: str
    title: str | None = None
    url: str | None = None
    published_at: datetime | None = None
    is_draft: bool = False
    tags: tuple[str, ...] = ()


def is_page(name: str) -> bool:
    """Whether a file is a page by its name."""
    return _reader(name) is not None and not is_licence(name) and not _FOR_MACHINES.fullmatch(PurePosixPath(name).name)


def read_page(name: str, data: bytes, where: str) -> LocalPage | Quarantined:
    """A file's page, or why it cannot be read, with the line where that is known."""
    reader = _reader(name) or _plain
    try:
        page = reader(data, where)
    except FrontMatterError as error:
        return Quarantined(f"{where}:{error.line}", f"{error}. Mend it, or remove the front matter.")
    except NotebookError as error:
        return Quarantined(where, f"{error}. Save it again in Jupyter, or remove it.")
    if isinstance(page, LocalPage) and not page.is_draft and not page.text.strip():
        return Quarantined(where, "holds no text. Write some, or delete the file.")
    return page


def title_of(name: str) -> str:
    """What a file is called that gives itself no title."""
    return PurePosixPath(name).stem.replace("-", " ").replace("_", " ")


def place_of(name: str) -> str:
    """Where a site's generator puts a page: `a/b.md` becomes `a/b`, `a/index.html` becomes `a`, `a/b.html` stays."""
    path = PurePosixPath(name)
    if path.stem in ("index", "_index") and path.parent.name:
        return str(path.parent)
    return name if path.suffix.lower() in (*_HTML, *_TEXT) else str(path.with_suffix(""))


def _reader(name: str) -> "Callable[[bytes, str], LocalPage | Quarantined] | None":
    suffix = PurePosixPath(name).suffix.lower()
    readers = ((_MARKDOWN, _markdown), (_HTML, _html), (_TEXT, _plain), (_NOTEBOOK, _notebook))
    return next((reader for suffixes, reader in readers if suffix in suffixes), None)


def _markdown(data: bytes, where: str) -> LocalPage | Quarantined:
    text = decode(data, where)
    return text if isinstance(text, Quarantined) else _page(text)


def _html(data: bytes, where: str) -> LocalPage | Quarantined:
    text = decode_html(data, where)
    if isinstance(text, Quarantined):
        return text
    found = _TITLE.search(text[:65_536])
    title = " ".join(html.unescape(found.group(1)).split()) if found else ""
    return LocalPage(text, "text/html", title or None)


def _plain(data: bytes, where: str) -> LocalPage | Quarantined:
    text = decode(data, where)
    return text if isinstance(text, Quarantined) else LocalPage(text, "text/plain")


def _notebook(data: bytes, where: str) -> LocalPage | Quarantined:
    text = decode(data, where)
    if isinstance(text, Quarantined):
        return text
    notebook = read_notebook(text)
    return _page(notebook.markdown, notebook.title)


def _page(text: str, title: str | None = None) -> LocalPage:
    page = split_page(text)
    return LocalPage(
        page.body,
        "text/markdown",
        page.title or title,
        page.url,
        page.published_at,
        is_draft=page.is_draft,
        tags=page.tags,
    )
