"""X (Twitter), from the archive that a person downloads; its API costs money and its pages forbid crawling."""

from collections.abc import AsyncIterator
from typing import Annotated

from pydantic import StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from llm_twin_assets.collection.connector import Collectable, Connector, LocalPath, SourceOptions
from llm_twin_assets.collection.platforms.x_archive import documents, is_wanted
from llm_twin_assets.collection.reading.watched import Archives
from llm_twin_assets.collection.visit import Visit
from llm_twin_assets.domain.document import Category

# To be raised when the same archive is to be read in another way.
_READER = 1


class XOptions(SourceOptions):
    """Where the archive is.

    `export`: the zip, or its unpacked folder. `watch`: a folder into which such zips are put. `handle`: for the
    addresses of the posts.
    """

    handle: Annotated[str, StringConstraints(pattern=r"^@?\w{1,50}$")] | None = None
    export: LocalPath | None = None
    watch: LocalPath | None = None

    @model_validator(mode="after")
    def _some_way(self) -> "XOptions":
        if not (self.export or self.watch):
            raise PydanticCustomError("some_way", "give 'export' (X's archive) or 'watch' (a folder of them)")
        return self

    def name(self) -> str:
        """The account, else the folder, which outlives the zips in it."""
        path = self.watch or self.export
        return self.handle.removeprefix("@").lower() if self.handle else path.name if path else ""


async def collect(options: XOptions, visit: Visit) -> AsyncIterator[Collectable]:
    """Every post and thread of the newest archive, and what older ones have beside them."""
    handle = options.handle.removeprefix("@") if options.handle else None
    archives = Archives(
        wanted=is_wanted,
        read=lambda export: documents(export, handle),
        export=options.export,
        watch=options.watch,
        reading={"reader": _READER, "handle": handle},
    )
    for event in archives.visited(visit):
        yield event


CONNECTOR = Connector(
    platform="x",
    categories=frozenset({Category.POST}),
    options=XOptions,
    collect=collect,
    description="Posts and threads from X's data archive (zip or folder).",
)
