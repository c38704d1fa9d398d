"""What a connector is, and what it yields: documents as their platform gave them, or what could not be read and why."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Generic, Literal, TypeAlias, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationInfo
from pydantic_core import PydanticCustomError

from llm_twin_assets.domain.document import Category

# Where a date comes from. An mtime differs from machine to machine: it dates a document but is no part of its hash.
DatedBy = Literal["platform", "front matter", "file name", "git", "mtime", "nothing"]


@dataclass(frozen=True, slots=True)
class Found:
    """One document at its source. `stable_id` (canonical URL or platform id) outlives edits; dates are aware UTC."""

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


@dataclass(frozen=True, slots=True)
class Quarantined:
    """Something that could not be read: where it is (file, line) and why, with what to do about it."""

    where: str
    reason: str


Collectable: TypeAlias = Found | Quarantined


class SourceOptions(BaseModel):
    """What `twin.yaml` may say of a source beside its platform; an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


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

    `collect` raises a `TwinError` where the whole source is unusable and yields `Quarantined` for one bad part of it.
    """

    platform: str
    categories: frozenset[Category]
    options: type[Options]
    collect: Callable[[Options], Iterator[Collectable]]
    description: str
