"""What a connector is, and the events it yields: documents as their platform gave them, and what became of the rest."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Generic, Literal, TypeAlias, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationInfo
from pydantic_core import PydanticCustomError

from llm_twin_assets.domain.document import Category
from llm_twin_assets.domain.identity import Json

if TYPE_CHECKING:
    from llm_twin_assets.collection.visit import Visit

# Where a date comes from. An mtime differs from machine to machine: it dates a document but is no part of its hash.
DatedBy = Literal["platform", "front matter", "file name", "git", "page", "mtime", "nothing"]


@dataclass(frozen=True, slots=True)
class Found:
    """One document at its source. `stable_id` (canonical URL or platform id) outlives edits; dates are aware UTC.

    `listing` names the enumeration that showed it (`export`, `archive`, `feed`, …), see `Listed`. `as_of` is when the
    content was what it is (an export's own date); None means now. An `excerpt` is what a paywall lets through: it is
    stored as such and never takes the place of the whole.
    """

    stable_id: str
    category: Category
    title: str | None
    content: str
    media_type: str
    url: str | None
    published_at: datetime | None
    dated_by: DatedBy = "platform"
    code_language: str | None = None
    repository: str | None = None
    path: str | None = None
    listing: str = ""
    as_of: datetime | None = None
    excerpt: bool = False
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Seen:
    """A document that is still there and was not fetched again (a 304, the same `lastmod`)."""

    stable_id: str
    listing: str = ""


@dataclass(frozen=True, slots=True)
class Gone:
    """A document of which the source says that it is no more (404, 410, deleted): one sighting of its absence."""

    stable_id: str


@dataclass(frozen=True, slots=True)
class Listed:
    """A listing was read to its end without an error: a document that it once showed and now did not is missing.

    `again` means that the source itself confirms the listing to be the same as the last time (a 304).
    """

    listing: str = ""
    again: bool = False


@dataclass(frozen=True, slots=True)
class Remember:
    """Something for the next visit, stored after every document that was yielded before it; None forgets it.

    The key is an address for what `Visit.get` needs to ask conditionally (see `Page`), else any name.
    """

    key: str
    value: Json


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that a person should know and that is no error: a gap in a feed, a repository left out and why."""

    what: str


@dataclass(frozen=True, slots=True)
class RobotsSkipped:
    """An address that robots.txt asks not to fetch."""

    url: str


@dataclass(frozen=True, slots=True)
class Quarantined:
    """Something that could not be read: where it is (file, line, address) and why, with what to do about it."""

    where: str
    reason: str


Collectable: TypeAlias = Found | Seen | Gone | Listed | Remember | Notice | RobotsSkipped | Quarantined


class SourceOptions(BaseModel):
    """What `twin.yaml` may say of a source beside its platform; an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def name(self) -> str:
        """What tells this source from the author's others on the platform, stable over edits of `twin.yaml`.

        The first option that is set; state (cursors, validators, sightings) is kept under it.
        """
        first = next((value for _, value in self if value is not None), "")
        return first.name if isinstance(first, Path) else str(first)


def _from_base(path: Path, info: ValidationInfo) -> Path:
    base = Path((info.context or {}).get("base", "."))
    return base / path.expanduser()


def _web_url(url: str) -> str:
    if not url.startswith(("https://", "http://")):
        raise PydanticCustomError("web_url", "should begin with https:// or http://")
    return url.rstrip("/")


# A relative path in `twin.yaml` is relative to the folder of that file, wherever Dagster was started.
LocalPath = Annotated[Path, AfterValidator(_from_base)]
WebUrl = Annotated[str, AfterValidator(_web_url)]

Options = TypeVar("Options", bound=SourceOptions)


@dataclass(frozen=True)
class Connector(Generic[Options]):
    """One platform: the options that its sources take and the function that reads one.

    `collect` raises a `TwinError` where the whole source is unusable (the cursor then stays, and nothing counts as
    missing) and yields `Quarantined` for one bad part of it. `tokens` are the environment variables that it asks for.
    A higher `version` makes every source be read anew: raise it when documents come out otherwise than before.
    """

    platform: str
    categories: frozenset[Category]
    options: type[Options]
    collect: "Callable[[Options, Visit], AsyncIterator[Collectable]]"
    description: str
    tokens: tuple[str, ...] = ()
    version: int = 1
