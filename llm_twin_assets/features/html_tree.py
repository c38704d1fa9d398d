"""HTML text to an lxml tree, whatever state the text is in, and the few things one does with such a tree."""

import re

from lxml import etree
from lxml import html as lxml_html
from lxml.html import HtmlElement

from llm_twin_assets.features.errors import CleaningError

# What libraries that read others' pages raise over one that they did not expect.
STUMBLES = (
    etree.LxmlError, ValueError, TypeError, AttributeError, LookupError, ArithmeticError, AssertionError,
    RecursionError,
)  # fmt: skip
_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>", re.IGNORECASE)
# Not allowed in XML 1.0, hence refused by lxml; they carry no text.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
# What no page of words needs: beyond these, nodes are dropped, so that no later step takes time or stack without end.
_DEEPEST = 150
_MOST_ELEMENTS = 60_000
_DEEP = etree.XPath("/*" * _DEEPEST)
_COUNT = etree.XPath("count(//*)")


def parse(html: str) -> HtmlElement:
    """The tree of a page or fragment (its `<html>` element); raises `CleaningError` if there is nothing to parse."""
    source = _CONTROL.sub("", _DECLARATION.sub("", html)).lstrip("\ufeff")
    if not source.strip():
        raise CleaningError("the HTML is empty")
    parser = lxml_html.HTMLParser(encoding="utf-8", remove_pis=True, remove_comments=True, collect_ids=False)
    try:
        tree = lxml_html.document_fromstring(source.encode("utf-8"), parser=parser)
    except (etree.LxmlError, ValueError) as error:
        raise CleaningError(f"the HTML cannot be parsed: {error}") from error
    _bound(tree)
    return tree


def serialize(tree: HtmlElement) -> str:
    """The tree as HTML text."""
    return str(lxml_html.tostring(tree, encoding="unicode"))


def drop(element: HtmlElement) -> None:
    """Remove an element and all in it from its tree; the text after it stays."""
    if element.getparent() is not None:
        element.drop_tree()


def is_within(element: HtmlElement, tree: HtmlElement) -> bool:
    """Whether an element is (still) part of a tree."""
    return element is tree or any(ancestor is tree for ancestor in element.iterancestors())


def _bound(tree: HtmlElement) -> None:
    """Cut a tree to a size that everything can walk: tags below a depth go, elements beyond a number go."""
    for element in _DEEP(tree):
        etree.strip_tags(element, "*")
    if _COUNT(tree) > _MOST_ELEMENTS:
        for element in reversed(list(tree.iter())[_MOST_ELEMENTS:]):
            parent = element.getparent()
            if parent is not None:
                parent.remove(element)
