"""A source whose every visit yields what a test says."""

from collections.abc import AsyncIterator

from llm_twin_assets.collection.connector import Collectable, Connector, Found, SourceOptions
from llm_twin_assets.collection.visit import Visit
from llm_twin_assets.domain.document import Category
from resources.errors import TwinError


class Place(SourceOptions):
    """Which of the scripted sources."""

    place: str = "here"


def source(*events: Collectable | TwinError, platform: str = "web", version: int = 1) -> Connector[SourceOptions]:
    """A connector that yields the events in order and raises what is an error; `source.memory` is what it was given."""

    async def collect(options: SourceOptions, visit: Visit) -> AsyncIterator[Collectable]:
        given.clear()
        given.update(visit.memory)
        for event in events:
            if isinstance(event, TwinError):
                raise event
            yield event

    given: dict[str, object] = {}
    connector = Connector(
        platform=platform,
        categories=frozenset(Category),
        options=Place,
        collect=collect,
        description="Scripted.",
        version=version,
    )
    object.__setattr__(connector, "given", given)
    return connector


def article(number: int, text: str = "", **more: object) -> Found:
    """An article with words enough to be told from others."""
    body = text or " ".join(f"{word}{number}" for word in ("warp", "weft", "heddle", "reed", "shuttle", "selvedge"))
    values: dict[str, object] = {
        "stable_id": f"https://maya.example/{number}",
        "category": Category.ARTICLE,
        "title": f"Article {number}",
        "content": body,
        "media_type": "text/markdown",
        "url": f"https://maya.example/{number}",
        "published_at": None,
        "dated_by": "nothing",
        "listing": "all",
    }
    return Found(**{**values, **more})  # type: ignore[arg-type]
