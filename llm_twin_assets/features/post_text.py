"""The words of a post as its author typed them: platforms' markup for tags and mentions undone, link cards gone.

A card is what a platform appends for a page that the post links to: the page's title, description and domain. It comes
as elements of HTML, as a last paragraph that ends in a bare domain, or as a short link alone on the last line.
"""

import re

from lxml.html import HtmlElement

from llm_twin_assets.domain.document import RawDocument
from llm_twin_assets.features.html_tree import drop, parse, serialize

# LinkedIn's "little text format":
# https://learn.microsoft.com/en-us/linkedin/marketing/community-management/shares/little-text-format
_HASHTAG = re.compile(r"\{hashtag\|\\?[#＃]\|([^{}|\n]{1,200})\}")
_MENTION = re.compile(r"@\[((?:[^\[\]\\\n]|\\.){1,200})\]\(urn:li:[\w:-]{1,100}\)")
_ESCAPED = re.compile(r"\\([\\|{}@\[\]()<>#*_~])")
# All of these are escaped in it wherever they are no markup. A text that holds a bare one is not written in it.
_BARE = re.compile(r"(?<!\\)[|{}@\[\]()<>~]")

_BLANK_LINE = re.compile(r"\n[^\S\n]*\n")
_DOMAIN = re.compile(
    r"(?:https?://)?(?:[\w-]{1,63}\.){1,4}[a-z]{2,24}/?(?:\s*[·•∙|–-]\s*\d{1,3}\s*min(?:utes?)?(?:\s+read)?)?",
    re.IGNORECASE,
)
# What X, LinkedIn and their like make of an address; the page itself is named in the card, or in the post.
_SHORT_LINK = re.compile(r"https?://(?:t\.co|lnkd\.in|fb\.me|buff\.ly|ow\.ly)/[\w./?=&%-]{1,100}", re.IGNORECASE)
_CARD_LINES = 4
_CARD_WIDTH = 300

# Mastodon, Bluesky, X, Medium, Ghost, LinkedIn, Substack, and pages that were saved from them.
_CARD_CLASS = re.compile(
    r"(?<![a-z\d])(?:status-card|preview-card|link-card|link-?preview|url-preview|external-embed|embed-card|"
    r"twitter-card|mixtapeEmbed|bookmark-card|kg-bookmark-card|feed-shared-article|embedded-post-wrap)(?![a-z\d])",
    re.IGNORECASE,
)


# The listing of LinkedIn's change log, whose newest generation is written so even where nothing shows it.
_LITTLE_TEXT_LISTING = "changes"


def post_text(raw: RawDocument, text: str) -> str:
    """Plain text of a post; line breaks stay as they are. A post that is nothing but a link stays one."""
    return without_card(_as_typed(text, raw.listing == _LITTLE_TEXT_LISTING) if raw.platform == "linkedin" else text)


def without_card(text: str) -> str:
    """A post less the link card at its end, if anything is left."""
    kept = _without_short_link(_without_paragraph(text))
    return kept if kept.strip() else text


def without_card_elements(html: str) -> str:
    """HTML of a post less its link cards; the same string if it holds none."""
    if not _CARD_CLASS.search(html):  # far cheaper than a tree, and true of nearly every post
        return html
    tree = parse(html)
    cards = [each for each in tree.iter() if _is_card(each)]
    for card in cards:
        if card.getparent() is not None:
            drop(card)
    return serialize(tree) if cards and tree.text_content().strip() else html


def _is_card(element: HtmlElement) -> bool:
    return isinstance(element.tag, str) and bool(_CARD_CLASS.search(element.get("class") or ""))


def _as_typed(text: str, is_little_text: bool) -> str:
    without_markup = _MENTION.sub("", _HASHTAG.sub("", text))
    is_little_text = is_little_text or without_markup != text
    plain = _MENTION.sub(r"@\1", _HASHTAG.sub(r"#\1", text))
    if is_little_text and not _BARE.search(_ESCAPED.sub("", without_markup)):
        return _ESCAPED.sub(r"\1", plain)
    return plain


def _without_paragraph(text: str) -> str:
    """Less a last paragraph of a few short lines, of which the last is nothing but a domain."""
    breaks = list(_BLANK_LINE.finditer(text.rstrip()))
    if not breaks:
        return text
    lines = [line.strip() for line in text[breaks[-1].end() :].strip().split("\n")]
    is_card = (
        2 <= len(lines) <= _CARD_LINES
        and all(len(line) <= _CARD_WIDTH and line[:1] not in "#@-*•" for line in lines)
        and _DOMAIN.fullmatch(lines[-1])
    )
    return text[: breaks[-1].start()].rstrip() if is_card else text


def _without_short_link(text: str) -> str:
    """Less a short link alone on the last line."""
    before, _, last = text.rstrip().rpartition("\n")
    return before.rstrip() if before.strip() and _SHORT_LINK.fullmatch(last.strip()) else text
