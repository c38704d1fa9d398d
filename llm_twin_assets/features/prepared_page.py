"""A page made ready for extractors: code blocks, links and emphasis go through them as marks in plain words."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urljoin

from lxml import etree
from lxml import html as lxml_html
from lxml.html import HtmlElement

from llm_twin_assets.features.code_blocks import find_code, replace
from llm_twin_assets.features.code_fences import CodeBlock
from llm_twin_assets.features.html_tree import drop
from llm_twin_assets.features.marks import Mark, Marks

# Nothing to read in them; gone first, since every later step walks what is left.
_SILENT = ("script", "style", "svg", "link", "meta", "template", "head")
_FORUM = "DiscussionForumPosting"  # trafilatura keeps replies on pages that say so in JSON-LD
_HEADING_LINKS = etree.XPath("//*[self::h1 or self::h2 or self::h3 or self::h4 or self::h5 or self::h6]//a")
_PERMALINK = re.compile(
    r"\W*|link|permalink|anchor|direct link.*|link to (?:this )?(?:heading|section).*", re.IGNORECASE
)
_EMPHASIS = {"b": "strong", "strong": "strong", "em": "emphasis", "i": "emphasis"}
_INLINE_CODE = ("code", "kbd", "samp", "tt")
# trafilatura drops lines that are one of such words by themselves; a mark would hide them from it.
_BUTTONS = frozenset({
    "drucken", "e-mail", "email", "facebook", "flipboard", "google", "instagram", "linkedin", "mail", "pdf",
    "pinterest", "pocket", "print", "qq", "reddit", "twitter", "wechat", "weibo", "whatsapp", "xing",
})  # fmt: skip
_PLACES = (
    "p", "li", "h1", "h2", "h3", "h4", "h5", "h6", "td", "th", "dd", "dt", "blockquote", "div", "section", "article",
    "summary", "span",
)  # fmt: skip
# Boxes around one code block (a title, a copy button, a figure), never around an article.
_BOXES = frozenset({"div", "figure", "span", "code", "center", "font", "p", "table", "tbody", "tr"})
_MOST_BESIDE, _HIGHEST = 60, 8
_FILE_NAME = re.compile(r"[\w@./\\-]*\w\.\w{1,10}")
_LOOKS = (
    "abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "code", "data", "dfn", "em", "font", "img", "ins", "kbd",
    "mark", "nobr", "samp", "small", "strong", "tt", "u", "var", "wbr",
)  # fmt: skip
_LOOKS_COUNT = etree.XPath(f"count({'|'.join(f'//{name}' for name in _LOOKS)})")
_MANY = 1000
_WIDEST = 24
_SHORTEST, _LONGEST = 40, 300


@dataclass(frozen=True, slots=True)
class PreparedPage:
    """The changed tree, what its marks mean, and the places and blocks of code (as marks) in the order of the page."""

    tree: HtmlElement
    marks: Marks
    code: tuple[CodeBlock, ...]
    order: tuple[tuple[Mark, HtmlElement], ...]

    def block_text(self, number: int) -> str:
        """What stands for a code block in the text of a page."""
        return _stand_in(self.marks, number, self.code[number])


def drop_silent(tree: HtmlElement) -> None:
    """Remove, in place, what nobody reads on a page."""
    forum = any(_FORUM in (script.text or "") for script in tree.iterfind(".//script[@type='application/ld+json']"))
    for element in list(tree.iter(*(_SILENT[1:-1] if forum else _SILENT))):
        if element.get("shadowrootmode"):
            element.drop_tag()  # a template that is shown
        else:
            drop(element)


def prepare(tree: HtmlElement, source: str, url: str | None) -> PreparedPage:
    """Make a page ready, in place, after `drop_silent`."""
    marks = Marks.beside("".join(tree.itertext()))
    base = _base(tree, url)
    _drop_permalinks(tree)
    found = find_code(tree, source)
    code = tuple(block for _, block in found)
    stand_ins = _take_out(found, marks)
    _mark_inline(tree, marks, base)
    _flatten(tree)
    _narrow_tables(tree)
    return PreparedPage(tree, marks, code, _order(tree, marks, stand_ins))


def _base(tree: HtmlElement, url: str | None) -> str:
    base = tree.find(".//base[@href]")
    return _joined(url or "", base.get("href") or "") if base is not None else url or ""


def _drop_permalinks(tree: HtmlElement) -> None:
    for link in _HEADING_LINKS(tree):
        if "#" in (link.get("href") or "") and _PERMALINK.fullmatch(link.text_content().strip()):
            drop(link)


def _take_out(found: Sequence[tuple[HtmlElement, CodeBlock]], marks: Marks) -> list[HtmlElement]:
    """Put something with the block's mark where each block was; returns these elements."""
    blocks = {element for element, _ in found}
    stand_ins: list[HtmlElement] = []
    for number, (element, block) in enumerate(found):
        whole, title = _boxed(element, blocks)
        inside = whole.getparent() is not None and whole.getparent().tag in ("p", "a", "span", "b", "strong", "em", "i")
        stand_in = lxml_html.Element("span" if inside else "p")
        stand_in.text = _stand_in(marks, number, block)
        replace(whole, stand_in)
        stand_ins.append(stand_in)
        blocks.add(stand_in)
        if title and not inside:
            caption = lxml_html.Element("p")
            caption.text = title
            marks.around(caption, "code")
            stand_in.addprevious(caption)
    return stand_ins


def _stand_in(marks: Marks, number: int, block: CodeBlock) -> str:
    """The mark of a block and, for extractors go by length, silent marks in place of its words."""
    silent = marks.silent * 5 + " "
    length = min(max(len(block.code) // 2, _SHORTEST), _LONGEST)
    return (marks.put("", Mark("block", number)) + silent * (length // 6)).rstrip()


def _boxed(element: HtmlElement, blocks: set[HtmlElement]) -> tuple[HtmlElement, str]:
    """The box around one block that holds nothing else to read, and the file name in it, if it says one."""
    own = len(element.text_content())
    whole, title = element, ""
    for parent, _ in zip(element.iterancestors(), range(_HIGHEST), strict=False):
        if parent.tag not in _BOXES or parent.getparent() is None:
            break
        beside = parent.text_content()
        if len(beside) - own > 4 * _MOST_BESIDE or len(" ".join(_beside(parent, element).split())) > _MOST_BESIDE:
            break
        if any(each in blocks and each is not element for each in parent.iterdescendants()):
            break
        words = _beside(parent, element).split()
        if parent.tag == "p" and words:
            break
        title = next((word for word in words if _FILE_NAME.fullmatch(word)), title)
        whole = parent
    return whole, title


def _beside(box: HtmlElement, element: HtmlElement) -> str:
    """The words in a box that are not the element's."""
    parts: list[str] = [box.text or ""]
    inside = False
    for event, each in etree.iterwalk(box, events=("start", "end")):
        if each is element:
            inside = event == "start"
        if inside or each is box:
            continue
        parts.append(f" {(each.text if event == 'start' else each.tail) or ''} ")
    return "".join(parts)


def _mark_inline(tree: HtmlElement, marks: Marks, base: str) -> None:
    for element in tree.iter(*_INLINE_CODE):
        marks.around(element, "code")
    for element in tree.iter("a", *_EMPHASIS):
        if element.tag != "a":
            marks.around(element, _EMPHASIS[element.tag])  # type: ignore[arg-type]
        elif (address := _address(element, base)) and element.text_content().strip().lower() not in _BUTTONS:
            marks.around(element, "link", address)


def _flatten(tree: HtmlElement) -> None:
    """Remove tags that are only about looks, now that marks stand for them; the words stay.

    trafilatura does so too, but drops the words behind an empty one; and for it `<code>` would be a block.
    """
    for element in tree.iter("strong", "i"):
        if element.tag == "strong" and "schema-faq-question" in (element.get("class") or ""):
            element.tag = "h3"  # the questions of Yoast's FAQ
        elif element.tag == "i" and (len(element) or element.text):  # an empty one is an icon
            element.tag = "em"
    count = int(_LOOKS_COUNT(tree))
    etree.strip_tags(tree, *_LOOKS)
    if count > _MANY:  # each has left pieces of text, and reading a text in pieces takes the square of their number
        for element in tree.iter():
            element.text, element.tail = element.text, element.tail


def _narrow_tables(tree: HtmlElement) -> None:
    """Bound how far a cell says it spans: trafilatura makes cells of all that."""
    for cell in tree.iter("td", "th"):
        for name in ("rowspan", "colspan"):
            span = cell.get(name)
            if span and not (span.isdecimal() and len(span) < 3 and int(span) <= _WIDEST):
                cell.set(name, "1")


def _address(link: HtmlElement, base: str) -> str:
    """Where a link leads, as Markdown takes it; '' for one that leads nowhere."""
    href = "".join((link.get("href") or "").split("\n")).strip()
    if not href or href == "#" or href.lower().startswith(("javascript:", "data:", "vbscript:")):
        return ""
    address = _joined(base, href).replace(" ", "%20").replace("<", "%3C").replace(">", "%3E")
    return address.replace("(", "%28").replace(")", "%29") if address.count("(") != address.count(")") else address


def _joined(base: str, href: str) -> str:
    try:
        return urljoin(base, href)
    except ValueError:
        return href


def _order(tree: HtmlElement, marks: Marks, stand_ins: Sequence[HtmlElement]) -> tuple[tuple[Mark, HtmlElement], ...]:
    """Give the words around code blocks marks of their own: where a block got lost, they say where it was."""
    if not stand_ins:
        return ()
    order: list[tuple[Mark, HtmlElement]] = []
    numbers = {element: number for number, element in enumerate(stand_ins)}
    for element in tree.iter(*_PLACES):
        if element in numbers:
            order.append((Mark("block", numbers[element]), element))
        elif element.text and not element.text.isspace():
            mark = Mark("place", len(order))
            marks.before(element, "place", len(order))
            order.append((mark, element))
    return tuple(order)
