"""Medium's account export: `posts/*.html` in the h-entry microformat; drafts are left out."""

from collections.abc import Iterator
from pathlib import PurePosixPath

from llm_twin_assets.collection.connector import Collectable, Listed, Quarantined, Seen
from llm_twin_assets.collection.platforms.medium_posts import is_response, permanent, post
from llm_twin_assets.collection.reading.dates import utc
from llm_twin_assets.collection.reading.export import Export, ExportError, read_text, where

LISTING = "export"
DOWNLOAD = "medium.com/me/settings/security (Download your information)"
_AGAIN = f"Download it again from {DOWNLOAD}."


def wanted(name: str) -> bool:
    """Whether a file of the export is a post."""
    path = PurePosixPath(name)
    return path.suffix.lower() == ".html" and path.parent.name == "posts"


def read(export: Export) -> Iterator[Collectable]:
    """Every published article and response; raises `ExportError` if there is none."""
    names = [name for name in export.names() if wanted(name)]
    if not names:
        raise ExportError("holds no posts/*.html", where=str(export.path), mend=_AGAIN)
    published = [name for name in names if not PurePosixPath(name).name.startswith("draft")]
    if not published:
        raise ExportError(
            "holds nothing published", where=str(export.path), mend="Check that it is the right one, or remove it."
        )
    complete = True
    for name in published:
        event = _read(export, name)
        yield event
        if isinstance(event, Quarantined):
            known = permanent(PurePosixPath(name).stem)
            complete = complete and known is not None
            if known:
                yield Seen(known, LISTING)
    if complete:
        yield Listed(LISTING)


def _read(export: Export, name: str) -> Collectable:
    # bs4 and lxml take a tenth of a second to import: not while Dagster loads the code location.
    from dataclasses import replace

    from llm_twin_assets.collection.reading.markup import attribute, parse, words_of

    text = read_text(export, name)
    if isinstance(text, Quarantined):
        return text
    page = parse(text)
    body = page.select_one("[data-field=body], .e-content")
    if body is None or not words_of(body):
        return Quarantined(where(export, name), f"has no .e-content with text, so it is no post of Medium's. {_AGAIN}")
    title = words_of(page.select_one(".p-name")) or words_of(page.select_one("title"))
    canonical = attribute(page.select_one("a.p-canonical"), "href")
    # Feeds name the same post by the same address, so that both ways of collecting it meet in one document.
    stem = PurePosixPath(name).stem
    stable_id = permanent(stem) or canonical or f"medium:{stem}"
    moment = utc(attribute(page.select_one("time.dt-published"), "datetime"))
    found = post(stable_id, title, body, canonical or permanent(stem), moment, response=is_response(title, body))
    return replace(found, listing=LISTING)
