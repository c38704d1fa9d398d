"""What a person wrote in issues and pull requests, anywhere on GitHub: the texts they opened them with, and comments.

There is no list of a person's comments: a search finds the threads that they took part in, and each is asked for its
comments. Threads come in the order of their last change, and the last one's date is where the next visit goes on.
"""

from collections.abc import AsyncIterator, Mapping
from datetime import datetime

from llm_twin_assets.collection.connector import Collectable, Found, Notice, Remember
from llm_twin_assets.collection.platforms import github_api
from llm_twin_assets.collection.reading.api_pages import pages, parsed
from llm_twin_assets.collection.reading.dates import utc
from llm_twin_assets.collection.visit import Visit
from llm_twin_assets.domain.document import Category
from resources.http import HttpError

# A search must say which of the two it is for; one search gives a thousand results at most.
_KINDS = ("issue", "pull-request")
_MOST = 1_000


async def discussions(api: str, handle: str, visit: Visit, *, private: bool = False) -> AsyncIterator[Collectable]:
    """Texts and comments of all threads that changed since the last visit."""
    for kind in _KINDS:
        scope = f"is:{kind}" if private else f"is:{kind} is:public"
        async for event in _walked(api, f"{scope} author:{handle}", handle, visit, comments=False):
            yield event
        async for event in _walked(api, f"{scope} commenter:{handle}", handle, visit, comments=True):
            yield event


async def _walked(api: str, search: str, handle: str, visit: Visit, *, comments: bool) -> AsyncIterator[Collectable]:
    """From where the last walk ended; of comments those since the last walk that was not cut off."""
    key = f"search {search}"
    kept = visit.memory.get(key)
    before = kept if isinstance(kept, Mapping) else {}
    reached, since = _moment(before.get("reached")), _moment(before.get("complete"))
    async for page in _found_threads(api, search, reached, visit):
        for thread in page.items:
            read = _comments(api, thread, handle, since, visit) if comments else _text(thread, handle)
            async for event in read:
                yield event
            reached = max(reached or "", thread.updated_at)
        if page.incomplete_results:
            yield Notice(f"GitHub cut the search '{search}' short; the next visit goes on at {reached}")
            return
        if reached != before.get("reached"):
            yield Remember(key, {"reached": reached, "complete": since})
    if {"reached": reached, "complete": reached} != before:
        yield Remember(key, {"reached": reached, "complete": reached})


def _moment(value: object) -> str | None:
    return value if isinstance(value, str) else None


async def _found_threads(api: str, search: str, since: str | None, visit: Visit) -> AsyncIterator[github_api.Threads]:
    """All pages of a search; beyond a thousand results it begins again where it ended."""
    while True:
        query = f"{search} updated:>={since}" if since else search
        first = await github_api.ask(
            visit, github_api.address(f"{api}/search/issues", q=query, sort="updated", order="asc", per_page="100")
        )
        if first.missing:
            raise HttpError("has no search", where=first.url)
        last = since
        async for response in pages(visit, first, github_api.headers(visit)):
            page = parsed(response, github_api.THREADS)
            yield page
            last = max([last or "", *(thread.updated_at for thread in page.items)]) or None
        # A thousand threads that changed within one second would be asked for for ever.
        if page.total_count <= _MOST or last == since:
            return
        since = last


async def _text(thread: github_api.Thread, handle: str) -> AsyncIterator[Collectable]:
    if _is_by(thread.user, handle) and thread.body and thread.body.strip():
        yield _post(thread.html_url, thread.title, thread.body, thread.created_at)


async def _comments(
    api: str, thread: github_api.Thread, handle: str, since: str | None, visit: Visit
) -> AsyncIterator[Collectable]:
    if not thread.comments_url.startswith(f"{api}/"):
        raise HttpError("lists comments at another host", where=thread.html_url)
    addresses = [thread.comments_url]
    if thread.pull_request is not None:
        # Comments on lines of a diff are a list of their own.
        addresses.append(thread.comments_url.replace("/issues/", "/pulls/"))
    for address in addresses:
        parameters = {"per_page": "100"} | ({"since": since} if since else {})
        first = await github_api.ask(visit, github_api.address(address, **parameters))
        if first.missing:
            continue  # deleted, or made private, since the search saw it
        async for page in pages(visit, first, github_api.headers(visit)):
            for comment in parsed(page, github_api.COMMENTS):
                if _is_by(comment.user, handle) and comment.body and comment.body.strip():
                    yield _post(comment.html_url, None, comment.body, comment.created_at)


def _is_by(user: github_api.User | None, handle: str) -> bool:
    return user is not None and user.login.casefold() == handle.casefold()


def _post(address: str, title: str | None, text: str, moment: datetime) -> Found:
    return Found(
        stable_id=address,
        category=Category.POST,
        title=title,
        content=text,
        media_type="text/markdown",
        url=address,
        published_at=utc(moment),
        listing="discussions",
    )
