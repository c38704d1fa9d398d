"""A web page's article: Markdown with code kept exactly, plain text, and what the page says about itself."""

import re
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from lxml import etree
from lxml.html import HtmlElement

from llm_twin_assets.features import extract_cascade, newspaper_backend
from llm_twin_assets.features.errors import CleaningError
from llm_twin_assets.features.html_tree import parse
from llm_twin_assets.features.language import detect_language
from llm_twin_assets.features.lost_code import put_back
from llm_twin_assets.features.markdown import drop_chrome, platform_body, to_markdown
from llm_twin_assets.features.page_markdown import Block, PageReader
from llm_twin_assets.features.page_metadata import guessed_date, guessed_names, page_metadata
from llm_twin_assets.features.prepared_page import PreparedPage, drop_silent, prepare

Backend = Literal["cascade", "newspaper"]

HEADING = re.compile(
    r"#{1,6}[ \t]+(?P<atx>.+?)[ \t]*#*[ \t]*(?:\n|$)|(?P<setext>[^\n#>\-*`|].*)\n(?:=+|-{2,})[ \t]*(?:\n|$)"
)
_LINK = re.compile(r"!?\[([^\]\n]*)\]\([^()\s]*(?:\([^()\s]*\)[^()\s]*)*(?:\s+\"[^\"\n]*\")?\)")
_MARKS = re.compile(r"(?m)^(?:#{1,6}[ \t]+|[ \t]*>[ \t]?)|(?<!\w)(\*\*|__)(?=\S)|(?<=\S)(\*\*|__)(?!\w)")
_FENCE_LINE = re.compile(r"^[ \t>]*(`{3,}|~{3,})[^`\n]*$")
_TOP = 3
_MARKUP = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Extracted:
    """One page's article and metadata."""

    title: str | None
    author: str | None
    published_at: datetime | None
    language: str | None
    canonical_url: str | None
    markdown: str
    text: str


def extract(html: str, url: str | None = None, backend: Backend = "cascade") -> Extracted:
    """The article of a page, or of a platform's body; raises `CleaningError` if there is no text in it."""
    tree = parse(html)
    known = guessed_date(tree, page_metadata(tree, url))
    body = platform_body(tree, html) if backend == "cascade" else None
    drop_silent(tree)
    if not (known.title and known.author):
        known = guessed_names(tree, html, known)
    if body is not None:
        blocks = _whole(deepcopy(body), html, url)
        markdown = to_markdown(body, html)
    else:
        blocks = _found(prepare(tree, html, url), url, known.language, backend)
        markdown = "\n\n".join(block.markdown for block in blocks)
    text = "\n\n".join(block.text for block in _without_title(blocks, known.title))
    if not markdown:
        raise CleaningError("no text was found on the page")
    return Extracted(
        title=known.title,
        author=known.author,
        published_at=known.published_at,
        language=known.language or detect_language(text),
        canonical_url=known.canonical_url,
        markdown=markdown,
        text=text,
    )


def _whole(body: HtmlElement, html: str, url: str | None) -> list[Block]:
    drop_chrome(body)
    page = prepare(body, html, url)
    return PageReader(page.marks, page.code).blocks(page.tree)


def _found(page: PreparedPage, url: str | None, language: str | None, backend: Backend) -> list[Block]:
    if backend == "newspaper":
        body = newspaper_backend.main_content(page.tree, language)
    else:
        body = extract_cascade.main_content(page.tree, url)
    if body is None and not page.code:
        return []
    body = etree.Element("body") if body is None else body
    put_back(page, body)
    return PageReader(page.marks, page.code).blocks(body)


def _without_title(blocks: Sequence[Block], title: str | None) -> Sequence[Block]:
    """The blocks without a heading on top that is the title: it is a field of its own."""
    for at, block in enumerate(blocks[:_TOP] if len(blocks) > 1 else ()):
        if block.kind == "heading" and title and bare(block.text) == bare(title):
            return [*blocks[:at], *blocks[at + 1 :]]
    tops = [at for at, block in enumerate(blocks) if block.kind == "heading" and block.markdown.startswith("# ")]
    return blocks[1:] if tops == [0] and len(blocks) > 1 else blocks


def without_title(markdown: str, title: str) -> str:
    """Markdown without a first heading that only repeats the title."""
    match = HEADING.match(markdown)
    if not match or bare(match["atx"] or match["setext"]) != bare(title):
        return markdown
    return markdown[match.end() :].lstrip("\n")


def bare(text: str) -> str:
    """Letters and digits alone, to compare headings whatever their markup."""
    return _MARKUP.sub("", plain_text(text)).casefold() or text.strip()


def plain_text(markdown: str) -> str:
    """Markdown without its marks: words, paragraphs and code remain."""
    lines: list[str] = []
    fence = ""
    for line in markdown.split("\n"):
        mark = _FENCE_LINE.match(line)
        if mark and (not fence or mark[1].startswith(fence)):
            fence = "" if fence else mark[1]
            continue
        lines.append(line if fence else _MARKS.sub("", _LINK.sub(r"\1", line)).replace("`", ""))
    return "\n".join(lines).strip("\n")
