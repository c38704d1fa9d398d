"""What a post of Medium's is, whichever way it comes: its identity, and whether it is an article or a response."""

import re
from datetime import datetime
from typing import TYPE_CHECKING

from llm_twin_assets.collection.connector import Found
from llm_twin_assets.collection.reading.web_addresses import path
from llm_twin_assets.domain.document import Category

if TYPE_CHECKING:
    from bs4 import Tag

# Medium ends file names and addresses with the post's id, twelve hex digits (fewer for old posts).
_POST_ID = re.compile(r"(?:^|[-/])([0-9a-f]{8,12})$")


def permanent(text: str | None) -> str | None:
    """The address that every edition of a post shares, from a file name or any of its addresses; None without an id."""
    known = _POST_ID.search(path(text or "").rstrip("/"))
    return f"https://medium.com/p/{known.group(1)}" if known else None


def post(
    stable_id: str, title: str, body: "Tag", url: str | None, published_at: datetime | None, *, response: bool
) -> Found:
    """One document: an article keeps its markup, a response is a text without a title."""
    from llm_twin_assets.collection.reading.markup import inner_html, plain_text

    return Found(
        stable_id=stable_id,
        category=Category.POST if response else Category.ARTICLE,
        title=None if response else title or None,
        content=plain_text(body) if response else inner_html(body),
        media_type="text/plain" if response else "text/html",
        url=url,
        published_at=published_at,
        dated_by="platform" if published_at else "nothing",
    )


def is_response(title: str, body: "Tag") -> bool:
    """Whether a page is a comment: nothing marks it as one, but Medium names it after its own first words."""
    if body.select_one(".graf--title, h1, h2, h3, h4"):
        return False
    said = " ".join(body.get_text(" ").split())
    shown = " ".join(title.split()).removesuffix("…").removesuffix("...").rstrip()
    return _letters(said).startswith(_letters(shown))


def _letters(text: str) -> str:
    return re.sub(r"\W+", "", text).lower()
