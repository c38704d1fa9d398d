"""GitHub, from a local clone or bundle: the code files of the tree at HEAD, byte for byte, and READMEs as articles."""

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

from pydantic import model_validator
from pydantic_core import PydanticCustomError

from llm_twin_assets.collection.code_files import (
    MAX_BYTES,
    is_binary,
    is_foreign,
    is_generated,
    is_readme,
    language_of,
)
from llm_twin_assets.collection.connector import (
    Collectable,
    Connector,
    Found,
    LocalPath,
    Quarantined,
    SourceOptions,
    WebUrl,
)
from llm_twin_assets.collection.decoding import decode
from llm_twin_assets.collection.export import ExportError
from llm_twin_assets.collection.front_matter import first_heading
from llm_twin_assets.collection.git import (
    Blob,
    clone_bundle,
    contents,
    first_commits,
    head_branch,
    require_repository,
    tree,
)
from llm_twin_assets.domain.document import Category

# `text/x-LANGUAGE`, as Pygments and file(1) name source; only these have names of their own (RFC 9239, RFC 2318).
_MEDIA_TYPES = {"javascript": "text/javascript", "css": "text/css"}


class GithubOptions(SourceOptions):
    """Either `clone` (a folder) or `bundle` (a file). `url`: the repository's address, for links to its files."""

    clone: LocalPath | None = None
    bundle: LocalPath | None = None
    url: WebUrl | None = None

    @model_validator(mode="after")
    def _one_of_two(self) -> "GithubOptions":
        if (self.clone is None) == (self.bundle is None):
            raise PydanticCustomError("one_of_two", "give either 'clone' (a folder) or 'bundle' (a file)")
        return self


@dataclass(frozen=True, slots=True)
class _Repository:
    """A repository on this disk at one branch, and what it is called elsewhere."""

    folder: Path
    shown_as: str
    name: str
    branch: str
    url: str | None

    def address(self, path: str) -> str | None:
        return f"{self.url}/blob/{quote(self.branch)}/{quote(path)}" if self.url else None

    def stable_id(self, path: str) -> str:
        # Without the branch: renaming master to main leaves every document what it was.
        return f"{self.url or f'git:{self.name}'}#{path}"


def collect(options: GithubOptions) -> Iterator[Collectable]:
    """Every code file and README that nobody generated or vendored."""
    with _opened(options) as repository:
        blobs = [blob for blob in tree(repository.folder, repository.branch) if _is_wanted(blob)]
        if not blobs:
            raise ExportError(
                "holds neither code nor a README at HEAD", where=repository.shown_as, mend="Remove the source."
            )
        dates = first_commits(repository.folder, repository.branch)
        for blob, data in contents(repository.folder, blobs):
            found = _read(repository, blob.path, data, dates.get(blob.path))
            if found:
                yield found


CONNECTOR = Connector(
    platform="github",
    categories=frozenset({Category.CODE, Category.ARTICLE}),
    options=GithubOptions,
    collect=collect,
    description="Code files and READMEs from a local clone or bundle.",
)


@contextmanager
def _opened(options: GithubOptions) -> Iterator[_Repository]:
    source = options.clone or options.bundle
    if source is None:
        raise ExportError("neither 'clone' nor 'bundle' is given")
    name = _name(options.url, source)
    if options.clone:
        require_repository(source)
        yield _Repository(source, str(source), name, head_branch(source), options.url)
        return
    with tempfile.TemporaryDirectory(prefix="llm-twin-") as temporary:
        folder = Path(temporary, "repository.git")
        clone_bundle(source, folder)
        yield _Repository(folder, str(source), name, head_branch(folder), options.url)


def _name(url: str | None, source: Path) -> str:
    """`owner/name` where the address says it, else the name of folder or bundle."""
    known = re.search(r"//[^/]+/([^/]+/[^/]+?)(?:\.git)?$", url) if url else None
    return known.group(1) if known else source.resolve().name.removesuffix(".bundle").removesuffix(".git")


def _is_wanted(blob: Blob) -> bool:
    if not 0 < blob.size <= MAX_BYTES or is_foreign(blob.path):
        return False
    return is_readme(blob.path) or language_of(blob.path) is not None


def _read(repository: _Repository, path: str, data: bytes, first: datetime | None) -> Collectable | None:
    if is_binary(data):
        return None
    text = decode(data, f"{repository.shown_as}:{path.encode('utf-8', 'replace').decode()}")
    if isinstance(text, Quarantined):
        return text
    if not text.strip():
        return None  # an empty __init__.py is no document
    if is_readme(path):
        return _readme(repository, path, text, first)
    return None if is_generated(text) else _code(repository, path, text, first)


def _readme(repository: _Repository, path: str, text: str, first: datetime | None) -> Found:
    markdown = path.lower().endswith((".md", ".markdown"))
    title = first_heading(text) if markdown else None
    return Found(
        stable_id=repository.stable_id(path),
        category=Category.ARTICLE,
        title=title or repository.name,
        content=text,
        media_type="text/markdown" if markdown else "text/plain",
        url=repository.address(path),
        published_at=first,
        dated_by="git" if first else "nothing",
        repository=repository.name,
    )


def _code(repository: _Repository, path: str, text: str, first: datetime | None) -> Found:
    language = language_of(path) or "text"
    return Found(
        stable_id=repository.stable_id(path),
        category=Category.CODE,
        title=path,
        content=text,
        media_type=_MEDIA_TYPES.get(language, f"text/x-{language}"),
        url=repository.address(path),
        published_at=first,
        dated_by="git" if first else "nothing",
        code_language=language,
        repository=repository.name,
        path=path,
    )
