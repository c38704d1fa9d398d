"""The words of a text, whatever it is marked up with: the same piece as HTML and as Markdown has the same words."""

import re
import unicodedata
from collections.abc import Iterator
from html import unescape

TEXT_TYPES = frozenset({"text/html", "application/xhtml+xml", "text/markdown", "text/plain"})

_WORD = re.compile(r"\w+")
# Platforms shorten, unfurl and append links: no part of what was said.
_URL = re.compile(r"https?://[^\s<>()\"'\]]+|www\.[^\s<>()\"'\]]+")
_TAG = re.compile(r"<(?P<close>/?)(?P<name>[a-zA-Z][a-zA-Z0-9-]*)?[^<>]*>")
_UNSAID = frozenset({"script", "style", "svg", "template", "noscript", "head", "iframe", "button"})
# `<b>w</b>ord` is one word; every other tag parts words.
_INLINE = re.compile(
    r"a|abbr|b|big|code|del|em|font|i|ins|kbd|mark|q|s|small|span|strike|strong|sub|sup|u|var|wbr", re.IGNORECASE
)

_FRONT_MATTER = re.compile(r"\A---\r?\n(?:(?!---).*\n){0,200}---\r?\n")
_FENCE = re.compile(r"^[ \t>]{0,12}(?P<fence>`{3,}|~{3,})(?P<said>[^\n]*)$", re.MULTILINE)
_IMAGE = re.compile(r"!\[[^\[\]]{0,1000}\](?:\([^()\s]{0,2000}(?:[ ][^()]{0,300})?\)|\[[^\[\]]{0,200}\])")
_TARGET = r"\([^()\s]{0,2000}(?:\([^()\s]{0,200}\)[^()\s]{0,200})?(?:[ ][^()]{0,300})?\)"
_LINK = re.compile(rf"\](?:{_TARGET}|\[[^\[\]]{{0,200}}\])")
_CODE = re.compile(r"`[^`\n]{1,1000}`")
_DEFINITION = re.compile(r"^ {0,3}\[[^\[\]]{1,200}\]:[^\n]*$", re.MULTILINE)
_NUMBERED = re.compile(r"^[ \t>]{0,16}\d{1,9}[.)](?=[ \t])", re.MULTILINE)


def words_of(text: str, media_type: str) -> list[str]:
    """Words in lower case, without markup, links and punctuation; of code every token as it is."""
    kind = media_type.partition(";")[0].strip().lower()
    if kind not in TEXT_TYPES:
        return text.split()
    if "html" in kind:
        said = unescape(_html_text(text))
    else:
        said = unescape(_markdown_text(text) if kind == "text/markdown" else text)
    if "://" in said or "www." in said:
        said = _URL.sub(" ", said)
    return _WORD.findall(unicodedata.normalize("NFKC", said).casefold().replace("_", " "))


def _html_text(html: str) -> str:
    return "".join(_html_pieces(html))


def _html_pieces(html: str) -> Iterator[str]:
    position = 0
    unsaid = ""
    for tag in _TAG.finditer(html):
        if not unsaid:
            yield html[position : tag.start()]
        position = tag.end()
        name = (tag["name"] or "").lower()
        if unsaid:
            unsaid = "" if tag["close"] and name == unsaid else unsaid
        elif name in _UNSAID and not tag["close"] and not tag.group().endswith("/>"):
            unsaid = name
        if not _INLINE.fullmatch(name):
            yield " "
    if not unsaid:
        yield html[position:]


def _markdown_text(markdown: str) -> str:
    """Code in fences as it is, without what stands behind the fence."""
    text = _FRONT_MATTER.sub("", markdown, count=1)
    pieces: list[str] = []
    position, fence = 0, ""
    for match in _FENCE.finditer(text):
        if fence and (match["said"].strip() or not match["fence"].startswith(fence)):
            continue  # a line of the code
        piece = text[position : match.start()]
        pieces.append(piece if fence else _prose(piece))
        position, fence = match.end(), "" if fence else match["fence"]
    piece = text[position:]
    return "".join((*pieces, piece if fence else _prose(piece)))


def _prose(markdown: str) -> str:
    text = _LINK.sub("]", _IMAGE.sub(" ", _NUMBERED.sub("", markdown)))
    if "]:" in text:
        text = _DEFINITION.sub("", text)
    return _html_text(_CODE.sub(_untagged, text))


def _untagged(code: re.Match[str]) -> str:
    """`<dialog>` in backquotes is a word."""
    return code.group().replace("<", " ").replace(">", " ")
