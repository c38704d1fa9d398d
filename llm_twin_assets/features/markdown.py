"""Bodies of platform exports (Medium, Substack, LinkedIn) as Markdown, character by character.

These are fragments of known make: no page around them has to be guessed away, only a few boxes of the platform.
"""

import re
from typing import TYPE_CHECKING

from lxml.html import HtmlElement

from llm_twin_assets.features.code_blocks import take_out
from llm_twin_assets.features.html_tree import parse, serialize

if TYPE_CHECKING:
    from bs4 import Tag

# Boxes of the platforms, not words of the author. Substack: subscription and share widgets, embedded posts; Medium:
# embed placeholders ("mixtapeEmbed" is a link card), the export's own header and footer.
_CHROME_CLASSES = (
    "subscription-widget-wrap", "subscription-widget", "subscribe-widget", "captioned-button-wrap", "button-wrapper",
    "share-dialog", "post-ufi", "embedded-post-wrap", "embedded-publication-wrap", "poll-embed", "community-chat",
    "install-substack-app-embed", "paywall-jump", "digest-post-embed", "image-link-expand", "header-anchor-parent",
    "graf--mixtapeEmbed", "js-mixtapeImage", "p-summary", "dt-published", "u-url",
)  # fmt: skip
_CHROME_TAGS = ("script", "style", "noscript", "template", "iframe", "form", "button", "svg", "nav", "input", "head")
# Where a page of a platform keeps the author's text: Medium's export, Substack.
_BODIES = (
    ".//section[@data-field='body'][contains(concat(' ', normalize-space(@class), ' '), ' e-content ')]",
    ".//div[contains(concat(' ', normalize-space(@class), ' '), ' available-content ')]",
)
_ANY_E_CONTENT = ".//*[contains(concat(' ', normalize-space(@class), ' '), ' e-content ')]"
# Text in none of these is the body itself: nothing of a site stands around it.
_FRAME = re.compile(r"<(?:!doctype|html|head|body|title|main|nav|header|footer|aside|article)\b", re.IGNORECASE)
_LEADING_RULES = re.compile(r"\A(?:---\n+)+")
_FOOTNOTE_ANCHOR = "footnote-anchor"


def fragment_to_markdown(html: str) -> str:
    """Markdown of a platform's article body; raises `CleaningError` if there is nothing in it."""
    tree = parse(html)
    body = next((found[0] for path in (*_BODIES, _ANY_E_CONTENT) if (found := tree.xpath(path))), tree)
    return to_markdown(body, html)


def platform_body(tree: HtmlElement, html: str) -> HtmlElement | None:
    """The element of a page that is known to be its author's text, whole; None for a page to be searched."""
    if not _FRAME.search(html):
        return tree
    return next((found[0] for path in _BODIES if (found := tree.xpath(path))), None)


def to_markdown(body: HtmlElement, source: str) -> str:
    """Markdown of an element; `source` names it. The tree is changed."""
    blocks = take_out(body, source)
    drop_chrome(body)
    for subtitle in body.xpath(".//*[contains(concat(' ', normalize-space(@class), ' '), ' graf--subtitle ')]"):
        subtitle.tag = "p"  # Medium marks it up as a heading, but no section stands below it
    # Medium opens every section with a rule and hides the first: a break before everything separates nothing.
    return _LEADING_RULES.sub("", tidy(blocks.restore(_convert(serialize(body)))))


def drop_chrome(tree: HtmlElement) -> None:
    """Remove, in place, what platforms add to the author's text."""
    for element in list(tree.iter(*_CHROME_TAGS)):
        _drop(element)
    for element in list(tree.iter()):
        if not isinstance(element.tag, str):
            continue
        classes = (element.get("class") or "").split()
        if any(name in _CHROME_CLASSES for name in classes) or element.get("hidden") is not None:
            _drop(element)


def tidy(markdown: str) -> str:
    """One blank line between blocks, none around the text; code and hard line breaks are left alone."""
    out: list[str] = []
    fence = ""
    for line in markdown.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        mark = re.match(r"[ \t>]*(?:(?:[-*+]|\d+[.)])[ \t]+)*(`{3,}|~{3,})", line)
        if mark and not fence:
            fence = mark[1]
        elif mark and mark[1].startswith(fence) and line.strip(" \t>") == mark[1]:
            fence = ""
        elif not fence and not line.strip():
            line = ""
            if not out or not out[-1]:
                continue
        out.append(line)
    return "\n".join(out).strip("\n")


def _drop(element: HtmlElement) -> None:
    if element.getparent() is not None:
        element.drop_tree()


def _convert(html: str) -> str:
    from bs4 import BeautifulSoup
    from markdownify import ATX, MarkdownConverter

    class Converter(MarkdownConverter):
        """markdownify, but images without a description go and code tokens stay bare."""

        def convert_img(self, el: "Tag", text: str, parent_tags: set[str]) -> str:
            if not str(el.get("alt") or "").strip():
                return ""
            return str(super().convert_img(el, text, parent_tags))  # type: ignore[misc]

        def convert_pre(self, el: "Tag", text: str, parent_tags: set[str]) -> str:  # noqa: ARG002 - as called
            return f"\n\n{text}\n\n"

        def convert_a(self, el: "Tag", text: str, parent_tags: set[str]) -> str:
            if _FOOTNOTE_ANCHOR in (el.get("class") or []):
                return f"[^{text.strip()}]"
            return str(super().convert_a(el, text, parent_tags))  # type: ignore[misc]

    converter = Converter(
        heading_style=ATX, bullets="-", escape_asterisks=False, escape_underscores=False, escape_misc=False,
        table_infer_header=True, strip_pre=None,
    )  # fmt: skip
    return str(converter.convert_soup(BeautifulSoup(html, "lxml")))
