"""LinkedIn: the data export that a member downloads, and the Member Data Portability API. Nothing is scraped."""

from collections.abc import AsyncIterator

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from llm_twin_assets.collection.connector import Collectable, Connector, LocalPath, Notice, SourceOptions, WebUrl
from llm_twin_assets.collection.platforms.linkedin_api import Portability
from llm_twin_assets.collection.platforms.linkedin_export import documents, is_wanted
from llm_twin_assets.collection.reading.watched import Archives
from llm_twin_assets.collection.visit import Visit
from llm_twin_assets.domain.document import Category
from resources.errors import ConfigurationError

TOKEN = "LINKEDIN_TOKEN"  # noqa: S105 (the name of the variable, not what is in it)
# To be raised when the same export is to be read in another way.
_READER = 1


class LinkedInOptions(SourceOptions):
    """Where the member's words are.

    `export`: the zip that LinkedIn mails, or its unpacked folder. `watch`: a folder into which such zips are put, year
    after year. `portability`: ask the API with the token in LINKEDIN_TOKEN (members in the EEA and Switzerland).
    `visibility`: only posts that were shown to these (`PUBLIC`, `MEMBER_NETWORK`, `CONNECTIONS`), by default all.
    """

    export: LocalPath | None = None
    watch: LocalPath | None = None
    portability: bool = False
    visibility: frozenset[str] = Field(default=frozenset())
    api: WebUrl = "https://api.linkedin.com"

    @model_validator(mode="after")
    def _some_way(self) -> "LinkedInOptions":
        if not (self.export or self.watch or self.portability):
            raise PydanticCustomError("some_way", "give 'export' (a zip), 'watch' (a folder) or 'portability: true'")
        return self

    def name(self) -> str:
        """The folder outlives the zips in it."""
        path = self.watch or self.export
        return path.name if path else "portability"


async def collect(options: LinkedInOptions, visit: Visit) -> AsyncIterator[Collectable]:
    """Everything that the member wrote: what is new on disk, then what is new on LinkedIn."""
    visibility = frozenset(each.upper() for each in options.visibility)
    if options.export or options.watch:
        archives = Archives(
            wanted=is_wanted,
            read=lambda export: documents(export, visibility),
            export=options.export,
            watch=options.watch,
            reading={"reader": _READER, "visibility": sorted(visibility)},
        )
        for event in archives.visited(visit):
            yield event
    if not options.portability:
        return
    token = visit.secret(TOKEN)
    if token:
        async for event in Portability(visit, options.api, token, visibility).visited():
            yield event
    elif options.export or options.watch:
        yield Notice(f"`portability` is on but {TOKEN} is not set: only the export was read")
    else:
        raise ConfigurationError(f"{TOKEN} is not set", where="linkedin", mend="Set it, or turn `portability` off.")


CONNECTOR = Connector(
    platform="linkedin",
    categories=frozenset({Category.POST, Category.ARTICLE}),
    options=LinkedInOptions,
    collect=collect,
    description="Posts, comments and articles from LinkedIn's data export and its Member Data Portability API.",
    tokens=(TOKEN,),
)
