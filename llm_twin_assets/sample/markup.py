"""Markdown to plain HTML, and the few helpers that shape it into a platform's own markup."""

from __future__ import annotations

from collections.abc import Sequence

from bs4 import BeautifulSoup, Tag
from bs4.dammit import EntitySubstitution
from bs4.formatter import HTMLFormatter
from markdown_it import MarkdownIt
from markdown_it.token import Token

# What the three editors can hold. Anything else would be lost in the export, so it stops the build.
_BLOCKS = {"h2", "h3", "p", "ul", "ol", "blockquote", "pre"}
_CONTAINERS = {"[document]", "ul", "ol", "blockquote"}


class _PlatformFormatter(HTMLFormatter):
    """Write `<br>` rather than `<br/>`, escape no more than HTML needs, and keep the attributes in their order."""

    def __init__(self) -> None:
        super().__init__(entity_substitution=EntitySubstitution.substitute_xml, void_element_close_prefix="")

    def attributes(self, tag: Tag) -> list[tuple[str, object]]:  # type: ignore[override]
        """Return the attributes as they were set; the default sorts them by name."""
        return list(tag.attrs.items())


_FORMATTER = _PlatformFormatter()


def render(markdown: str) -> BeautifulSoup:
    """Render an article to HTML without the blank lines between its blocks. Code blocks come through exactly."""
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = _tables_as_code(parser.parse(markdown), markdown.split("\n"))
    soup = BeautifulSoup(parser.renderer.render(tokens, parser.options, {}), "html.parser")
    for string in soup.find_all(string=True):
        if string.isspace() and string.parent is not None and string.parent.name in _CONTAINERS:
            string.extract()
    unknown = {child.name for child in soup.children if isinstance(child, Tag)} - _BLOCKS
    if unknown:
        raise ValueError(f"no platform's editor has these blocks: {sorted(unknown)}")
    return soup


def to_html(soup: Tag) -> str:
    """Write the markup as the platforms do."""
    return soup.decode(formatter=_FORMATTER)


def escape(text: str) -> str:
    """Escape a title or subtitle for use as HTML text."""
    return EntitySubstitution.substitute_xml(text)


def wrap_list_items(soup: BeautifulSoup) -> None:
    """Put the text of each list item into a paragraph, as LinkedIn and Substack do."""
    for item in soup.find_all("li"):
        if item.find("p") is None:
            paragraph = soup.new_tag("p")
            paragraph.extend(list(item.contents))
            item.append(paragraph)


def code_of(pre: Tag) -> tuple[str | None, str]:
    """Return the language and the exact text of a code block, without the line break before its closing fence."""
    code = pre.find("code")
    if not isinstance(code, Tag):
        raise ValueError("a rendered code block holds a code element")
    classes = code.get_attribute_list("class")
    language = next((str(name).removeprefix("language-") for name in classes if name), None)
    return language, code.get_text().removesuffix("\n")


def _tables_as_code(tokens: Sequence[Token], lines: Sequence[str]) -> list[Token]:
    """Put each table's Markdown lines into a code block: the editors have no tables, and this is how she pastes one."""
    kept: list[Token] = []
    inside = False
    for token in tokens:
        if token.type == "table_open" and token.map is not None:
            inside = True
            first, last = token.map
            kept.append(Token("fence", "code", 0, content="\n".join(lines[first:last]).rstrip("\n") + "\n"))
        if not inside:
            kept.append(token)
        if token.type == "table_close":
            inside = False
    return kept
