"""A web page's article: Markdown with code kept exactly, plain text, and what the page says about itself.

trafilatura (precision) finds the article on a whole page; code is taken out before and put back after it.
"""

import re
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import datetime

from lxml.html import HtmlElement

from llm_twin_assets.features.code_blocks import take_out
from llm_twin_assets.features.errors import CleaningError
from llm_twin_assets.features.html_tree import parse, serialize
from llm_twin_assets.features.markdown import drop_chrome, tidy, to_markdown
from llm_twin_assets.features.page_metadata import PageMetadata, instant, page_metadata

# Where trafilatura finds nothing, the page's own landmarks are asked, in this order.
_LANDMARKS = (".//article", ".//main", ".//*[@role='main']", ".//body")
_LINK = re.compile(r"!?\[([^\]\n]*)\]\([^()\s]*(?:\([^()\s]*\)[^()\s]*)*(?:\s+\"[^\"\n]*\")?\)")
_MARKS = re.compile(r"(?m)^(?:#{1,6}[ \t]+|[ \t]*>[ \t]?)|(?<!\w)(\*\*|__)(?=\S)|(?<=\S)(\*\*|__)(?!\w)")
_FENCE_LINE = re.compile(r"^[ \t>]*(`{3,}|~{3,})[^`\n]*$")


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


def extract(html: str, url: str | None = None) -> Extracted:
    """The article of a whole page; raises `CleaningError` if there is no text in it."""
    tree = parse(html)
    known = page_metadata(tree, url)
    if not (known.title and known.author and known.published_at):
        known = _guessed(tree, known)
    markdown = _article(tree, html, url)
    if not markdown:
        raise CleaningError("no text was found on the page")
    return Extracted(
        title=known.title,
        author=known.author,
        published_at=known.published_at,
        language=known.language,
        canonical_url=known.canonical_url,
        markdown=markdown,
        text=plain_text(markdown),
    )


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


def _article(tree: HtmlElement, html: str, url: str | None) -> str:
    import trafilatura

    page = deepcopy(tree)
    blocks = take_out(page, html)
    drop_chrome_of_page(page)
    markdown = trafilatura.extract(
        serialize(page),
        url=url,
        output_format="markdown",
        favor_precision=True,
        include_comments=False,
        include_tables=True,
        include_links=True,
        include_images=False,
        include_formatting=True,
    )
    if markdown and markdown.strip():
        return tidy(blocks.restore(markdown))
    landmark = next((found for path in _LANDMARKS if (found := tree.find(path)) is not None), tree)
    return to_markdown(landmark, html)


def drop_chrome_of_page(page: HtmlElement) -> None:
    """Platform boxes go; the page's head stays, since trafilatura reads it."""
    body = page.find("body")
    if body is not None:
        drop_chrome(body)


def _guessed(tree: HtmlElement, known: PageMetadata) -> PageMetadata:
    """Fill in what the page does not state from trafilatura's heuristics."""
    from trafilatura.metadata import extract_metadata

    guess = extract_metadata(deepcopy(tree), default_url=known.canonical_url, extensive=False)
    return replace(
        known,
        title=known.title or guess.title,
        author=known.author or guess.author,
        published_at=known.published_at or instant(guess.date),
    )
