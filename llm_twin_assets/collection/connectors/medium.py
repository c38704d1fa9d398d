"""Medium, from the account export: `posts/*.html` in the h-entry microformat; no drafts, responses as posts."""

import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from llm_twin_assets.collection.connector import Collectable, Connector, Found, LocalPath, Quarantined, SourceOptions
from llm_twin_assets.collection.dates import utc
from llm_twin_assets.collection.export import Export, ExportError, open_export, read_text, where
from llm_twin_assets.domain.document import Category

if TYPE_CHECKING:
    from bs4 import Tag

# Medium ends file names and addresses with the post's id, twelve hex digits (fewer for old posts).
_POST_ID = re.compile(r"-?([0-9a-f]{8,12})$")
_AGAIN = "Download it again from medium.com/me/settings/security (Download your information)."


class MediumOptions(SourceOptions):
    """`export`: the zip that Medium mails, or its unpacked folder."""

    export: LocalPath


def collect(options: MediumOptions) -> Iterator[Collectable]:
    """Every published article and response."""
    with open_export(options.export) as export:
        names = [name for name in export.names() if _is_post(name)]
        if not names:
            raise ExportError("holds no posts/*.html", where=str(export.path), mend=_AGAIN)
        for name in names:
            if not PurePosixPath(name).name.startswith("draft"):
                yield _read(export, name)


CONNECTOR = Connector(
    platform="medium",
    categories=frozenset({Category.ARTICLE, Category.POST}),
    options=MediumOptions,
    collect=collect,
    description="Articles and responses from Medium's account export (zip or folder).",
)


def _is_post(name: str) -> bool:
    path = PurePosixPath(name)
    return path.suffix.lower() == ".html" and path.parent.name == "posts"


def _read(export: Export, name: str) -> Collectable:
    # bs4 and lxml take a tenth of a second to import: not while Dagster loads the code location.
    from llm_twin_assets.collection.markup import attribute, inner_html, parse, plain_text, words_of

    text = read_text(export, name)
    if isinstance(text, Quarantined):
        return text
    page = parse(text)
    body = page.select_one("[data-field=body], .e-content")
    if body is None or not words_of(body):
        return Quarantined(where(export, name), f"has no .e-content with text, so it is no post of Medium's. {_AGAIN}")
    title = words_of(page.select_one(".p-name")) or words_of(page.select_one("title"))
    canonical = attribute(page.select_one("a.p-canonical"), "href")
    known = _POST_ID.search(PurePosixPath(name).stem)
    response = is_response(title, body)
    moment = utc(attribute(page.select_one("time.dt-published"), "datetime"))
    # Feeds name the same post by the same address, so that both ways of collecting it meet in one document.
    permanent = f"https://medium.com/p/{known.group(1)}" if known else None
    return Found(
        stable_id=permanent or canonical or f"medium:{PurePosixPath(name).stem}",
        category=Category.POST if response else Category.ARTICLE,
        title=None if response else title or None,
        content=plain_text(body) if response else inner_html(body),
        media_type="text/plain" if response else "text/html",
        url=canonical or permanent,
        published_at=moment,
        dated_by="platform" if moment else "nothing",
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
