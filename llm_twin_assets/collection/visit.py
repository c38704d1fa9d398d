"""One visit to one source: who is collected, when, the way to the network, and what the last visit left to remember."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from llm_twin_assets.collection.concurrency import as_completed
from llm_twin_assets.collection.connector import Remember
from llm_twin_assets.domain.identity import Json
from resources.http import HttpClient, Response, Validators

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Person:
    """Whose words are collected; `emails` and names tell their commits from other people's."""

    key: str
    name: str
    emails: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """What is known of an address: validators for a conditional request, the document it holds, its stated version."""

    validators: Validators = field(default_factory=Validators)
    stable_id: str | None = None
    version: str | None = None


@dataclass(frozen=True)
class Visit:
    """What a connector works with. `memory` holds what earlier visits yielded as `Remember`."""

    person: Person
    now: datetime
    http: HttpClient
    memory: Mapping[str, Json] = field(default_factory=dict)

    def secret(self, name: str) -> str | None:
        """A token from the environment; None if it is unset or empty. Never log it."""
        return os.environ.get(name) or None

    def page(self, url: str) -> Page | None:
        """What the last visit remembered of an address."""
        value = self.memory.get(url)
        if not isinstance(value, Mapping):
            return None
        text = {key: each for key, each in value.items() if isinstance(each, str)}
        return Page(Validators(text.get("etag"), text.get("last_modified")), text.get("stable_id"), text.get("version"))

    async def get(
        self,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        robots: bool = True,
        conditional: bool = True,
    ) -> Response:
        """Fetch an address, conditionally if `url` (as given, without `params`) is remembered with validators."""
        known = self.page(url) if conditional else None
        return await self.http.get(
            url, params=params, headers=headers, validators=known.validators if known else None, robots=robots
        )

    def remember(self, response: Response, *, stable_id: str | None = None, version: str | None = None) -> Remember:
        """The event that makes the next request for this address conditional; yield it after the page's document."""
        stated = {
            "etag": response.validators.etag,
            "last_modified": response.validators.last_modified,
            "stable_id": stable_id,
            "version": version,
        }
        return Remember(response.asked, {key: value for key, value in stated.items() if value is not None})

    def each(self, items: Iterable[T], work: Callable[[T], Awaitable[R]], limit: int = 8) -> AsyncIterator[R]:
        """Results of `work` over items, at most `limit` at once, as they come; the client keeps each host's pace."""
        return as_completed(items, work, limit)
