"""The characters of one code block, read from its markup: line breaks as a browser shows them, no line numbers.

Highlighters wrap every word, number lines in columns or in front of each line, and put buttons between; none of this is
the author's. Everything else is kept character by character.
"""

import re

from lxml.html import HtmlElement

from llm_twin_assets.features.html_tree import drop

_GUTTER = re.compile(
    r"(?:^|[\s_-])(?:ln|lnt|linenos?|lineno|line-?numbers?|line-?nums?|linenumbers|gutter|nums|blob-num|u-linenum|"
    r"hljs-ln-numbers|hljs-ln-n|rouge-gutter|src-line-numbers|cm-gutters|codemirror-gutter-wrapper|data-nosnippet)"
    r"(?:$|[\s_-])",
    re.IGNORECASE,
)
# Buttons and hints of the page. twoslash shows a compiler's types in boxes between the lines.
_CHROME = re.compile(
    r"(?:^|[\s_-])(?:copy|clipboard|toolbar|btn|button|tooltip|twoslash-popup[\w-]*|conum|sr-only|visually-?hidden|"
    r"crayon-toolbar|crayon-info|codemirror-cursors|codemirror-measure|code-title|code-block-header)(?:$|[\s_-])",
    re.IGNORECASE,
)
_NOT_CODE = frozenset({"button", "svg", "script", "style", "template", "figcaption", "noscript", "select", "input"})
_COLUMNS = frozenset({"td", "th", "div", "pre", "ol", "ul"})
_LINES = frozenset({"div", "p", "li", "tr", "ol", "ul", "table", "tbody", "pre", "dd", "dt"})
# `<span>`s that a style sheet shows as lines of their own.
_LINE_CLASS = re.compile(r"(?:^|\s)(?:[\w-]*[_-])?line(?:\s|$)", re.IGNORECASE)
_LINE_TAGS = frozenset({"span", "code"})
_DIGITS = re.compile(r"\s*\d{1,5}\s*")
_NUMBERS = re.compile(r"\s*\d{1,6}(?:\s+\d{1,6})*\s*")
# A number alone in its element stands between these while lines are put together: noncharacters (Unicode 23.7).
_OPEN, _CLOSE = "\ufdd0", "\ufdd1"
_NUMBERED = re.compile(rf"[ \t]*{_OPEN}\s*(\d+)\s*{_CLOSE}")


def code_text(block: HtmlElement) -> str:
    """The code in the element, without blank lines around it. The element is changed."""
    _drop_chrome(block)
    _break_lines(block)
    parts: list[str] = []
    _walk(block, parts)
    # A browser shows no-break spaces as blanks; no author's code holds them, only its rendering. Editors hold empty
    # lines open with a zero-width space.
    text = "".join(parts).replace("\r\n", "\n").replace("\r", "\n").replace("\xa0", " ").replace("\u200b", "")
    lines = _without_numbers(text.split("\n"))
    while lines and not lines[0].strip():
        lines.pop(0)
    while lines and not lines[-1].strip():
        lines.pop()
    return "\n".join(lines)


def is_numbers(text: str, at_least: int = 1) -> bool:
    """Whether a text is nothing but line numbers: consecutive, one after another."""
    if not _NUMBERS.fullmatch(text):
        return False
    values = [int(word) for word in text.split()]
    return len(values) >= at_least and values == list(range(values[0], values[0] + len(values)))


def is_gutter(element: HtmlElement) -> bool:
    """Whether an element is marked up as holding line numbers."""
    return bool(_GUTTER.search(element.get("class") or ""))


def _drop_chrome(block: HtmlElement) -> None:
    """Remove what is no code, and line numbers that are marked up as such or stand in a column of their own."""
    for element in [each for each in block.iterdescendants() if _is_chrome(each)]:
        following = element.getnext()
        if "conum" in (element.get("class") or "") and following is not None and following.tag == "b":
            drop(following)  # AsciiDoc says the number of a callout again in the next element
        drop(element)
    whole = block.text_content().strip()
    for element in [each for each in block.iterdescendants() if _is_line_number(each) or _is_column(each, whole)]:
        drop(element)


def _is_chrome(element: HtmlElement) -> bool:
    classes = element.get("class")
    return element.tag in _NOT_CODE or bool(classes and _CHROME.search(classes) and not _LINE_CLASS.search(classes))


def _is_line_number(element: HtmlElement) -> bool:
    if not (is_gutter(element) or _unselectable(element)):
        return False
    text = element.text_content()
    return not text.strip() or bool(_NUMBERS.fullmatch(text))


def _is_column(element: HtmlElement, whole: str) -> bool:
    """Whether an element is a column of numbers in front of the code; `whole` is the text of the block."""
    if element.tag not in _COLUMNS:
        return False
    text = element.text_content().strip()
    return len(text) < len(whole) and whole.startswith(text) and is_numbers(" ".join(element.itertext()), at_least=2)


def _unselectable(element: HtmlElement) -> bool:
    style = (element.get("style") or "").replace(" ", "")
    return "user-select:none" in style or element.get("data-nosnippet") is not None


def _break_lines(block: HtmlElement) -> None:
    """Make lines of elements that only a style sheet breaks: several `<code>` side by side, `<span>`s called lines."""
    codes = [each for each in block if each.tag == "code"] if block.tag == "pre" else []
    if len(codes) > 1 and not any((each.tail or "").strip() for each in codes):
        _to_lines(codes)
    if block.find(".//br") is not None or "\n" in block.text_content().strip("\n"):
        return
    spans = [each for each in block.iter(*_LINE_TAGS) if each is not block]
    _to_lines([each for each in spans if _LINE_CLASS.search(each.get("class") or "") or "data-line" in each.attrib])


def _to_lines(elements: list[HtmlElement]) -> None:
    if len(elements) > 1:
        for element in elements:
            element.tag = "div"


def _walk(element: HtmlElement, parts: list[str]) -> None:
    parts.append(element.text or "")
    for child in element:
        tail = child.tail or ""
        if child.tag == "br":
            parts.append("\n")
        elif child.tag in _LINES:
            _end_line(parts)
            before = len(parts)
            _walk(child, parts)
            if not "".join(parts[before:]).endswith("\n"):
                parts.append("\n")
            tail = tail if tail.strip() else ""
        elif isinstance(child.tag, str):
            if len(child) == 0 and child.text and _DIGITS.fullmatch(child.text):
                parts.append(f"{_OPEN}{child.text}{_CLOSE}")
            else:
                _walk(child, parts)
        parts.append(tail)


def _end_line(parts: list[str]) -> None:
    last = next((part for part in reversed(parts) if part), "\n")
    if last.strip() and not last.endswith(("\n", _CLOSE)):  # a number stands before its line, not above it
        parts.append("\n")


def _without_numbers(lines: list[str]) -> list[str]:
    """Lines without the numbers that stand, in elements of their own, in front of all of them."""
    matches = [_NUMBERED.match(line) for line in lines]
    values = [int(match[1]) for match in matches if match]
    filled = sum(1 for line in lines if line.strip())
    above = all(match.end() == len(line) for match, line in zip(matches, lines, strict=True) if match)
    counted = len(values) > 1 and values == list(range(values[0], values[0] + len(values)))
    if counted and (len(values) >= filled or (above and 2 * len(values) >= filled)):
        rest = [
            line[match.end() :] if match else line
            for line, match, following in zip(lines, matches, [*matches[1:], None], strict=True)
            # A number may stand on a line above its own; a numbered line that is empty is followed by the next number.
            if not (match and match.end() == len(line) and following is None and len(values) < filled)
        ]
        if any(line.strip() for line in rest):
            lines = rest
    return [line.replace(_OPEN, "").replace(_CLOSE, "") for line in lines]
