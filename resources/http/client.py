"""The client: one `get`, and everything that a good neighbour does around it."""

import dataclasses
import random
import ssl
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING

from resources.http.address import origin, shown, shown_hop, web_address
from resources.http.clock import Clock
from resources.http.errors import (
    BrokenError,
    HttpStatusError,
    RobotsRefusedError,
    TooManyRedirectsError,
    UnavailableError,
)
from resources.http.pace import Pace
from resources.http.policy import HttpPolicy
from resources.http.response import HttpCounts, Response, Validators
from resources.http.retry import asked_wait, backoff, is_rate_limit, may_be_transient, retry_at
from resources.http.robots import MAX_BYTES as ROBOTS_BYTES
from resources.http.robots import Robots

if TYPE_CHECKING:
    import httpx

    from resources.http.exchange import Exchange
    from resources.http.network import Resolve

_REDIRECTS = {301, 302, 303, 307, 308}
# What may follow a redirect to another origin. Whatever else a caller sends may be a credential under any name
# (`Authorization`, `Cookie`, `PRIVATE-TOKEN`), and stays with the origin that it was meant for.
_HARMLESS = {"accept", "accept-language", "if-none-match", "if-modified-since"}
_CONDITIONS = {"if-none-match", "if-modified-since"}
_MEND = {401: "Its token is missing, wrong or expired.", 403: "It needs a token, or refuses programs."}


class HttpClient:
    """Use as `async with HttpClient(policy) as client`. One for a whole collection: it keeps each host's pace.

    Time, chance, name resolution and the TLS context can be replaced by a test's own.
    """

    def __init__(
        self,
        policy: HttpPolicy | None = None,
        *,
        clock: Clock | None = None,
        chance: Callable[[], float] = random.random,
        resolve: "Resolve | None" = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.policy = policy or HttpPolicy()
        self.counts = HttpCounts()
        self._clock = clock or Clock()
        self._chance = chance
        self._resolve = resolve
        self._tls = tls
        self._pace = Pace(self.policy, self._clock, self.counts)
        self._robots = Robots(self._robots_txt, self.policy.user_agent, self._clock)
        self._exchange: Exchange | None = None

    async def __aenter__(self) -> "HttpClient":
        from resources.http.exchange import Exchange
        from resources.http.network import resolved

        self._exchange = Exchange(self.policy, self.counts, self._resolve or resolved, self._tls)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._exchange:
            exchange, self._exchange = self._exchange, None
            await exchange.aclose()

    async def get(
        self,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        validators: Validators | None = None,
        robots: bool = True,
    ) -> Response:
        """Fetch one address.

        Returns 2xx, 304, 404 and 410; raises an `HttpError` for anything else. `robots=False` is for the author's own
        API alone.
        """
        address = web_address(url)
        if params:
            address = address.copy_merge_params(params)
        asked = {name.lower(): value for name, value in (headers or {}).items()} | _conditions(validators)
        response = await self._follow(address, asked, robots=robots)
        if response.not_modified and not _CONDITIONS.isdisjoint(asked):
            self.counts.not_modified += 1
        elif not (200 <= response.status < 300 or response.missing):
            raise HttpStatusError(response.status, where=shown(url), mend=_MEND.get(response.status))
        return dataclasses.replace(response, asked=url)

    async def _robots_txt(self, url: str) -> Response:
        return await self._follow(web_address(url), {}, robots=False, cut=ROBOTS_BYTES)

    async def _follow(
        self, url: "httpx.URL", headers: Mapping[str, str], *, robots: bool, cut: int | None = None
    ) -> Response:
        """The answer at the end of the redirects. Every address on the way is checked like the first one."""
        seen = [url]
        while True:
            where = shown(str(url)) if len(seen) == 1 else shown_hop(url)
            delay = await self._permitted(url, where) if robots else 0.0
            response = await self._persist(url, headers, delay, where, cut)
            location = response.headers.get("location")
            if response.status not in _REDIRECTS or not location:
                return response
            target = web_address(location, base=url)
            if target in seen:
                raise TooManyRedirectsError("redirects in a circle", where=shown(str(seen[0])))
            if len(seen) > self.policy.max_redirects:
                raise TooManyRedirectsError(f"redirects more than {len(seen) - 1} times", where=shown(str(seen[0])))
            if origin(target) != origin(url):
                headers = {name: value for name, value in headers.items() if name in _HARMLESS}
            seen.append(target)
            url = target

    async def _permitted(self, url: "httpx.URL", where: str) -> float:
        """The delay that the host's robots.txt asks for; raises `RobotsRefusedError` where it asks to stay away."""
        rules = await self._robots.rules(url)
        if not rules.allows(url):
            self.counts.robots_refused += 1
            raise RobotsRefusedError("the host's robots.txt asks not to fetch it", where=where)
        return rules.delay

    async def _persist(
        self, url: "httpx.URL", headers: Mapping[str, str], delay: float, where: str, cut: int | None
    ) -> Response:
        """The first answer that would be no other the next time; raises `UnavailableError` when patience ends."""
        attempt = 0
        while True:
            async with self._pace.turn(url.host, delay, where):
                outcome = await self._attempt(url, headers, cut)
            if isinstance(outcome, Response) and not may_be_transient(outcome.status, outcome.headers):
                return outcome
            await self._wait(outcome, attempt, url.host, where)
            self.counts.retries += 1
            attempt += 1

    async def _attempt(self, url: "httpx.URL", headers: Mapping[str, str], cut: int | None) -> Response | BrokenError:
        if self._exchange is None:
            raise RuntimeError("use the client as a context manager")
        try:
            return await self._exchange.get(url, headers, cut)
        except BrokenError as error:
            return error

    async def _wait(self, outcome: Response | BrokenError, attempt: int, host: str, where: str) -> None:
        """Wait as long as the server asks, else ever longer; what a server asks holds for all requests to its host."""
        now, wait = self._clock.now(), backoff(attempt, self.policy.backoff, self.policy.max_wait, self._chance)
        if isinstance(outcome, Response):
            asked = asked_wait(outcome.status, outcome.headers, now)
            for_all, final = asked is not None or is_rate_limit(outcome.status, outcome.headers), False
            what = f"answered {outcome.status}"
        else:
            asked, for_all, final, what = None, False, outcome.final, str(outcome)
        if for_all:
            self._pace.pause(host, max(wait, asked or 0.0))
        if final or attempt >= self.policy.retries or (asked or 0.0) > self.policy.max_wait:
            what = f"{what} at attempt {attempt + 1}" if attempt else what
            raise UnavailableError(what, where=where, retry_at=retry_at(now, asked))
        if not for_all:
            self.counts.waited += wait
            await self._clock.sleep(wait)


def _conditions(validators: Validators | None) -> dict[str, str]:
    stated = {
        "if-none-match": validators.etag if validators else None,
        "if-modified-since": validators.last_modified if validators else None,
    }
    return {name: value for name, value in stated.items() if value}
