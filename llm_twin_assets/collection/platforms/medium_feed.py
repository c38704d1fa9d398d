"""Medium's feeds: one item as the document that the export would hold, without what Medium adds for feed readers."""

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from llm_twin_assets.collection.connector import Found
from llm_twin_assets.collection.platforms.medium_posts import is_response, permanent, post
from llm_twin_assets.collection.reading.feeds import Entry

if TYPE_CHECKING:
    from bs4 import Tag

LISTING = "feed"
# However much someone writes, a feed of Medium's ends after this many items.
ITEMS = 10
_TRAILER = re.compile(
    r"was originally published in .+ on Medium, where people are continuing the conversation", re.DOTALL
)
_PIXEL = "medium.com/_/stat"


def stable_id(entry: Entry) -> str | None:
    """The identity that the export gives the same post; the bare address where an item names no id."""
    return permanent(entry.id) or permanent(entry.url) or address(entry)


def address(entry: Entry) -> str | None:
    """The item's link without the `?source=rss…` that tells Medium where a reader comes from."""
    return entry.url.partition("?")[0].partition("#")[0] if entry.url else None


def is_by(entry: Entry, name: str, handle: str | None) -> bool:
    """Whether an item of a publication's feed is the person's: by its `dc:creator`, or by the handle in its address."""
    if entry.author and _name(entry.author) == _name(name):
        return True
    return bool(handle and f"/@{handle.lower()}/" in (entry.url or "").lower())


def document(entry: Entry) -> Found | None:
    """One item; None if it says nothing. A story for members comes as a snippet and is an excerpt."""
    identity = stable_id(entry)
    html = entry.content or entry.summary
    if identity is None or html is None:
        return None
    from llm_twin_assets.collection.reading.markup import parse, words_of

    body = parse(f"<body>{html}</body>").body
    if body is None:
        return None
    snippet = body.select_one(".medium-feed-snippet")
    _drop_additions(body)
    if not words_of(body):
        return None
    title = entry.title or ""
    # A snippet is too short to tell; responses are for everyone and come whole.
    excerpt = snippet is not None or entry.content is None
    response = not excerpt and is_response(title, body)
    if not response:
        _mark_title(body, title)
    found = post(identity, title, body, address(entry) or identity, entry.published_at, response=response)
    return replace(found, listing=LISTING, excerpt=excerpt)


def _drop_additions(body: "Tag") -> None:
    for image in body.find_all("img"):
        if _PIXEL in str(image.get("src")):
            image.decompose()
    for box in body.select(".medium-feed-image, .medium-feed-link"):
        box.decompose()
    paragraphs = body.find_all("p")
    last = paragraphs[-1] if paragraphs else None
    if last is not None and _TRAILER.search(last.get_text(" ")):
        rule = last.find_previous_sibling()
        if rule is not None and rule.name == "hr":
            rule.decompose()
        last.decompose()


def _mark_title(body: "Tag", title: str) -> None:
    """An export marks title and subtitle in the body; a feed has the title elsewhere and the subtitle unmarked."""
    from bs4 import BeautifulSoup

    first = next((child for child in body.find_all(recursive=False) if child.name != "figure"), None)
    if first is not None and first.name == "h4":
        first["class"] = "graf--subtitle"
    if title:
        heading = BeautifulSoup("", "lxml").new_tag("h3", attrs={"class": "graf--title"}, string=title)
        body.insert(0, heading)


def _name(text: str) -> str:
    return " ".join(text.split()).casefold()
