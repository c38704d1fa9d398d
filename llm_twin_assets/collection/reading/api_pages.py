"""Lists that an API gives in pages, each with a `Link` to the next (RFC 8288)."""

import re
from collections.abc import AsyncIterator, Mapping
from typing import TypeVar
from urllib.parse import urljoin, urlsplit

from pydantic import TypeAdapter, ValidationError

from llm_twin_assets.collection.visit import Visit
from resources.http import HttpError, Response

T = TypeVar("T")

_MAX_PAGES = 1_000
_LINK = re.compile(r"<([^>]*)>((?:\s*;\s*[^\s=;,]+(?:\s*=\s*(?:\"[^\"]*\"|[^\s\";,]*))?)*)")
_NEXT = re.compile(r";\s*rel\s*=\s*(?:\"(?:[^\"]*\s)?next(?:\s[^\"]*)?\"|next(?:$|[\s;]))", re.IGNORECASE)


def next_page(response: Response) -> str | None:
    """The address of the page after this one; raises `HttpError` if it is at another host, where no token may go."""
    header = response.headers.get("link", "")
    target = next((target for target, parameters in _LINK.findall(header) if _NEXT.search(parameters)), None)
    if target is None:
        return None
    try:
        address = str(urljoin(response.url, target))
        here, there = urlsplit(response.asked or response.url), urlsplit(address)
    except ValueError as error:
        raise HttpError(f"names a next page that has no address: {error}", where=response.url) from error
    if (here.scheme, here.netloc) != (there.scheme, there.netloc):
        raise HttpError("names a next page at another host", where=response.url)
    return address


async def pages(
    visit: Visit, first: Response, headers: Mapping[str, str], max_pages: int = _MAX_PAGES
) -> AsyncIterator[Response]:
    """The first page and all that follow it; raises `HttpError` where the list does not end."""
    response = first
    for _ in range(max_pages):
        yield response
        address = next_page(response)
        if address is None:
            return
        response = await visit.get(address, headers=headers, robots=False, conditional=False)
        if response.missing:
            raise HttpError("a page of the list is missing", where=address)
    raise HttpError(f"has more than {max_pages} pages", where=first.url)


def parsed(response: Response, form: TypeAdapter[T]) -> T:
    """A response as the API's documentation describes it; raises `HttpError` for anything else."""
    try:
        return form.validate_python(response.json())
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise HttpError(f"is not what its API describes: {place}: {first['msg']}", where=response.url) from error
