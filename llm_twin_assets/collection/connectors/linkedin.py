"""LinkedIn, from the export that a member downloads: posts and comments as CSV, articles as HTML pages.

File names come with or without a member-id suffix (`Shares.csv`, `Shares_155814142.csv`), at the top or in a folder.
"""

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from urllib.parse import unquote

from llm_twin_assets.collection.connector import Collectable, Connector, Found, LocalPath, Quarantined, SourceOptions
from llm_twin_assets.collection.csv_table import Row, rows
from llm_twin_assets.collection.dates import utc
from llm_twin_assets.collection.export import Export, ExportError, open_export, read_text, where
from llm_twin_assets.domain.document import Category
from llm_twin_assets.domain.identity import content_hash

_URN = re.compile(r"urn:li:(?:share|ugcPost|activity|groupPost):\d+")
_COMMENT_URN = re.compile(r"urn:li:comment:\([^)]*\)")
_AGAIN = "Ask LinkedIn for the larger data archive again, in English, and name the zip as it comes."


class LinkedInOptions(SourceOptions):
    """`export`: the zip that LinkedIn mails, or its unpacked folder."""

    export: LocalPath


def collect(options: LinkedInOptions) -> Iterator[Collectable]:
    """Everything that the member wrote, in the order of the files."""
    with open_export(options.export) as export:
        names = export.names()
        shares = [name for name in names if fnmatchcase(_file(name), "shares*.csv")]
        comments = [name for name in names if fnmatchcase(_file(name), "comments*.csv")]
        articles = [name for name in names if _is_article(name)]
        if not (shares or comments or articles):
            raise ExportError(
                "holds no Shares.csv, Comments.csv or Articles/*.html", where=str(export.path), mend=_AGAIN
            )
        for name in shares:
            yield from _shares(export, name)
        for name in comments:
            yield from _comments(export, name)
        for name in articles:
            yield from _article(export, name)


CONNECTOR = Connector(
    platform="linkedin",
    categories=frozenset({Category.POST, Category.ARTICLE}),
    options=LinkedInOptions,
    collect=collect,
    description="Posts, comments and articles from LinkedIn's data export (zip or folder).",
)


def _file(name: str) -> str:
    return PurePosixPath(name).name.lower()


def _is_article(name: str) -> bool:
    path = PurePosixPath(name)
    return path.suffix.lower() == ".html" and "articles" in {part.lower() for part in path.parts[:-1]}


def _shares(export: Export, name: str) -> Iterator[Collectable]:
    for row in _rows(export, name, ("Date", "ShareLink", "ShareCommentary")):
        yield from _post(row, restored_lines(row.values["ShareCommentary"])) if isinstance(row, Row) else (row,)


def _comments(export: Export, name: str) -> Iterator[Collectable]:
    for row in _rows(export, name, ("Date", "Link", "Message"), backslashes=True):
        yield from _post(row, row.values["Message"]) if isinstance(row, Row) else (row,)


def _rows(
    export: Export, name: str, required: tuple[str, ...], *, backslashes: bool = False
) -> Iterator[Row | Quarantined]:
    text = read_text(export, name)
    if isinstance(text, Quarantined):
        yield text
        return
    yield from rows(unescaped(text) if backslashes else text, where(export, name), required, _AGAIN)


def _post(row: Row, text: str) -> Iterator[Collectable]:
    text = text.strip()
    if not text:
        return  # shared or reacted without a word: nothing that the author wrote
    stated = row.values["Date"].strip()
    moment = utc(stated)
    if stated and moment is None:  # a blank date does occur in real exports; nonsense means a shifted row
        yield Quarantined(row.where, f"'{stated[:40]}' is not a date. Mend the row or download the export again.")
        return
    url = row.values.get("ShareLink") or row.values.get("Link") or None
    yield Found(
        stable_id=_share_id(url or text) if "ShareLink" in row.values else _comment_id(url or "", stated, text),
        category=Category.POST,
        title=None,
        content=text,
        media_type="text/plain",
        url=url,
        published_at=moment,
        dated_by="platform" if moment else "nothing",
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


def _share_id(link: str) -> str:
    found = _URN.search(unquote(link))
    return found.group() if found else link


def _comment_id(link: str, stated: str, text: str) -> str:
    """Comments link to the post they stand under; unless the link names the comment, its time tells it from others."""
    if found := _COMMENT_URN.search(unquote(link)):
        return found.group()
    return f"{_share_id(link)}#comment-{stated or content_hash(text)}"


def _article(export: Export, name: str) -> Iterator[Collectable]:
    # bs4 and lxml take a tenth of a second to import: not while Dagster loads the code location.
    from llm_twin_assets.collection.markup import attribute, inner_html, parse, words_of

    text = read_text(export, name)
    if isinstance(text, Quarantined):
        yield text
        return
    page = parse(text)
    published = page.select_one("p.published")
    if published is None and page.select_one("p.created"):
        return  # a draft has a date of creation alone
    heading = page.select_one("h1")
    title = words_of(heading) or words_of(page.select_one("title")) or None
    body = page.select_one("p.published ~ div") or page.select_one("h1 ~ div") or page.body
    if body is None or not words_of(body):
        yield Quarantined(where(export, name), "holds no text. Download the export again.")
        return
    url = attribute(heading.select_one("a") if heading else None, "href")
    moment = utc(words_of(published).removeprefix("Published on "))
    yield Found(
        stable_id=url or f"linkedin:article:{PurePosixPath(name).stem}",
        category=Category.ARTICLE,
        title=title,
        content=inner_html(body),
        media_type="text/html",
        url=url,
        published_at=moment,
        dated_by="platform" if moment else "nothing",
    )
