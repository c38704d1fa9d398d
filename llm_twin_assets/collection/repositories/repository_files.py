"""The documents of a repository at one commit: code that the person wrote, byte for byte, and READMEs as articles."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from llm_twin_assets.collection.connector import Collectable, Found, Quarantined, Seen
from llm_twin_assets.collection.reading.decoding import decode
from llm_twin_assets.collection.reading.export import ExportError
from llm_twin_assets.collection.reading.front_matter import first_heading
from llm_twin_assets.collection.reading.notebooks import NotebookError, read_notebook
from llm_twin_assets.collection.repositories.authorship import History, Identity, read_history, shares, strangers
from llm_twin_assets.collection.repositories.checkout import Checkout
from llm_twin_assets.collection.repositories.code_files import (
    MAX_BYTES,
    MAX_NOTEBOOK,
    is_binary,
    is_foreign,
    is_generated,
    is_licence,
    is_notebook,
    is_readme,
    language_of,
)
from llm_twin_assets.collection.repositories.commits import own_commits
from llm_twin_assets.collection.repositories.git import Blob, contents, tree
from llm_twin_assets.collection.repositories.git_attributes import Marks, marks
from llm_twin_assets.collection.visit import Person
from llm_twin_assets.domain.document import Category

# `text/x-LANGUAGE`, as Pygments and file(1) name source; only these have names of their own (RFC 9239, 2318 and 7763).
_MEDIA_TYPES = {"javascript": "text/javascript", "css": "text/css", "markdown": "text/markdown"}
_SAID_NOTHING = Marks()


class StrangersError(ExportError):
    """A repository that holds no commit by the person."""


@dataclass(frozen=True, slots=True)
class Authors:
    """Whose work is wanted: files of which `min_share` of the lines are the person's, and their newest `commits`."""

    person: Person
    identity: Identity
    min_share: float = 0.5
    commits: int = 0


def documents(checkout: Checkout, authors: Authors) -> Iterator[Collectable]:
    """Every code file and README of the person's, then commits; raises `StrangersError` if nothing is by them."""
    blobs = _wanted(checkout)
    if not blobs:
        return
    history = read_history(checkout.folder, checkout.branch, authors.identity)
    if not history.own:
        raise StrangersError(strangers(history, authors.person), where=checkout.shown_as)
    written = shares(checkout.folder, checkout.branch, (blob.path for blob in blobs), history)
    own = [blob for blob in blobs if written.get(blob.path, 1.0) >= authors.min_share]
    for blob, data in contents(checkout.folder, own):
        if blob.path in written:
            yield from _read(checkout, blob.path, data, history)
        else:
            yield from _unreadable(checkout, blob.path, "git blame cannot say who wrote it.")
    yield from own_commits(checkout, history, authors.commits)


def _wanted(checkout: Checkout) -> list[Blob]:
    blobs = tree(checkout.folder, checkout.branch)
    candidates = [blob for blob in blobs if _is_text(blob.path) and 0 < blob.size <= _most(blob.path)]
    stated: dict[str, Marks] = {}
    if candidates and any(blob.path.rpartition("/")[2] == ".gitattributes" for blob in blobs):
        stated = marks(checkout.folder, checkout.branch, [blob.path for blob in candidates])
    return [blob for blob in candidates if _is_own_work(blob.path, stated.get(blob.path, _SAID_NOTHING))]


def _is_text(path: str) -> bool:
    return not is_licence(path) and (is_readme(path) or is_notebook(path) or language_of(path) is not None)


def _most(path: str) -> int:
    return MAX_NOTEBOOK if is_notebook(path) else MAX_BYTES


def _is_own_work(path: str, said: Marks) -> bool:
    if said.documentation and not is_readme(path):
        return False
    # What the repository states goes before what a folder's name suggests.
    return not (is_foreign(path) if said.foreign is None else said.foreign)


def _read(checkout: Checkout, path: str, data: bytes, history: History) -> Iterator[Collectable]:
    if is_binary(data):
        return
    text = decode(data, _shown(checkout, path))
    if isinstance(text, Quarantined):
        yield from _unreadable(checkout, path, text.reason)
    elif text.strip():  # an empty __init__.py is no document
        first = history.first.get(path)
        if is_readme(path):
            yield _readme(checkout, path, text, first)
        elif is_notebook(path):
            yield from _notebook(checkout, path, text, first)
        elif not is_generated(text, language_of(path)):
            yield _code(checkout, path, text, first, language_of(path) or "text")


def _notebook(checkout: Checkout, path: str, text: str, first: datetime | None) -> Iterator[Collectable]:
    """A notebook as Markdown with its cells as fenced code: without its outputs, which nobody wrote."""
    try:
        markdown = read_notebook(text).markdown
    except NotebookError as error:
        yield from _unreadable(checkout, path, f"{error}. Save it again in Jupyter, or remove it.")
        return
    if markdown.strip():
        yield _code(checkout, path, markdown, first, "markdown")


def _unreadable(checkout: Checkout, path: str, reason: str) -> Sequence[Collectable]:
    """It is still there: that it cannot be read is no reason to take it for removed."""
    return Quarantined(_shown(checkout, path), reason), Seen(checkout.stable_id(path), checkout.listing)


def _shown(checkout: Checkout, path: str) -> str:
    return f"{checkout.shown_as}:{path.encode('utf-8', 'replace').decode()}"


def _readme(checkout: Checkout, path: str, text: str, first: datetime | None) -> Found:
    markdown = path.lower().endswith((".md", ".markdown"))
    title = first_heading(text) if markdown else None
    return Found(
        stable_id=checkout.stable_id(path),
        category=Category.ARTICLE,
        title=title or checkout.name,
        content=text,
        media_type="text/markdown" if markdown else "text/plain",
        url=checkout.address(path),
        published_at=first,
        dated_by="git" if first else "nothing",
        repository=checkout.name,
        listing=checkout.listing,
        as_of=checkout.as_of,
    )


def _code(checkout: Checkout, path: str, text: str, first: datetime | None, language: str) -> Found:
    return Found(
        stable_id=checkout.stable_id(path),
        category=Category.CODE,
        title=path,
        content=text,
        media_type=code_media_type(language),
        url=checkout.address(path),
        published_at=first,
        dated_by="git" if first else "nothing",
        code_language=language,
        repository=checkout.name,
        path=path,
        listing=checkout.listing,
        as_of=checkout.as_of,
    )


def code_media_type(language: str) -> str:
    """The media type of a language's source."""
    return _MEDIA_TYPES.get(language, f"text/x-{language}")
