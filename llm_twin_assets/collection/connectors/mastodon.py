"""Mastodon and what speaks its API: the author's own public posts and replies.

https://docs.joinmastodon.org/methods/accounts/#statuses
"""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from typing import Annotated

from pydantic import BaseModel, StringConstraints, TypeAdapter, ValidationError

from llm_twin_assets.collection.connector import Collectable, Connector, Found, Quarantined, SourceOptions, WebUrl
from llm_twin_assets.collection.platforms.timeline import Page, Post, walked
from llm_twin_assets.collection.reading.api_pages import pages, parsed
from llm_twin_assets.collection.reading.dates import utc
from llm_twin_assets.collection.visit import Visit
from llm_twin_assets.domain.document import Category
from resources.errors import ConfigurationError
from resources.http import HttpStatusError, Response

TOKEN = "MASTODON_TOKEN"  # noqa: S105 (the name of the variable, not what is in it)
LISTING = "posts"


class MastodonOptions(SourceOptions):
    """`handle`: `maya@example.social`. `api`: where the instance is, if that is not the host in the handle.

    `token`: send MASTODON_TOKEN along, for an instance that shows nothing without one. Only on demand, because a token
    is of one instance alone and must not reach another.
    """

    handle: Annotated[str, StringConstraints(pattern=r"^@?[\w.-]+@[\w.-]+\.[\w-]+(:\d+)?$")]
    api: WebUrl | None = None
    token: bool = False

    def name(self) -> str:
        """The account."""
        return self.handle.removeprefix("@").lower()

    @property
    def user(self) -> str:
        """The name at the instance."""
        return self.handle.removeprefix("@").partition("@")[0]

    @property
    def instance(self) -> str:
        """The address of the instance."""
        return self.api or f"https://{self.handle.rpartition('@')[2]}"


class Account(BaseModel):
    """Whose post it is."""

    id: str


class Status(BaseModel):
    """What is needed of a status. `uri` names it in the whole fediverse, `id` at its instance alone."""

    id: str
    uri: str
    url: str | None = None
    created_at: str
    account: Account
    content: str
    spoiler_text: str = ""
    visibility: str
    reblog: dict[str, object] | None = None


_ACCOUNT = TypeAdapter(Account)
_STATUSES = TypeAdapter(list[dict[str, object]])


async def collect(options: MastodonOptions, visit: Visit) -> AsyncIterator[Collectable]:
    """Public and unlisted posts and replies; no boosts. A recent edit shows at once, an older one once a week."""
    async for event in walked(visit, LISTING, _pages(options, visit)):
        yield event


CONNECTOR = Connector(
    platform="mastodon",
    categories=frozenset({Category.POST}),
    options=MastodonOptions,
    collect=collect,
    description="Public posts and replies from a Mastodon instance.",
    tokens=(TOKEN,),
)


async def _pages(options: MastodonOptions, visit: Visit) -> AsyncGenerator[Page, None]:
    headers = _headers(options, visit)
    url = f"{options.instance}/api/v1/accounts/lookup"
    account = await _get(visit, url, {"acct": options.user}, headers)
    author = parsed(account, _ACCOUNT).id
    # Not `since_id`: the newest page costs as much and shows what was edited on it.
    url = f"{options.instance}/api/v1/accounts/{author}/statuses"
    first = await _get(visit, url, {"exclude_reblogs": "true", "limit": "40"}, headers)
    async for response in pages(visit, first, headers):
        yield [_read(status, author, url) for status in parsed(response, _STATUSES)]


def _headers(options: MastodonOptions, visit: Visit) -> dict[str, str]:
    if not options.token:
        return {}
    if token := visit.secret(TOKEN):
        return {"authorization": f"Bearer {token}"}
    raise ConfigurationError(f"{TOKEN} is not set", where=options.handle, mend="Set it, or turn `token` off.")


async def _get(visit: Visit, url: str, params: Mapping[str, str], headers: Mapping[str, str]) -> Response:
    try:
        response = await visit.get(url, params=params, headers=headers, robots=False, conditional=False)
    except HttpStatusError as error:
        mend = (
            f"This instance wants a token: put one into {TOKEN} and set `token: true`."
            if error.status in (401, 403, 422)
            else None
        )
        raise HttpStatusError(error.status, where=url, mend=mend) from None
    if response.missing:
        raise HttpStatusError(response.status, where=url, mend="Check `handle` (user@host) and `api`.")
    return response


def _read(entry: dict[str, object], author: str, place: str) -> Post | Quarantined:
    try:
        status = Status.model_validate(entry)
    except ValidationError as error:
        first = error.errors()[0]
        name = entry.get("id")
        return Quarantined(
            f"{place}#{name}", f"is no status as Mastodon describes it: {'.'.join(map(str, first['loc']))}"
        )
    # Ids are numbers that grow with time, too long for JavaScript and therefore strings.
    order = status.id.rjust(32, "0")
    kept = status.visibility in ("public", "unlisted") and not status.reblog and status.account.id == author
    return Post(order, _found(status) if kept else None)


def _found(status: Status) -> Found | None:
    # bs4 and lxml take a tenth of a second to import: not while Dagster loads the code location.
    from llm_twin_assets.collection.reading.markup import parse, plain_text

    text = plain_text(parse(status.content)).strip() if status.content.strip() else ""
    warning = status.spoiler_text.strip()
    moment = utc(status.created_at)
    if not (text or warning):
        return None
    return Found(
        stable_id=status.uri,
        category=Category.POST,
        title=None,
        content="\n\n".join(part for part in (warning, text) if part),
        media_type="text/plain",
        url=status.url if status.url and status.url.startswith(("https://", "http://")) else None,
        published_at=moment,
        dated_by="platform" if moment else "nothing",
        listing=LISTING,
    )
