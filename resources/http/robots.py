"""robots.txt (RFC 9309): fetched once per origin, kept for its time, asked before every request."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from resources.http.address import origin, shown
from resources.http.clock import Clock
from resources.http.errors import AddressRefusedError, HttpError, TooManyRedirectsError, UnavailableError
from resources.http.response import Response

if TYPE_CHECKING:
    import httpx
    from protego import Protego

# RFC 9309, section 2.5: at least so much is read; what comes after it is ignored.
MAX_BYTES = 500 * 2**10
# Section 2.4: a copy may be kept for a day; a shorter `max-age` is honoured, within reason.
_LONGEST, _SHORTEST = 86400.0, 300.0
# How long "could not be had" stands before it is tried again.
_UNAVAILABLE_FOR = 600.0
# Parsed rules of large files take megabytes, and redirects can lead to any number of hosts.
_KEPT = 256
_MAX_AGE = re.compile(r"(?:^|[\s,])max-age=([0-9]{1,9})")


@dataclass(frozen=True, slots=True)
class Rules:
    """What one origin asks of us. `delay` is the least time between requests, in seconds."""

    agent: str = ""
    parsed: "Protego | None" = None
    delay: float = 0.0

    def allows(self, url: "httpx.URL") -> bool:
        """Whether this address may be fetched."""
        return self.parsed is None or self.parsed.can_fetch(str(url), self.agent)


@dataclass(slots=True)
class _Origin:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    rules: Rules | None = None
    unavailable: HttpError | None = None
    until: float = 0.0


class Robots:
    """The rules of every origin that was asked for. `fetch` gets an address and follows redirects."""

    def __init__(self, fetch: Callable[[str], Awaitable[Response]], user_agent: str, clock: Clock) -> None:
        self._fetch = fetch
        self._agent = product_token(user_agent)
        self._clock = clock
        self._origins: dict[str, _Origin] = {}

    async def rules(self, url: "httpx.URL") -> Rules:
        """What the origin of an address asks; raises `UnavailableError` where it cannot be known (section 2.3.1.4)."""
        key = origin(url)
        kept = self._origins.get(key)
        if kept is None:
            kept = self._origins[key] = _Origin()
            self._forget_oldest()
        if kept.until <= self._clock.elapsed():
            async with kept.lock:
                if kept.until <= self._clock.elapsed():
                    await self._renew(kept, f"{key}/robots.txt")
        if kept.rules is None:
            raise _unavailable(shown(str(url)), kept.unavailable)
        return kept.rules

    async def _renew(self, kept: _Origin, address: str) -> None:
        try:
            kept.rules, lasts = self._read(await self._fetch(address))
        except TooManyRedirectsError:
            # Section 2.3.1.2: as if there were none.
            kept.rules, lasts = Rules(), _LONGEST
        except AddressRefusedError:
            raise
        except HttpError as error:
            # An older copy stays in force; without one, nothing may be fetched.
            kept.unavailable, lasts = error, _UNAVAILABLE_FOR
        kept.until = self._clock.elapsed() + lasts

    def _read(self, response: Response) -> tuple[Rules, float]:
        if response.status >= 500:
            raise HttpError(f"answered {response.status}", where=response.url)
        lasts = _lasts(response.headers)
        if not 200 <= response.status < 300:
            return Rules(), lasts  # section 2.3.1.3: 4xx means that there are no rules
        from protego import Protego

        text = response.content[:MAX_BYTES].decode("utf-8", "replace").removeprefix("\ufeff")
        parsed = Protego.parse(text)
        rate = parsed.request_rate(self._agent)
        delay = max(parsed.crawl_delay(self._agent) or 0.0, rate.seconds / rate.requests if rate else 0.0)
        return Rules(self._agent, parsed, delay), lasts

    def _forget_oldest(self) -> None:
        while len(self._origins) > _KEPT:
            del self._origins[next(iter(self._origins))]


def product_token(user_agent: str) -> str:
    """The name that robots.txt knows us by: `llm-twin` of `llm-twin/0.1 (+https://…)`."""
    return user_agent.partition("/")[0].strip()


def _lasts(headers: Mapping[str, str]) -> float:
    stated = _MAX_AGE.search(headers.get("cache-control", "").lower())
    return min(max(float(stated[1]), _SHORTEST), _LONGEST) if stated else _LONGEST


def _unavailable(where: str, error: HttpError | None) -> UnavailableError:
    return UnavailableError(
        f"the host's robots.txt cannot be had, so nothing there may be fetched ({error.what if error else 'not yet'})",
        where=where,
        retry_at=error.retry_at if isinstance(error, UnavailableError) else None,
    )
