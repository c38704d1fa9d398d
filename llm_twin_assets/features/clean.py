"""Raw documents to cleaned ones: the author's words, Markdown and code exactly; only what a platform added goes."""

import hashlib
import re
from collections.abc import Callable
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from lxml import etree

from llm_twin_assets.domain.document import Category, CleanedDocument, RawDocument
from llm_twin_assets.domain.identity import content_hash, digest
from llm_twin_assets.features.chrome import without_chrome
from llm_twin_assets.features.errors import CleaningError
from llm_twin_assets.features.extract import HEADING, Backend, extract, plain_text, without_title
from llm_twin_assets.features.language import detect_language
from llm_twin_assets.features.markdown import fragment_to_markdown
from llm_twin_assets.features.newspaper_backend import MEND
from llm_twin_assets.features.notebook import is_notebook, notebook_markdown
from llm_twin_assets.features.post_text import post_text, without_card_elements
from llm_twin_assets.features.tags import front_matter, tags_of
from resources.errors import ConfigurationError

# Platforms whose HTML is the body of a known make; HTML of any other is a page to be extracted.
_FRAGMENT_PLATFORMS = frozenset({"medium", "substack", "linkedin"})
# What the result depends on: a change in any of them cleans every document again (and embeds only what came out other).
_RULES = (
    "boilerplate", "chrome", "chrome_anywhere", "chrome_flat", "chrome_platforms", "chrome_rules", "clean",
    "code_blocks", "code_fences", "code_language", "code_text", "extract", "extract_cascade", "html_tree",
    "inline_markdown", "language", "lost_code", "markdown", "markdown_blocks", "marks", "near_duplicates",
    "newspaper_backend", "notebook", "page_markdown", "page_metadata", "post_text", "prepared_page", "quality", "tags",
    "text_lines",
    "../collection/engine/cross_posts", "../collection/engine/words", "../collection/reading/front_matter",
    "../collection/reading/notebooks", "../domain/minhash",
)  # fmt: skip
_LIBRARIES = (
    "beautifulsoup4", "datasketch", "htmldate", "lxml", "markdownify", "py3langid", "readability-lxml", "resiliparse",
    "trafilatura",
)  # fmt: skip

_TITLE_LENGTH = 72


@cache
def cleaner(backend: Backend = "cascade") -> str:
    """Version of the cleaning rules: digest of the modules that hold them, the libraries they rely on, the backend."""
    folder = Path(__file__).parent
    files = {name: hashlib.sha256((folder / f"{name}.py").read_bytes()).hexdigest() for name in _RULES}
    libraries = (*_LIBRARIES, *(("newspaper3k",) if backend == "newspaper" else ()))
    try:
        return digest({**files, **{name: version(name) for name in libraries}, "backend": backend})[:16]
    except PackageNotFoundError as error:
        raise ConfigurationError(
            f"extract.backend is {backend}, but {error.name} is not installed", mend=MEND
        ) from None


def clean(raw: RawDocument, backend: Backend = "cascade") -> CleanedDocument:
    """The cleaned document; raises `CleaningError` if nothing readable is left."""
    try:
        text, stated_language, stated_title = _CLEANERS[raw.category](raw, backend)
    except (etree.LxmlError, ValueError, RecursionError) as error:
        raise CleaningError(f"cannot be cleaned: {type(error).__name__}: {error}", where=raw.url or raw.path) from error
    if not any(character.isprintable() and not character.isspace() for character in text):
        raise CleaningError("nothing is left after cleaning", where=raw.url or raw.path)
    title = _one_line(raw.title) or stated_title or _own_title(raw, text)
    if raw.category is Category.ARTICLE:
        text = without_title(text, title) or text
    return CleanedDocument(
        document_id=raw.document_id,
        author=raw.author,
        platform=raw.platform,
        category=raw.category,
        url=raw.url,
        title=title,
        text=text,
        language=None if raw.category is Category.CODE else stated_language or detect_language(text),
        code_language="markdown" if raw.category is Category.CODE and is_notebook(raw) else raw.code_language,
        repository=raw.repository,
        path=raw.path,
        published_at=raw.published_at,
        words=len(text.split()),
        content_hash=content_hash(text),
        raw_hash=raw.content_hash,
        cleaner=cleaner(backend),
        tags=tags_of(raw, text),
    )


def first_words(text: str, length: int = _TITLE_LENGTH) -> str:
    """The first line of a text, cut at a word."""
    line = next((line for line in text.split("\n") if line.strip()), "")
    line = _one_line(line) or ""
    if len(line) <= length:
        return line
    cut = line[: length - 1]
    return (cut.rsplit(" ", 1)[0] if " " in cut[length // 2 :] else cut).rstrip(" ,;:.-–—") + "…"


_Cleaned = tuple[str, str | None, str | None]


def _article(raw: RawDocument, backend: Backend) -> _Cleaned:
    if is_notebook(raw):
        return _notebook(raw)
    if raw.media_type != "text/html":
        page = front_matter(raw)
        text = without_chrome(normalized_lines(page.body))
        return text, None, page.title if page.fields else None
    if raw.platform in _FRAGMENT_PLATFORMS:
        return without_chrome(fragment_to_markdown(raw.content)), None, None
    extracted = extract(raw.content, raw.url, backend)
    return without_chrome(extracted.markdown), extracted.language, extracted.title


def _post(raw: RawDocument, _: Backend) -> _Cleaned:
    if raw.media_type == "text/html":
        return fragment_to_markdown(without_card_elements(raw.content)), None, None
    text = normalized_lines(raw.content)
    return post_text(raw, text) if raw.media_type == "text/plain" else text, None, None


def _code(raw: RawDocument, _: Backend) -> _Cleaned:
    return _notebook(raw) if is_notebook(raw) else (raw.content, None, None)


def _notebook(raw: RawDocument) -> _Cleaned:
    markdown, title = notebook_markdown(raw)
    return normalized_lines(markdown), None, title


_CLEANERS: dict[Category, Callable[[RawDocument, Backend], _Cleaned]] = {
    Category.ARTICLE: _article,
    Category.POST: _post,
    Category.CODE: _code,
}


def normalized_lines(text: str) -> str:
    r"""Text with `\n` line ends, no byte order mark and no outer blank lines; nothing else is touched."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").rstrip()
    return re.sub(r"\A(?:[^\S\n]*\n)+", "", text)


def _own_title(raw: RawDocument, text: str) -> str:
    if raw.category is Category.CODE:
        return raw.path or first_words(text) or raw.document_id
    if raw.category is Category.POST:
        return first_words(text)
    heading = HEADING.match(text)
    named = plain_text(heading["atx"] or heading["setext"]) if heading else plain_text(text)
    return first_words(named) or first_words(text)


def _one_line(text: str | None) -> str | None:
    return " ".join((text or "").split()) or None
