"""Code in HTML: taken out before a page is converted, put back as fences afterwards, character by character.

No HTML-to-Markdown converter keeps code whole: they collapse blanks, escape characters and drop `<pre>` that looks like
boilerplate. So every block leaves the tree and a token stays in its place.
"""

import hashlib
import re
from dataclasses import dataclass, field

from lxml import html as lxml_html
from lxml.html import HtmlElement

_LANGUAGE_ATTRIBUTES = ("data-code-block-lang", "data-lang", "data-language", "data-code-language")
# GitHub writes highlight-source-x, Prism and CommonMark language-x, WordPress "brush: x", pandoc "sourceCode x",
# highlight.js "hljs x", Hexo "highlight x".
_LANGUAGE_CLASSES = (
    re.compile(
        r"(?:^|\s)(?:(?:language|lang|highlight-source|highlight-text|code-block)-|brush:\s*)([A-Za-z][\w+#.-]*)"
    ),
    re.compile(r"(?:^|\s)(?:sourceCode|hljs|highlight)\s+(?:language-)?([A-Za-z][\w+#.-]*)"),
)
_NO_LANGUAGE = frozenset(
    {"plaintext", "plain", "text", "txt", "none", "nohighlight", "auto", "code", "default", "hljs", "line-numbers"}
)
_GUTTER_CLASS = re.compile(
    r"(?:^|[\s_-])(?:ln|lnt|linenos?|lineno|line-?numbers?|linenumber|line-number|gutter|hljs-ln-numbers|rouge-gutter)(?:$|[\s_-])",
    re.IGNORECASE,
)
_NOT_CODE = frozenset({"button", "svg", "script", "style", "template", "figcaption"})
_LINE_BLOCKS = frozenset({"div", "p", "li", "tr", "ol", "ul", "table", "tbody"})
_NUMBER = re.compile(r"\d{1,5}")
_LIST_MARK = re.compile(r"[ \t>]*(?:[-*+]|\d+[.)])[ \t]*")
_BACKTICKS = re.compile(r"`+")


@dataclass(frozen=True, slots=True)
class CodeBlock:
    """One code block as its author wrote it."""

    code: str
    language: str

    def fence(self, indent: str = "") -> str:
        """The block as fenced Markdown; the fence is longer than any run of backticks in the code."""
        ticks = "`" * max(3, 1 + max((len(run) for run in _BACKTICKS.findall(self.code)), default=0))
        lines = [f"{ticks}{self.language}", *self.code.split("\n"), ticks]
        return "\n".join((indent + line) if line or indent.strip() else line for line in lines)


@dataclass
class CodeBlocks:
    """The blocks taken out of one page, by token."""

    salt: str
    blocks: dict[str, CodeBlock] = field(default_factory=dict)

    def keep(self, block: CodeBlock) -> str:
        """Remember a block; returns the token that stands for it."""
        token = f"codeblock{self.salt}n{len(self.blocks)}x"
        self.blocks[token] = block
        return token

    def restore(self, markdown: str) -> str:
        """Markdown with every token replaced by its fence, at the indentation of the token."""
        if not self.blocks:
            return markdown
        # A converter may have wrapped the token in inline or block code of its own.
        pattern = re.compile(
            rf"(?m)(?P<before>^|[^\n]*?\S[ \t]*)(?P<indent>[ \t>]*)(?:```[^\n]*\n[ \t>]*)?`*"
            rf"(?P<token>codeblock{self.salt}n\d+x)`*(?:\n[ \t>]*```)?(?P<after>[ \t]*(?=\n|$)|)"
        )
        restored = pattern.sub(self._fenced, markdown)
        return re.sub(r"(?<=\n)\n{2,}(?=[ \t>]*`{3,})", "\n", restored)

    def _fenced(self, match: re.Match[str]) -> str:
        before = match["before"]
        fence = self.blocks[match["token"]].fence(_indent(before) if before else match["indent"])
        tail = "" if match["after"] or match.end() == len(match.string) or match.string[match.end()] == "\n" else "\n\n"
        if not before:
            return fence + tail
        if _LIST_MARK.fullmatch(before):  # the block opens a list item
            return before + fence.lstrip(" ") + tail
        return f"{before.rstrip()}\n\n{fence}{tail}"


def _indent(before: str) -> str:
    """What a block below this line begins with, to belong to the same list item or quotation."""
    mark = _LIST_MARK.match(before)
    return re.sub(r"[^>\s]", " ", mark[0]) if mark else re.match(r"[ \t>]*", before)[0]  # type: ignore[index]


def take_out(tree: HtmlElement, source: str) -> CodeBlocks:
    """Replace every code block of the tree, in place, by `<pre>` holding a token."""
    blocks = CodeBlocks(hashlib.sha256(source.encode("utf-8", "replace")).hexdigest()[:10])
    for pre in list(tree.iter("pre")):
        if not _attached(pre, tree) or any(True for _ in pre.iterancestors("pre")):
            continue
        whole = _with_gutter(pre)
        block = CodeBlock(_code(_without_numbers(_code_cell(whole))), _language(pre))
        if block.code.strip():
            _replace(whole, blocks.keep(block))
        else:
            whole.drop_tree()
    return blocks


def _attached(element: HtmlElement, tree: HtmlElement) -> bool:
    return element is tree or any(ancestor is tree for ancestor in element.iterancestors())


def _with_gutter(pre: HtmlElement) -> HtmlElement:
    """The element that is the block: the table where numbers stand in a column of their own, else the `<pre>`."""
    table = next(pre.iterancestors("table"), None)
    if table is not None and _is_gutter_table(table):
        return table
    parent = pre.getparent()
    if parent is not None and parent.tag == "code" and not (parent.text or "").strip() and len(parent) == 1:
        return parent
    return pre


def _is_gutter_table(table: HtmlElement) -> bool:
    cells = list(table.iter("td"))
    first = cells[0].text_content().split() if cells else []
    return len(cells) > 1 and bool(first) and all(_NUMBER.fullmatch(word) for word in first)


def _code_cell(block: HtmlElement) -> HtmlElement:
    """Of a table with a column of numbers, the column with the code."""
    if block.tag != "table":
        return block
    rows = list(block.iter("tr"))
    if len(rows) > 1:
        for row in rows:
            row.remove(row[0])
        return block
    return next(cell for cell in list(block.iter("td"))[1:])


def _without_numbers(block: HtmlElement) -> HtmlElement:
    """Drop line numbers that stand among the code, and what is not code (copy buttons)."""
    for element in [each for each in block.iter() if each.tag in _NOT_CODE]:
        element.drop_tree()
    leaves = [each for each in block.iter() if isinstance(each.tag, str) and each is not block]
    numbers = [each for each in leaves if _NUMBER.fullmatch(each.text_content().strip())]
    values = [int(each.text_content()) for each in numbers]
    counted = len(values) > 1 and values == list(range(values[0], values[0] + len(values)))
    for element in numbers:
        if (counted or _looks_like_gutter(element)) and _attached(element, block):
            element.drop_tree()
    return block


def _looks_like_gutter(element: HtmlElement) -> bool:
    style = (element.get("style") or "").replace(" ", "")
    return bool(_GUTTER_CLASS.search(element.get("class") or "")) or "user-select:none" in style


def _code(block: HtmlElement) -> str:
    parts: list[str] = []
    _walk(block, parts)
    # A browser shows no-break spaces as blanks; no author's code holds them, only its rendering.
    lines = "".join(parts).replace("\r\n", "\n").replace("\r", "\n").replace("\xa0", " ").split("\n")
    while lines and not lines[0].strip():
        lines.pop(0)
    while lines and not lines[-1].strip():
        lines.pop()
    return "\n".join(lines)


def _walk(element: HtmlElement, parts: list[str]) -> None:
    parts.append(element.text or "")
    for child in element:
        tail = child.tail or ""
        if child.tag == "br":
            parts.append("\n")
        elif child.tag in _LINE_BLOCKS:
            _end_line(parts)
            before = len(parts)
            _walk(child, parts)
            if not "".join(parts[before:]).endswith("\n"):
                parts.append("\n")
            tail = tail if tail.strip() else ""
        elif isinstance(child.tag, str):
            _walk(child, parts)
        parts.append(tail)


def _end_line(parts: list[str]) -> None:
    last = next((part for part in reversed(parts) if part), "\n")
    if last.strip() and not last.endswith("\n"):
        parts.append("\n")


def _language(pre: HtmlElement) -> str:
    inner = pre.find(".//code")
    around = [ancestor for ancestor, _ in zip(pre.iterancestors(), range(6), strict=False)]
    if pre.get("lang") and not re.fullmatch(r"[a-z]{2}-[A-Z]{2}", pre.get("lang", "")):
        return str(pre.get("lang")).lower()
    near = [element for element in (inner, pre, *around) if element is not None and element.tag not in ("body", "html")]
    for element in near:
        for name in (*(element.get(attribute) or "" for attribute in _LANGUAGE_ATTRIBUTES), *_in_class(element)):
            if name and name.lower() not in _NO_LANGUAGE:
                return name.lower()
    return ""


def _in_class(element: HtmlElement) -> list[str]:
    names = " ".join((element.get("class") or "").split())
    return [found for pattern in _LANGUAGE_CLASSES for found in pattern.findall(names)]


def _replace(element: HtmlElement, token: str) -> None:
    pre = lxml_html.Element("pre")
    pre.text = token
    pre.tail = element.tail
    parent = element.getparent()
    if parent is None:  # the block is the whole fragment
        element.clear()
        element.tag, element.text = "pre", token
        return
    parent.replace(element, pre)
