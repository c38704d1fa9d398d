"""Which part of a page is its article: trafilatura first, others where measurable signs say that it failed."""

import re
from collections.abc import Callable
from copy import deepcopy

from lxml import etree
from lxml.html import HtmlElement

from llm_twin_assets.features.errors import CleaningError
from llm_twin_assets.features.html_tree import STUMBLES, drop, parse, serialize

# trafilatura's own least size of an extraction, in characters.
_LITTLE = 250
# A second opinion replaces a first that is this many times shorter.
_MUCH_LONGER = 2
# Two others that agree do so from here on; they agree if the one is this share of the other.
_LONGER, _ALIKE = 1.5, 0.75
# More than this share of text in links is a list of links.
_LINKS = 0.5
_EMPTIED = ("span", "i", "q", "div", "p", "section", "article", "blockquote", "pre", "li", "h1", "h2", "h3", "h4")
_SENTENCE = 25
# What trafilatura drops before it looks at anything; gone sooner, it is not walked again and again.
_NEVER_ARTICLE = (
    "aside", "footer", "nav", "iframe", "object", "embed", "noscript", "button", "select", "input", "label", "audio",
    "video", "canvas", "picture", "textarea", "fieldset", "menu", "dialog", "map", "time", "applet", "frameset",
)  # fmt: skip
_BLANKS = re.compile(r"\s+")


def main_content(page: HtmlElement, url: str | None) -> HtmlElement | None:
    """The article of a page as a tree (HTML or trafilatura's names); None if there is none."""
    slim = deepcopy(page)
    etree.strip_elements(slim, *_NEVER_ARTICLE, with_tail=False)
    for tree in (page, slim):
        _keep_words_behind_nothing(tree)
    available = _text_length(slim) - sum(len(link.text_content()) for link in slim.iter("a"))
    body = _trafilatura(slim, url, fast=True)
    if _is_sure(body, available):
        return body
    body = _trafilatura(page, url, fast=False)
    own = _text_length(body)
    if _MUCH_LONGER * own >= available:
        return body
    second = _second_opinion(page, own)
    return body if second is None else second


def _second_opinion(page: HtmlElement, own: int) -> HtmlElement | None:
    """What two other algorithms find alike, if that is clearly more; any, where trafilatura found next to nothing."""
    others = [_resiliparse(page)]
    if own < _LITTLE or _text_length(others[0]) > _LONGER * own:
        others.insert(0, _readability(page))
    lengths = [_text_length(other) for other in others]
    if len(others) > 1 and min(lengths) > _LONGER * own and min(lengths) >= _ALIKE * max(lengths):
        return others[0]
    if own >= _LITTLE:
        return None
    pairs = zip(others, lengths, strict=True)
    return next((other for other, length in pairs if length > _MUCH_LONGER * own and _link_share(other) < _LINKS), None)


def _is_sure(body: HtmlElement | None, available: int) -> bool:
    """Whether comparing with other algorithms could not change trafilatura's result.

    It takes another's only where that is more than twice as long, or where its own is short, has no paragraph or more
    tables than paragraphs.
    """
    length = _text_length(body)
    if body is None or length < _LITTLE or _MUCH_LONGER * length < available:
        return False
    paragraphs = body.findall(".//p")
    return len(body.findall(".//table")) <= len(paragraphs) and any(True for p in paragraphs for _ in p.itertext())


def _keep_words_behind_nothing(tree: HtmlElement) -> None:
    """Save the sentences that follow an empty element: for precision, trafilatura drops it with the text behind it.

    That is right for the word behind an icon, and wrong for a paragraph behind the place of an advertisement.
    """
    for element in list(tree.iter(*_EMPTIED)):
        if len(element) == 0 and element.text is None and len((element.tail or "").strip()) >= _SENTENCE:
            if element.tag in ("span", "i", "q"):
                drop(element)
            else:
                element.tag = "br"


def _trafilatura(page: HtmlElement, url: str | None, *, fast: bool) -> HtmlElement | None:
    from trafilatura import bare_extraction

    options = {"favor_precision": True, "include_comments": False, "include_tables": True, "output_format": "txt"}
    try:
        document = bare_extraction(page, url=url, fast=fast, **options)
    except STUMBLES:
        return None
    return None if document is None else document.body


def _readability(page: HtmlElement) -> HtmlElement | None:
    from readability import Document

    return _parsed(lambda: str(Document(serialize(page)).summary(html_partial=True)))


def _resiliparse(page: HtmlElement) -> HtmlElement | None:
    from resiliparse.extract.html2text import extract_plain_text

    html = serialize(page)
    return _parsed(lambda: extract_plain_text(html, "minimal_html", main_content=True, links=True, comments=False))


def _parsed(read: Callable[[], str]) -> HtmlElement | None:
    try:
        return parse(read())
    except (CleaningError, *STUMBLES):
        return None


def _length(text: str) -> int:
    return len(_BLANKS.sub(" ", text))


def _text_length(body: HtmlElement | None) -> int:
    return 0 if body is None else _length(" ".join(body.itertext()))


def _link_share(body: HtmlElement | None) -> float:
    if body is None:
        return 1.0
    links = sum(len(link.text_content()) for link in body.iter("a"))
    return links / max(1, _text_length(body))
