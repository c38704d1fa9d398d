"""Substack, from the publication's export: `posts.csv` and `posts/{id}.{slug}.html`. Only these two are ever opened."""

from collections.abc import Iterator
from pathlib import PurePosixPath

from llm_twin_assets.collection.connector import (
    Collectable,
    Connector,
    Found,
    LocalPath,
    Quarantined,
    SourceOptions,
    WebUrl,
)
from llm_twin_assets.collection.csv_table import Row, rows
from llm_twin_assets.collection.dates import utc
from llm_twin_assets.collection.export import Export, ExportError, open_export, read_text, where
from llm_twin_assets.domain.document import Category

_AGAIN = "Export it again from your publication's settings (Export)."


class SubstackOptions(SourceOptions):
    """`export`: the zip or its unpacked folder. `url`: the publication's address, which the export does not name."""

    export: LocalPath
    url: WebUrl | None = None


def collect(options: SubstackOptions) -> Iterator[Collectable]:
    """Every published post."""
    with open_export(options.export) as export:
        # The export also holds the subscribers (`email_list*.csv`, `*.opens.csv`, `*.delivers.csv`): other people's
        # addresses. They are dropped here, by name, before anything is read.
        pages = {_key(name): name for name in export.names() if _is_page(name)}
        table = next((name for name in export.names() if PurePosixPath(name).name == "posts.csv"), None)
        if table is None:
            raise ExportError("holds no posts.csv", where=str(export.path), mend=_AGAIN)
        text = read_text(export, table)
        if isinstance(text, Quarantined):
            raise ExportError(text.reason, where=text.where)
        required = ("post_id", "post_date", "is_published", "title")
        for row in rows(text, where(export, table), required, _AGAIN):
            yield from _post(export, row, pages, options.url) if isinstance(row, Row) else (row,)


CONNECTOR = Connector(
    platform="substack",
    categories=frozenset({Category.ARTICLE, Category.POST}),
    options=SubstackOptions,
    collect=collect,
    description="Published posts from a Substack export (zip or folder).",
)


def _is_page(name: str) -> bool:
    path = PurePosixPath(name)
    return path.suffix.lower() == ".html" and path.parent.name == "posts"


def _key(name: str) -> str:
    return PurePosixPath(name).name.partition(".")[0]


def _post(export: Export, row: Row, pages: dict[str, str], base: str | None) -> Iterator[Collectable]:
    # bs4 and lxml take a tenth of a second to import: not while Dagster loads the code location.
    from llm_twin_assets.collection.markup import parse, plain_text

    if row.values["is_published"].strip().lower() != "true":
        return
    number, _, slug = row.values["post_id"].strip().partition(".")
    page = pages.get(number)
    if page is None:
        yield Quarantined(row.where, f"posts/{row.values['post_id']}.html is not in the export. {_AGAIN}")
        return
    text = read_text(export, page)
    if isinstance(text, Quarantined):
        yield text
        return
    if not text.strip():
        yield Quarantined(where(export, page), "holds no text (a video or audio post has none).")
        return
    slug = slug or PurePosixPath(page).stem.partition(".")[2]
    thread = row.values.get("type") == "thread"
    moment = utc(row.values["post_date"])
    yield Found(
        # The number is Substack's own; slug and domain may change.
        stable_id=f"substack:{number}",
        category=Category.POST if thread else Category.ARTICLE,
        title=row.values["title"].strip() or None,
        content=plain_text(parse(text)) if thread else text.strip(),
        media_type="text/plain" if thread else "text/html",
        url=f"{base}/p/{slug}" if base and slug else None,
        published_at=moment,
        dated_by="platform" if moment else "nothing",
    )
