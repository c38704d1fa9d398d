"""The little that collection needs of HTML: an element's inside as exported, and a short text with its line breaks."""

import re
from collections.abc import Iterable

from bs4 import BeautifulSoup, Tag
from bs4.dammit import EntitySubstitution
from bs4.element import AttributeValueList, PageElement
from bs4.formatter import HTMLFormatter

_BLOCKS = ("p", "h1", "h2", "h3", "h4", "h5", "h6", "li", "blockquote", "pre")
# What HTML itself folds; a no-break space is the author's.
_BLANKS = re.compile(r"[ \t\r\n]+")


class _AsWritten(HTMLFormatter):
    """bs4 would sort attributes; an export is kept as it came."""

    def attributes(self, tag: Tag) -> Iterable[tuple[str, str | AttributeValueList | None]]:
        """In the order of the export."""
        return list(tag.attrs.items())


def parse(html: str) -> BeautifulSoup:
    """Parse a page or a fragment."""
    return BeautifulSoup(html, "lxml")


def words_of(element: Tag | None) -> str:
    """An element's text on one line, empty if there is no element."""
    return " ".join(element.get_text().split()) if element else ""


def attribute(element: Tag | None, name: str) -> str | None:
    """An attribute that is there and not empty."""
    value = element.get(name) if element else None
    return value if isinstance(value, str) and value else None


def inner_html(element: Tag) -> str:
    """What is inside an element, as markup."""
    return element.decode_contents(formatter=_AsWritten(entity_substitution=EntitySubstitution.substitute_xml)).strip()


def plain_text(element: Tag) -> str:
    """Text for a post: a blank line between blocks, `<br>` as a line break, spaces inside `<pre>` kept."""
    blocks = [block for block in element.find_all(_BLOCKS) if not block.find(_BLOCKS)]
    texts = [_block_text(block) for block in blocks or [element]]
    return "\n\n".join(text for text in texts if text)


def _block_text(block: Tag) -> str:
    verbatim = block.name == "pre"
    pieces = [_piece(node, verbatim) for node in block.descendants]
    lines = "".join(pieces).split("\n")
    return "\n".join(line.rstrip() if verbatim else line.strip() for line in lines).strip("\n" if verbatim else None)


def _piece(node: PageElement, verbatim: bool) -> str:
    if isinstance(node, Tag):
        return "\n" if node.name == "br" else ""
    text = str(node)
    return text if verbatim else _BLANKS.sub(" ", text)
