"""The little that collection needs to know of a page before it is stored: its address, its date, its feeds."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from llm_twin_assets.collection.reading.dates import utc
from llm_twin_assets.collection.reading.feeds import MEDIA_TYPES
from llm_twin_assets.collection.reading.web_addresses import absolute
from llm_twin_assets.domain.identity import Json

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_META_DATES = (
    "article:published_time",
    "og:article:published_time",
    "datepublished",
    "date",
    "dc.date",
    "dcterms.date",
)
_COMMENTS = re.compile(r"/comments?/|[?&]comments|replies", re.IGNORECASE)
# Not allowed in XML, hence not in lxml's strings; they carry no text.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]|^\s*<\?xml[^>]*\?>")


@dataclass(frozen=True, slots=True)
class PageFacts:
    """What a page says of itself. Features extract the rest, with more care; these are what its identity needs."""

    canonical: str | None = None
    title: str | None = None
    published_at: datetime | None = None
    feeds: tuple[str, ...] = ()


def page_facts(html: str, url: str) -> PageFacts:
    """Read a page that came from `url`; nothing is known of one that cannot be parsed."""
    tree = _tree(html)
    if tree is None:
        return PageFacts()
    meta = _meta(tree)
    linked = list(_linked_data(tree))
    return PageFacts(
        canonical=_link(tree, "canonical", url) or absolute(meta.get("og:url"), url),
        title=_first_text(linked, "headline") or meta.get("og:title"),
        published_at=_published(tree, meta, linked),
        feeds=tuple(dict.fromkeys(_feeds(tree, url))),
    )


def _tree(html: str) -> "HtmlElement | None":
    from lxml import etree
    from lxml.html import HTMLParser, document_fromstring

    source = _CONTROL.sub("", html).lstrip("\ufeff")
    if not source.strip():
        return None
    try:
        return document_fromstring(source, parser=HTMLParser(remove_comments=True, remove_pis=True))
    except (etree.LxmlError, ValueError):
        return None


def _links(tree: "HtmlElement", relation: str) -> "Iterator[HtmlElement]":
    return (link for link in tree.iter("link") if relation in (link.get("rel") or "").lower().split())


def _link(tree: "HtmlElement", relation: str, url: str) -> str | None:
    return next((found for link in _links(tree, relation) if (found := absolute(link.get("href"), url))), None)


def _feeds(tree: "HtmlElement", url: str) -> Iterator[str]:
    for link in _links(tree, "alternate"):
        if (link.get("type") or "").partition(";")[0].strip().lower() not in MEDIA_TYPES:
            continue
        found = absolute(link.get("href"), url)
        if found and not _COMMENTS.search(found) and "comments" not in (link.get("title") or "").lower():
            yield found


def _meta(tree: "HtmlElement") -> dict[str, str]:
    found: dict[str, str] = {}
    for element in tree.iter("meta"):
        name = (element.get("property") or element.get("name") or element.get("itemprop") or "").lower()
        content = " ".join((element.get("content") or "").split())
        if name and content:
            found.setdefault(name, content)
    return found


def _published(tree: "HtmlElement", meta: Mapping[str, str], linked: list[Mapping[str, Json]]) -> datetime | None:
    stated = [_first_text(linked, "datePublished"), *(meta.get(name) for name in _META_DATES)]
    times = [element.get("datetime") for element in tree.iter("time") if element.get("datetime")]
    # Of several `<time>` the others may date comments or related articles.
    return next((moment for value in (*stated, *times[:1]) if (moment := utc(value))), None)


def _first_text(things: list[Mapping[str, Json]], name: str) -> str | None:
    values = (thing.get(name) for thing in things)
    return next((" ".join(value.split()) for value in values if isinstance(value, str) and value.strip()), None)


def _linked_data(tree: "HtmlElement") -> Iterator[Mapping[str, Json]]:
    for script in tree.iter("script"):
        if (script.get("type") or "").strip().lower() != "application/ld+json":
            continue
        try:
            # strict=False: line breaks inside strings are common and harmless.
            waiting: list[Json] = [json.loads(script.text or "", strict=False)]
        except (ValueError, RecursionError):
            continue
        while waiting:
            each = waiting.pop(0)
            if isinstance(each, list):
                waiting.extend(each)
            elif isinstance(each, dict):
                yield each
                waiting.append(each.get("@graph"))
