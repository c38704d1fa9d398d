"""What a page says about itself: JSON-LD first, then OpenGraph and `<meta>`, `<link>`, `<html lang>`, `<title>`."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TypeVar
from urllib.parse import urljoin

from lxml.html import HtmlElement

from llm_twin_assets.domain.identity import Json
from llm_twin_assets.features.html_tree import STUMBLES

T = TypeVar("T")

_ARTICLE_TYPES = frozenset(
    {"Article", "NewsArticle", "BlogPosting", "TechArticle", "Report", "SocialMediaPosting", "ScholarlyArticle"}
)
_PAGE_TYPES = frozenset({"WebPage", "AboutPage", "CollectionPage", "ItemPage"})
# Names that sites give to author and date in `<meta>`: HTML, OpenGraph, Dublin Core, Parse.ly, Sailthru, schema.org.
_AUTHORS = ("author", "article:author", "dc.creator", "dcterms.creator", "parsely-author", "sailthru.author", "byl")
_DATES = (
    "article:published_time", "datepublished", "date", "dc.date.issued", "dcterms.issued", "dc.date", "dcterms.created",
    "parsely-pub-date", "sailthru.date", "pubdate", "publishdate", "publish-date", "og:published_time",
)  # fmt: skip
_SEPARATOR = r"\s+[|–—·•»-]\s+"
# A page without any of these has no author that trafilatura could find.
_BYLINE = re.compile(r"author|byl|username|writer|journalist|-by\b|screenname|channel-name|rel=.me\b", re.IGNORECASE)
_LANGUAGE = re.compile(r"^[A-Za-z]{2,3}(?=$|[-_])")
_TIME_AFTER_DATE = re.compile(r"^(\d{4}-\d{2}-\d{2})(?:[T ](.*))?$")


@dataclass(frozen=True, slots=True)
class PageMetadata:
    """What is known about a page; None where the page does not say."""

    title: str | None = None
    author: str | None = None
    published_at: datetime | None = None
    language: str | None = None
    canonical_url: str | None = None


def page_metadata(tree: HtmlElement, url: str | None) -> PageMetadata:
    """Metadata that the page states, without guessing."""
    meta = _meta(tree)
    linked = _linked_data(tree)
    canonical = _first_attribute(tree, ".//link[@rel='canonical']", "href") or meta.get("og:url")
    return PageMetadata(
        title=_title(tree, linked, meta),
        author=_first(
            _names(linked.get("author")),
            *(_not_a_url(meta.get(name)) for name in _AUTHORS),
            _first_text(tree, ".//a[@rel='author']"),
            _first_text(tree, ".//*[@itemprop='author']//*[@itemprop='name']"),
        ),
        published_at=_first(
            instant(_text(linked.get("datePublished"))),
            *(instant(meta.get(name)) for name in _DATES),
            instant(_first_attribute(tree, ".//time[@itemprop='datePublished']", "datetime")),
            instant(_first_attribute(tree, ".//time[@datetime]", "datetime")),
        ),
        language=_first(
            _language(tree.get("lang")), _language(_text(linked.get("inLanguage"))), _language(meta.get("og:locale"))
        ),
        canonical_url=_joined(url, canonical) if canonical else url,
    )


def guessed_date(tree: HtmlElement, known: PageMetadata) -> PageMetadata:
    """Fill in the date from what htmldate reads in the text and the address of a page, where it says none itself."""
    if known.published_at:
        return known
    from htmldate import find_date

    try:
        found = find_date(tree, extensive_search=False, original_date=True, url=known.canonical_url)
    except STUMBLES:
        return known
    return replace(known, published_at=instant(found))


def guessed_names(tree: HtmlElement, source: str, known: PageMetadata) -> PageMetadata:
    """Fill in title and author from trafilatura's heuristics, where the page states none and shows one."""
    from trafilatura.metadata import extract_author, extract_title

    try:
        title = known.title or extract_title(tree)
        author = known.author or (extract_author(tree) if _BYLINE.search(source) else None)
    except STUMBLES:
        return known
    return replace(known, title=title, author=_not_a_url(author))


def _joined(url: str | None, canonical: str) -> str | None:
    try:
        return urljoin(url or "", canonical)
    except ValueError:
        return url


def instant(value: str | None) -> datetime | None:
    """An ISO 8601 date or time as an instant; a time without a zone is taken as UTC."""
    match = _TIME_AFTER_DATE.match((value or "").strip())
    if not match:
        return None
    for text in (match[0], match[1]):
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            continue
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    return None


def _title(tree: HtmlElement, linked: dict[str, Json], meta: dict[str, str]) -> str | None:
    """The title without the name of the site, where the page's heading or its metadata tell which part is which."""
    headings = [" ".join(each.text_content().split()) for each in tree.iterfind(".//h1")]
    title = _first(
        _text(linked.get("headline")),
        meta.get("og:title"),
        meta.get("twitter:title"),
        headings[0] if len(headings) == 1 else None,
        _first_text(tree, ".//title"),
    )
    for part in re.split(_SEPARATOR, title) if title else ():
        if part in headings:
            return part
    site = meta.get("og:site_name")
    return re.sub(rf"{_SEPARATOR}{re.escape(site)}$", "", title) if title and site else title


def _first(*values: T | None) -> T | None:
    return next((value for value in values if value), None)


def _meta(tree: HtmlElement) -> dict[str, str]:
    """Content of the first `<meta>` of each name or property, in lower case."""
    found: dict[str, str] = {}
    for element in tree.iter("meta"):
        name = (element.get("property") or element.get("name") or element.get("itemprop") or "").lower()
        content = " ".join((element.get("content") or "").split())
        if name and content:
            found.setdefault(name, content)
    return found


def _linked_data(tree: HtmlElement) -> dict[str, Json]:
    """The JSON-LD object that describes the article, or else the page; empty where there is none."""
    things = [thing for script in tree.iterfind(".//script[@type='application/ld+json']") for thing in _things(script)]
    for types in (_ARTICLE_TYPES, _PAGE_TYPES):
        for thing in things:
            kind = thing.get("@type")
            kinds = kind if isinstance(kind, list) else [kind]
            if any(each in types for each in kinds):
                return thing
    return {}


def _things(script: HtmlElement) -> Iterator[dict[str, Json]]:
    try:
        # strict=False: line breaks inside strings are common and harmless.
        value: Json = json.loads(script.text or "", strict=False)
    except (json.JSONDecodeError, RecursionError):
        return
    waiting = [value]
    while waiting:
        each = waiting.pop(0)
        if isinstance(each, list):
            waiting.extend(each)
        elif isinstance(each, dict):
            yield each
            waiting.append(each.get("@graph"))


def _text(value: Json) -> str | None:
    return " ".join(value.split()) or None if isinstance(value, str) else None


def _names(value: Json) -> str | None:
    """Names of one or several authors, however they are written down."""
    people = value if isinstance(value, list) else [value]
    names = [_text(person.get("name")) if isinstance(person, dict) else _text(person) for person in people]
    return ", ".join(name for name in names if name and _not_a_url(name)) or None


def _not_a_url(value: str | None) -> str | None:
    return None if value is None or value.startswith(("http://", "https://")) else value


def _language(value: str | None) -> str | None:
    match = _LANGUAGE.match((value or "").strip())
    return match[0].lower() if match else None


def _first_text(tree: HtmlElement, path: str) -> str | None:
    element = tree.find(path)
    return (" ".join(element.text_content().split()) or None) if element is not None else None


def _first_attribute(tree: HtmlElement, path: str, name: str) -> str | None:
    element = tree.find(path)
    return (element.get(name) or None) if element is not None else None
