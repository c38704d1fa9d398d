"""Feeds as they are found: RSS, Atom and JSON Feed, read into one shape."""

import json
from calendar import timegm
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from time import struct_time

from llm_twin_assets.collection.reading.dates import utc
from llm_twin_assets.collection.reading.web_addresses import absolute
from llm_twin_assets.domain.identity import Json
from resources.errors import TwinError

MEDIA_TYPES = frozenset(
    {"application/rss+xml", "application/atom+xml", "application/feed+json", "application/rdf+xml", "application/json"}
)
# A feed of full articles has a megabyte or two; the parser for broken XML is slow.
MAX_BYTES = 16 * 2**20
_XML_ROOTS = (b"<rss", b"<feed", b"<rdf:rdf")
_JSON_VERSION = "https://jsonfeed.org/version/"
# What feedparser and the standard library's parsers below it raise on bytes that are no feed at all.
_PARSER_ERRORS = (ValueError, LookupError, TypeError, AttributeError, AssertionError, RecursionError, OverflowError)


class FeedError(TwinError):
    """Something that should be a feed and is none."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One item. `content` is its HTML where the feed holds it in full, `summary` what it says instead.

    `version` changes with the item, None where the feed has only a date of publication.
    """

    url: str | None
    id: str | None
    title: str | None
    author: str | None
    published_at: datetime | None
    version: str | None
    content: str | None
    summary: str | None


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed: the address of the site that it belongs to, and its items in the feed's order."""

    home: str | None
    entries: tuple[Entry, ...]


def is_feed(data: bytes) -> bool:
    """Whether a body looks like a feed, whatever its media type claims."""
    start = data[:2048].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith(b"{"):
        return b"jsonfeed.org/version/" in start
    return start.startswith(b"<") and any(root in start for root in _XML_ROOTS)


def read_feed(data: bytes, url: str, content_type: str = "") -> Feed:
    """Parse a feed that came from `url`; raises `FeedError` if it is none. `content_type` is the header as it came."""
    if not is_feed(data):
        raise FeedError("is not a feed", where=url, mend="Name the address of an RSS, Atom or JSON feed.")
    if len(data) > MAX_BYTES:
        raise FeedError(f"is larger than {MAX_BYTES // 2**20} MiB", where=url)
    try:
        if data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
            return _json_feed(data, url)
        return _xml_feed(data, url, content_type)
    except _PARSER_ERRORS as error:
        raise FeedError(f"cannot be read as a feed ({type(error).__name__}: {error})", where=url) from error


def _xml_feed(data: bytes, url: str, content_type: str) -> Feed:
    import feedparser

    # A stream, since feedparser takes bytes for a file name first. The header decides the charset (RFC 7303). Nothing
    # is sanitized: the content is stored as written, and whoever shows it has to clean it anyway.
    parsed = feedparser.parse(
        BytesIO(data),
        response_headers={"content-type": content_type} if content_type else {},
        sanitize_html=False,
        resolve_relative_uris=False,
    )
    version = parsed.get("version") or ""
    if not version and not parsed.entries:
        raise FeedError("is not a feed", where=url)
    entries = [_xml_entry(each, url, version) for each in parsed.entries]
    if _is_cut(parsed.get("bozo_exception")):
        # What stands in front of the error is right, but the last item may be half of one.
        entries = entries[:-1]
    return Feed(absolute(parsed.feed.get("link"), url), tuple(entries))


def _is_cut(error: object) -> bool:
    from xml.sax import SAXException

    return isinstance(error, SAXException)


def _xml_entry(entry: dict[str, object], url: str, version: str) -> Entry:
    # `dict.get`, because feedparser's own answers a missing `updated` with `published`.
    published, updated = dict.get(entry, "published"), dict.get(entry, "updated")
    contents = entry.get("content")
    whole = [_text(each.get("value")) for each in contents] if isinstance(contents, list) else []
    moment = utc(published) or _moment(entry.get("published_parsed"))
    if moment is None and not published:
        moment = utc(updated) or _moment(entry.get("updated_parsed"))
    stated = bool(published) or version.startswith("atom")
    return Entry(
        url=absolute(entry.get("link"), url),
        id=_text(entry.get("id")),
        title=_title(entry.get("title_detail")),
        author=_text(entry.get("author")),
        published_at=moment,
        version=_text(updated) if stated else None,
        content=next((each for each in whole if each), None),
        summary=_text(entry.get("summary")),
    )


def _title(detail: object) -> str | None:
    text = _text(detail.get("value")) if isinstance(detail, Mapping) else None
    if text and isinstance(detail, Mapping) and detail.get("type") != "text/plain" and ("<" in text or "&" in text):
        from llm_twin_assets.collection.reading.markup import parse

        text = parse(text).get_text()
    return " ".join(text.split()) or None if text else None


def _moment(parsed: object) -> datetime | None:
    try:
        return datetime.fromtimestamp(timegm(parsed), UTC) if isinstance(parsed, struct_time) else None
    except (ValueError, OverflowError, OSError):
        return None


def _json_feed(data: bytes, url: str) -> Feed:
    feed: Json = json.loads(data)
    if not isinstance(feed, dict) or not str(feed.get("version")).startswith(_JSON_VERSION):
        raise FeedError("is not a JSON Feed: its `version` names none", where=url)
    items = feed.get("items")
    entries = [_json_entry(item, url) for item in items if isinstance(item, dict)] if isinstance(items, list) else []
    return Feed(absolute(feed.get("home_page_url"), url), tuple(entries))


def _json_entry(item: Mapping[str, Json], url: str) -> Entry:
    authors = item.get("authors")
    author = authors[0] if isinstance(authors, list) and authors else item.get("author")
    title = _text(item.get("title"))
    return Entry(
        url=absolute(item.get("url"), url),
        id=_text(item.get("id")),
        title=" ".join(title.split()) if title else None,
        author=_text(author.get("name")) if isinstance(author, Mapping) else None,
        published_at=utc(item.get("date_published")),
        version=_text(item.get("date_modified")),
        content=_text(item.get("content_html")),
        summary=_text(item.get("summary")),
    )


def _text(value: object) -> str | None:
    return value.strip() or None if isinstance(value, str) else None
