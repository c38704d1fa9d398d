"""Code in HTML: found before a page is converted, whatever markup shows it.

No HTML-to-Markdown converter keeps code whole: they collapse blanks, escape characters and drop what looks like
boilerplate. So every block is read first, and something that stands for it goes through the converter instead.
"""

import hashlib
import re
from collections.abc import Iterator
from functools import cache
from textwrap import dedent

from lxml import etree
from lxml import html as lxml_html
from lxml.html import HtmlElement

from llm_twin_assets.features.code_fences import CodeBlock, CodeBlocks
from llm_twin_assets.features.code_language import code_language
from llm_twin_assets.features.code_text import code_text, is_gutter, is_numbers
from llm_twin_assets.features.html_tree import is_within

_PREFORMATTED = frozenset({"pre", "xmp", "listing"})
_INLINE_CODE = frozenset({"code", "samp", "tt", "kbd"})
# Editors and highlighters that build a block of `<div>`s or tables: SyntaxHighlighter, Crayon (WordPress), CodeMirror 5
# and 6, Monaco, Ace, W3Schools, dp.SyntaxHighlighter 1, Notion, Writerside.
_EDITORS = (
    "syntaxhighlighter", "crayon-syntax", "CodeMirror", "cm-content", "view-lines", "ace_text-layer", "w3-code",
    "dp-highlighter", "notion-code-block", "code-block", "codeblock", "code-snippet", "react-code-lines",
)  # fmt: skip
# Elements that show code line by line, a table row each: GitHub and Gitea files, gists and diffs, Gitiles.
_LINE_CELLS = ("blob-code", "FileContents-lineContents", "lines-code")
_STYLE = "white-space"
_STYLED_PRE = re.compile(r"white-space:\s*(?:pre|pre-wrap|break-spaces)\s*(?:;|$)")
_MONOSPACE = re.compile(r"monospace|courier|consolas|menlo|monaco", re.IGNORECASE)
_CODE_CLASS = re.compile(
    r"(?:^|[\s_-])(?:hljs|block|code|highlight\w*|prism|language|lang|shiki|prettyprint|source)(?:$|[\s_-])"
)
_THEME = re.compile(r"dark|light", re.IGNORECASE)


def take_out(tree: HtmlElement, source: str) -> CodeBlocks:
    """Replace every code block of the tree, in place, by `<pre>` holding a token."""
    blocks = CodeBlocks(hashlib.sha256(source.encode("utf-8", "replace")).hexdigest()[:10])
    for element, block in find_code(tree, source):
        pre = lxml_html.Element("pre")
        pre.text = blocks.keep(block)
        replace(element, pre)
    return blocks


def replace(element: HtmlElement, new: HtmlElement) -> None:
    """Put `new` where `element` is; an element that is the whole tree becomes it."""
    new.tail = element.tail
    parent = element.getparent()
    if parent is None:
        text, tag = new.text, new.tag
        element.clear()
        element.tag, element.text = tag, text
        return
    parent.replace(element, new)


@cache
def _candidates(names: tuple[str, ...]) -> etree.XPath:
    """Finds what may be code: by its tag, by one of these words in its class, by its style if "white-space" is one."""
    tags = (*sorted(_PREFORMATTED), *sorted(_INLINE_CODE), "textarea")
    wanted = " or ".join(f"contains(@{'style' if name == _STYLE else 'class'}, '{name}')" for name in names)
    paths = [*(f"descendant-or-self::{tag}" for tag in tags), *([f"descendant-or-self::*[{wanted}]"] if wanted else [])]
    return etree.XPath("|".join(paths))


def find_code(tree: HtmlElement, source: str) -> list[tuple[HtmlElement, CodeBlock]]:
    """Every code block with the element that is all of it, in the order of the page.

    The elements are emptied of what is no code; blocks without any code leave the tree. `source` is the page's HTML, to
    look only for what it may hold.
    """
    names = tuple(name for name in (*_EDITORS, *_LINE_CELLS, _STYLE) if name in source)
    found: list[tuple[HtmlElement, CodeBlock]] = []
    claimed: set[HtmlElement] = set()
    for candidate in _candidates(names)(tree):
        if not is_within(candidate, tree) or any(each in claimed for each in candidate.iterancestors()):
            continue
        whole = _whole(candidate)
        if whole is None or whole in claimed or (whole is not candidate and not is_within(whole, tree)):
            continue
        claimed.add(whole)
        language = code_language(candidate)
        code = _code(whole)
        if code.strip() and not (found and _is_other_theme(whole, code, *found[-1])):
            found.append((whole, CodeBlock(code, language)))
        elif whole.getparent() is not None:
            whole.drop_tree()
    return found


def _is_other_theme(element: HtmlElement, code: str, before: HtmlElement, block: CodeBlock) -> bool:
    """Whether an element is the one before it once more, for the dark or the light."""
    names = f"{element.get('class')} {element.get('data-theme')}"
    return code == block.code and element.getparent() is before.getparent() and bool(_THEME.search(names))


def _whole(candidate: HtmlElement) -> HtmlElement | None:
    """The element that is the block which a candidate belongs to; None if it is no block of code."""
    if candidate.tag in _PREFORMATTED:
        return _around_pre(candidate)
    if candidate.tag == "textarea":
        return candidate if _is_code_area(candidate) else None
    if candidate.tag in _INLINE_CODE:
        return candidate if _is_block(candidate) else None
    classes = (candidate.get("class") or "").split()
    if any(name in classes for name in _LINE_CELLS):
        return next(candidate.iterancestors("table"), None)
    if any(name in classes for name in _EDITORS):
        return candidate if _is_editor(candidate, classes) else None
    return candidate if _is_styled_code(candidate) else None


def _around_pre(pre: HtmlElement) -> HtmlElement | None:
    """The table where numbers stand in a column of their own, else the `<pre>`, with the `<code>` around it."""
    if is_gutter(pre) and is_numbers(pre.text_content()):
        pre.drop_tree()
        return None
    table = next(pre.iterancestors("table"), None)
    if table is not None and _is_gutter_table(table):
        return table
    parent = pre.getparent()
    if parent is not None and parent.tag == "code" and not (parent.text or "").strip() and len(parent) == 1:
        return parent
    return pre


def _is_gutter_table(table: HtmlElement) -> bool:
    first = next(table.iter("td", "th"), None)
    if first is None or next(first.itersiblings("td", "th"), None) is None:
        return False
    return is_numbers(" ".join(first.itertext())) or (is_gutter(first) and not first.text_content().strip())


def _is_code_area(area: HtmlElement) -> bool:
    names = f"{area.get('class') or ''} {area.get('id') or ''}".replace("_", "-")
    return "\n" in (area.text or "").strip() and (bool(_CODE_CLASS.search(names)) or "cursor-text-area" in names)


def _is_block(code: HtmlElement) -> bool:
    """Whether code outside of `<pre>` is shown as a block: it has lines, or is by itself and named as one."""
    filled = len(_lines(code))
    classes = f"{code.get('class') or ''} {code.get('style') or ''}"
    named = bool(_CODE_CLASS.search(classes)) or "display:block" in classes.replace(" ", "")
    in_cell = next(code.iterancestors("td", "th"), None) is not None
    if filled > 1 and not (in_cell and filled == 2):  # two short lines in a cell are a cell
        text = code.text_content()
        return named or code.find(".//br") is not None or filled > 2 or "\n  " in text or "\n\t" in text
    return filled == 1 and named and _stands_alone(code)


def _stands_alone(element: HtmlElement) -> bool:
    parent = element.getparent()
    if parent is None or parent.tag not in ("div", "figure", "section", "article", "main", "body"):
        return False
    before = element.getprevious()
    text_before = parent.text if before is None else before.tail
    return not (text_before or "").strip() and not (element.tail or "").strip()


def _is_editor(element: HtmlElement, classes: list[str]) -> bool:
    """Whether a box that is called an editor shows code itself, not around a `<pre>` that will be found in it."""
    if "CodeMirror" in classes or "crayon-syntax" in classes:
        return True
    if next(element.iter(*_PREFORMATTED), None) is not None:
        return False
    if classes and any(name in ("code-block", "codeblock", "code-snippet") for name in classes):
        return next(element.iter(*_INLINE_CODE, "p"), None) is None and len(_lines(element)) > 1
    return True


def _is_styled_code(element: HtmlElement) -> bool:
    style = element.get("style") or ""
    match = _STYLED_PRE.search(style)
    if not match or next(element.iter(*_PREFORMATTED, "p", "h1", "h2", "h3"), None) is not None:
        return False
    monospaced = bool(_MONOSPACE.search(style)) or bool(_CODE_CLASS.search(element.get("class") or ""))
    return len(_lines(element)) > 1 and (monospaced or "pre;" in match[0].replace(" ", "") + ";")


def _lines(element: HtmlElement) -> list[str]:
    """Lines with something on them, as markup breaks them."""
    if len(element) == 0:
        return [line for line in (element.text or "").split("\n") if line.strip()]
    parts: list[str] = []
    for event, each in etree.iterwalk(element, events=("start", "end")):
        if event == "start":
            parts.append("\n" if each.tag in ("br", "div") else "")
            parts.append(each.text or "")
        elif each is not element:
            parts.append(("\n" if each.tag == "div" else "") + (each.tail or ""))
    return [line for line in "".join(parts).split("\n") if line.strip()]


def _code(whole: HtmlElement) -> str:
    area = whole if whole.tag == "textarea" else None
    if "crayon-syntax" in (whole.get("class") or ""):
        area = whole.find(".//textarea")  # what it keeps for copying, beside what it shows
    if area is not None:
        return (area.text or "").replace("\r\n", "\n").strip("\n").rstrip()
    if whole.tag == "table":
        return "\n".join(code_text(cell) for cell in _code_cells(whole)).strip("\n")
    if whole.tag == "code" and len(whole) == 1 and whole[0].tag == "pre":
        return code_text(whole[0])
    # Outside of `<pre>` the indentation of the page's source is none of the code's.
    return code_text(whole) if whole.tag in _PREFORMATTED else dedent(code_text(whole))


def _code_cells(table: HtmlElement) -> Iterator[HtmlElement]:
    """The cells of a table with line numbers that hold the code: one, or one a line."""
    cells = list(table.iter("td", "th"))
    marked = [cell for cell in cells if any(name in (cell.get("class") or "").split() for name in _LINE_CELLS)]
    if marked:
        yield from marked
        return
    for row in table.iter("tr"):
        code = [cell for cell in row if not (is_gutter(cell) or is_numbers(" ".join(cell.itertext())))]
        yield from code[-1:]
