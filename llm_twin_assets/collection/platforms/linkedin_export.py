"""LinkedIn's data export: posts and comments as CSV, articles as HTML pages; and rows of the same shape from its API.

File names come with or without a member-id suffix (`Shares.csv`, `Shares_155814142.csv`), at the top or in a folder.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from urllib.parse import quote, unquote

from llm_twin_assets.collection.connector import Collectable, Found, Listed, Quarantined
from llm_twin_assets.collection.reading.csv_table import Row, rows
from llm_twin_assets.collection.reading.dates import utc
from llm_twin_assets.collection.reading.export import Export, ExportError, read_text, where
from llm_twin_assets.domain.document import Category
from llm_twin_assets.domain.identity import content_hash

# The listings: what an export shows of each kind is all that there is of it.
POSTS, COMMENTS, ARTICLES = "posts", "comments", "articles"
POST_COLUMNS = ("Date", "ShareLink", "ShareCommentary")
COMMENT_COLUMNS = ("Date", "Link", "Message")

_URN = re.compile(r"urn:li:(?:share|ugcPost|activity|groupPost):\d+")
_COMMENT_URN = re.compile(r"urn:li:comment:\([^)]*\)")
_AGAIN = "Ask LinkedIn for the larger data archive again, in English, and name the zip as it comes."


def is_wanted(name: str) -> bool:
    """Whether a file of the export is read at all; messages, connections and the rest never are."""
    return kind_of(name) is not None


def kind_of(name: str) -> str | None:
    """The listing that a file belongs to."""
    path = PurePosixPath(name)
    if fnmatchcase(path.name.lower(), "shares*.csv"):
        return POSTS
    if fnmatchcase(path.name.lower(), "comments*.csv"):
        return COMMENTS
    is_page = path.suffix.lower() == ".html" and "articles" in {part.lower() for part in path.parts[:-1]}
    return ARTICLES if is_page else None


def documents(export: Export, visibility: frozenset[str] = frozenset()) -> Iterator[Collectable]:
    """Everything that the member wrote, kind by kind; `visibility` says which posts, none of them that all."""
    names = {kind: [name for name in export.names() if kind_of(name) == kind] for kind in (POSTS, COMMENTS, ARTICLES)}
    if not any(names.values()):
        raise ExportError("holds no Shares.csv, Comments.csv or Articles/*.html", where=str(export.path), mend=_AGAIN)
    for name in names[POSTS]:
        yield from _posts(export, name, visibility)
    for name in names[COMMENTS]:
        yield from _comments(export, name)
    for name in names[ARTICLES]:
        yield from _article(export, name)
    yield from (Listed(kind) for kind, files in names.items() if files)


def _posts(export: Export, name: str, visibility: frozenset[str]) -> Iterator[Found | Quarantined]:
    for row in _rows(export, name, POST_COLUMNS):
        yield from (row,) if isinstance(row, Quarantined) else post(row, visibility)


def _comments(export: Export, name: str) -> Iterator[Found | Quarantined]:
    for row in _rows(export, name, COMMENT_COLUMNS, backslashes=True):
        yield from (row,) if isinstance(row, Quarantined) else comment(row)


def post(row: Row, visibility: frozenset[str] = frozenset()) -> Iterator[Found | Quarantined]:
    """What a row of Shares.csv says; nothing if something was shared without a word."""
    shown_to = row.values.get("Visibility", "").strip().upper()
    if visibility and shown_to and shown_to not in visibility:
        return
    text = restored_lines(row.values["ShareCommentary"]).strip()
    link = row.values["ShareLink"].strip()
    yield from _document(row, text, link, POSTS, share_id(link) if link else f"linkedin:share:{content_hash(text)}")


def comment(row: Row) -> Iterator[Found | Quarantined]:
    """What a row of Comments.csv says; nothing if the comment is a picture alone."""
    text, link, date = (row.values[name].strip() for name in ("Message", "Link", "Date"))
    yield from _document(row, text, link, COMMENTS, comment_id(link, date or content_hash(text)))


def _document(row: Row, text: str, link: str, listing: str, stable_id: str) -> Iterator[Found | Quarantined]:
    if not text:
        return
    stated = row.values["Date"].strip()
    moment = utc(stated)
    if stated and moment is None:  # a blank date does occur in real exports; nonsense means a shifted row
        yield Quarantined(row.where, f"'{stated[:40]}' is not a date. Mend the row or download the export again.")
        return
    yield written(stable_id, text, link or None, moment, listing)


def written(stable_id: str, text: str, url: str | None, moment: datetime | None, listing: str = "") -> Found:
    """A post or a comment."""
    return Found(
        stable_id=stable_id,
        category=Category.POST,
        title=None,
        content=text,
        media_type="text/plain",
        url=url if url and url.startswith(("https://", "http://")) else None,
        published_at=moment,
        dated_by="platform" if moment else "nothing",
        listing=listing,
    )


def restored_lines(commentary: str) -> str:
    """Shares.csv puts a quote on both sides of each line break before it quotes the field; take exactly those away."""
    breaks = commentary.count("\n")
    # Counted with look-around, because an empty line shares its quotes with both of its breaks.
    if not breaks or breaks != len(re.findall(r'(?<=")\n(?=")', commentary)):
        return commentary
    return commentary.replace('"\n"', "\n")


def unescaped(text: str) -> str:
    """Comments.csv writes a quote as backslash and quote; say it as CSV does. Any other backslash is the author's."""
    return re.sub(r'\\(["\\])', lambda found: '""' if found.group(1) == '"' else "\\", text)


def share_id(link: str) -> str:
    """The URN of the post that a link leads to, or the link."""
    found = _URN.search(unquote(link))
    return found.group() if found else link


def share_link(urn: str) -> str:
    """The link to a post as the export writes it."""
    return f"https://www.linkedin.com/feed/update/{quote(urn, safe='')}"


def comment_id(link: str, moment: str) -> str:
    """The link says what was commented on (a post, or the comment that was answered); the time tells two apart."""
    answered = _COMMENT_URN.search(unquote(link))
    return f"{answered.group() if answered else share_id(link)}#comment-{moment}"


def _rows(
    export: Export, name: str, required: tuple[str, ...], *, backslashes: bool = False
) -> Iterator[Row | Quarantined]:
    text = read_text(export, name)
    if isinstance(text, Quarantined):
        yield text
        return
    yield from rows(unescaped(text) if backslashes else text, where(export, name), required, _AGAIN)


def _article(export: Export, name: str) -> Iterator[Found | Quarantined]:
    text = read_text(export, name)
    if isinstance(text, Quarantined):
        yield text
        return
    yield from article(text, where(export, name), f"linkedin:article:{PurePosixPath(name).stem}")


def article(html: str, place: str, fallback_id: str) -> Iterator[Found | Quarantined]:
    """An article's page; nothing if it is a draft. `fallback_id` names an article that has no address."""
    # bs4 and lxml take a tenth of a second to import: not while Dagster loads the code location.
    from llm_twin_assets.collection.reading.markup import attribute, inner_html, parse, words_of

    page = parse(html)
    published = page.select_one("p.published")
    if published is None and page.select_one("p.created"):
        return  # a draft has a date of creation alone
    heading = page.select_one("h1")
    title = words_of(heading) or words_of(page.select_one("title")) or None
    body = page.select_one("p.published ~ div") or page.select_one("h1 ~ div") or page.body
    if body is None or not words_of(body):
        yield Quarantined(place, "holds no text. Download the export again.")
        return
    url = attribute(heading.select_one("a") if heading else None, "href")
    moment = utc(words_of(published).removeprefix("Published on "))
    yield Found(
        stable_id=url or fallback_id,
        category=Category.ARTICLE,
        title=title,
        content=inner_html(body),
        media_type="text/html",
        url=url,
        published_at=moment,
        dated_by="platform" if moment else "nothing",
        listing=ARTICLES,
    )
