"""Code blocks that an extractor left out although they belong to the article, put back where they were."""

import re
from collections.abc import Iterator

from lxml import etree
from lxml.html import HtmlElement

from llm_twin_assets.features.marks import Mark
from llm_twin_assets.features.prepared_page import PreparedPage

# Where a page keeps what is not its article.
_ELSEWHERE_TAGS = frozenset({"nav", "footer", "header", "aside"})
_ELSEWHERE = re.compile(
    r"(?:^|[\s_-])(?:comments?|comment-?list|disqus\w*|respond|sidebar|footer|related|recommend\w*|newsletter|menu|navbar|"
    r"breadcrumbs?|cookie\w*|advert\w*|promo)(?:$|[\s_-])",
    re.IGNORECASE,
)


def put_back(page: PreparedPage, body: HtmlElement) -> None:
    """Insert, in place, paragraphs with the marks of lost blocks behind what came before them on the page."""
    kept = dict(_kept(page, body))
    numbers = [at for at, (mark, _) in enumerate(page.order) if mark in kept]
    container = _container([page.order[at][1] for at in numbers])
    around_kept = {ancestor for at in numbers for ancestor in page.order[at][1].iterancestors()}
    behind: HtmlElement | None = None
    for at, (mark, element) in enumerate(page.order):
        if mark in kept:
            behind = kept[mark]
        elif mark.kind == "block":
            between = bool(numbers) and numbers[0] < at < numbers[-1]
            if (between or _is_inside(element, container)) and not _is_elsewhere(element, around_kept, between=between):
                behind = _inserted(page.block_text(int(mark.value)), behind, body)


def _kept(page: PreparedPage, body: HtmlElement) -> Iterator[tuple[Mark, HtmlElement]]:
    """Every mark in the body's text with the part of the body that it stands in."""
    for element in body.iter():
        if isinstance(element.tag, str):
            for text in (element.text, element.tail):
                if text and not text.isascii():
                    for mark in page.marks.read(text):
                        if isinstance(mark, Mark) and mark.kind in ("block", "place"):
                            yield mark, element


def _container(elements: list[HtmlElement]) -> HtmlElement | None:
    """The element of the page that holds all that was kept: the lowest, or the landmark that this is a part of."""
    if not elements:
        return None
    common = list(elements[0].iterancestors())[::-1]
    for element in elements[1:]:
        others = list(element.iterancestors())[::-1]
        common = [one for one, other in zip(common, others, strict=False) if one is other]
    landmark = (each for each in reversed(common) if each.tag in ("article", "main") or each.get("role") == "main")
    return next(landmark, common[-1] if common else None)


def _is_inside(element: HtmlElement, container: HtmlElement | None) -> bool:
    return container is None or any(ancestor is container for ancestor in element.iterancestors())


def _is_elsewhere(element: HtmlElement, around_kept: set[HtmlElement], *, between: bool) -> bool:
    """Whether an element stands in a part of the page that is not the article, and that nothing was kept of."""
    for ancestor in element.iterancestors():
        if ancestor in around_kept or ancestor.tag in ("body", "html"):
            return False
        names = f"{ancestor.get('class') or ''} {ancestor.get('id') or ''}"
        if _ELSEWHERE.search(names) or (ancestor.tag in _ELSEWHERE_TAGS and not (between and ancestor.tag == "aside")):
            return True
    return False


def _inserted(text: str, behind: HtmlElement | None, body: HtmlElement) -> HtmlElement:
    paragraph = etree.Element("p")
    paragraph.text = text
    if behind is None or behind is body:
        paragraph.tail, body.text = body.text, None
        body.insert(0, paragraph)
        return paragraph
    at = behind
    while (parent := at.getparent()) is not None and parent is not body and at.tag not in ("item", "li"):
        at = parent
    if at.tag in ("item", "li"):
        at.append(paragraph)
    else:
        paragraph.tail, at.tail = at.tail, None
        at.addnext(paragraph)
    return paragraph
