"""Substack's export of a publication: `posts.csv` and `posts/{id}.{slug}.html`. Only these two are ever opened."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import PurePosixPath

from llm_twin_assets.collection.connector import Collectable, Found, Listed, Quarantined, Seen
from llm_twin_assets.collection.platforms.substack_posts import body, content, stable_id
from llm_twin_assets.collection.reading.csv_table import Row, rows
from llm_twin_assets.collection.reading.dates import utc
from llm_twin_assets.collection.reading.export import Export, ExportError, read_text, where

LISTING = "export"
_AGAIN = "Export it again from your publication's settings (Export)."
_TABLE = "posts.csv"


def wanted(name: str) -> bool:
    """Whether a file is one of the two.

    The export also holds the subscribers (`email_list*.csv`, `*.opens.csv`, `*.delivers.csv`): other people's
    addresses. They are told by name, before anything is read.
    """
    return PurePosixPath(name).name == _TABLE or _is_page(name)


def reader(base: str | None) -> Callable[[Export], Iterator[Collectable]]:
    """What reads an export of the publication at `base`, an address which the export does not name."""
    return partial(_read, base=base)


def _read(export: Export, base: str | None) -> Iterator[Collectable]:
    names = [name for name in export.names() if wanted(name)]
    pages = {_key(name): name for name in names if _is_page(name)}
    table = next((name for name in names if PurePosixPath(name).name == _TABLE), None)
    if table is None:
        raise ExportError("holds no posts.csv", where=str(export.path), mend=_AGAIN)
    text = read_text(export, table)
    if isinstance(text, Quarantined):
        raise ExportError(text.reason, where=text.where)
    required = ("post_id", "post_date", "is_published", "title")
    complete = True
    for row in rows(text, where(export, table), required, _AGAIN):
        if isinstance(row, Quarantined):
            complete = False
            yield row
        elif row.values["is_published"].strip().lower() == "true":
            yield from _post(export, row, pages, base)
    if complete:
        yield Listed(LISTING)


def _is_page(name: str) -> bool:
    path = PurePosixPath(name)
    return path.suffix.lower() == ".html" and path.parent.name == "posts"


def _key(name: str) -> str:
    return PurePosixPath(name).name.partition(".")[0]


def _post(export: Export, row: Row, pages: dict[str, str], base: str | None) -> Iterator[Collectable]:
    number, _, slug = row.values["post_id"].strip().partition(".")
    text = _page(export, row, pages.get(number))
    if isinstance(text, Quarantined):
        yield text
        yield Seen(stable_id(number), LISTING)
        return
    slug = slug or PurePosixPath(pages[number]).stem.partition(".")[2]
    category, said, media_type = content(row.values.get("type", ""), body(row.values.get("subtitle", ""), text))
    moment = utc(row.values["post_date"])
    yield Found(
        stable_id=stable_id(number),
        category=category,
        title=row.values["title"].strip() or None,
        content=said,
        media_type=media_type,
        url=f"{base}/p/{slug}" if base and slug else None,
        published_at=moment,
        dated_by="platform" if moment else "nothing",
        listing=LISTING,
    )


def _page(export: Export, row: Row, name: str | None) -> str | Quarantined:
    if name is None:
        return Quarantined(row.where, f"posts/{row.values['post_id']}.html is not in the export. {_AGAIN}")
    text = read_text(export, name)
    if isinstance(text, str) and not text.strip():
        return Quarantined(where(export, name), "holds no text (a video or audio post has none).")
    return text
