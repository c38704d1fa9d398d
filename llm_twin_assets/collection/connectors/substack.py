"""Substack: a publication's archive (API, else sitemap, else feed), and its export."""

from collections.abc import AsyncIterator

from pydantic import model_validator
from pydantic_core import PydanticCustomError

from llm_twin_assets.collection.connector import Collectable, Connector, LocalPath, Notice, SourceOptions, WebUrl
from llm_twin_assets.collection.platforms import substack_export
from llm_twin_assets.collection.platforms.substack_pages import read_pages
from llm_twin_assets.collection.platforms.substack_site import Publication, SubstackError, archive, changed, own
from llm_twin_assets.collection.reading.feeds import FeedError
from llm_twin_assets.collection.reading.watched import Archives
from llm_twin_assets.collection.visit import Visit
from llm_twin_assets.domain.document import Category
from resources.http import HttpError

# Raise it when the same export would be read differently.
_READING = 2


class SubstackOptions(SourceOptions):
    """`url`: the publication's address. `export`: its zip or the unpacked folder; `watch`: a folder for such zips.

    `byline`: the author's name or handle on Substack, where several people write and it is not the person's name.
    `crawl: false` leaves the address to the export alone, which does not name it.
    """

    url: WebUrl | None = None
    export: LocalPath | None = None
    watch: LocalPath | None = None
    byline: str | None = None
    crawl: bool = True

    @model_validator(mode="after")
    def _names_something(self) -> "SubstackOptions":
        if not (self.export or self.watch or (self.url and self.crawl)):
            raise PydanticCustomError("substack", "needs `url`, `export` or `watch`")
        return self


async def collect(options: SubstackOptions, visit: Visit) -> AsyncIterator[Collectable]:
    """The export's posts if it is new, then what the publication shows that is new or changed."""
    if options.export or options.watch:
        archives = Archives(
            substack_export.wanted,
            substack_export.reader(options.url),
            export=options.export,
            watch=options.watch,
            reading=[_READING, options.url],
        )
        for event in archives.visited(visit):
            yield event
    if options.url and options.crawl:
        async for event in _crawled(Publication(options.url), options.byline or visit.person.name, visit):
            yield event


CONNECTOR = Connector(
    platform="substack",
    categories=frozenset({Category.ARTICLE, Category.POST}),
    options=SubstackOptions,
    collect=collect,
    description="Posts of a Substack publication: its archive on the web, its export.",
)


async def _crawled(publication: Publication, author: str, visit: Visit) -> AsyncIterator[Collectable]:
    try:
        posts = await archive(publication, visit)
    except (HttpError, SubstackError) as error:
        yield Notice(f"{error} Its sitemap or its feed is read instead.")
        try:
            async for event in read_pages(publication, visit):
                yield event
        except (HttpError, FeedError):
            raise error from None
        return
    async for event in changed(publication, own(posts, author, publication.url), visit):
        yield event
