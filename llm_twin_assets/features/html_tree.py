"""HTML text to an lxml tree, whatever state the text is in."""

import re

from lxml import etree
from lxml import html as lxml_html
from lxml.html import HtmlElement

from llm_twin_assets.features.errors import CleaningError

_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>", re.IGNORECASE)
# Not allowed in XML 1.0, hence refused by lxml; they carry no text.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


def parse(html: str) -> HtmlElement:
    """The tree of a page or fragment (its `<html>` element); raises `CleaningError` if there is nothing to parse."""
    source = _CONTROL.sub("", _DECLARATION.sub("", html)).lstrip("\ufeff")
    if not source.strip():
        raise CleaningError("the HTML is empty")
    try:
        # Trees deeper than libxml2's own limit of 256 are cut rather than refused with huge_tree off; keep it off.
        return lxml_html.document_fromstring(source, parser=lxml_html.HTMLParser(encoding=None, remove_pis=True))
    except (etree.LxmlError, ValueError) as error:
        raise CleaningError(f"the HTML cannot be parsed: {error}") from error


def serialize(tree: HtmlElement) -> str:
    """The tree as HTML text."""
    return str(lxml_html.tostring(tree, encoding="unicode"))
