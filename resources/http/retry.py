"""Whether to ask again, and when: what servers say about it, and what to do if they say nothing."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

# Of the 5xx these two say "never": not implemented, HTTP version not supported (RFC 9110, section 15.6).
_FINAL = {501, 505}
_SECONDS = re.compile(r"[0-9]{1,15}(\.[0-9]{1,9})?")
# A smaller number in `x-ratelimit-reset` is seconds from now (the IETF draft), a larger one a Unix time (GitHub).
_EARLIEST_UNIX_TIME = 1e9
_LONGEST = 366 * 86400.0


def may_be_transient(status: int, headers: Mapping[str, str]) -> bool:
    """Whether the same request may well be answered later."""
    return status in (408, 425) or (status >= 500 and status not in _FINAL) or is_rate_limit(status, headers)


def is_rate_limit(status: int, headers: Mapping[str, str]) -> bool:
    """Whether the server says that it was asked too often. GitHub says so with 403, too."""
    return status == 429 or (status == 403 and ("retry-after" in headers or _remaining(headers) == "0"))


def asked_wait(status: int, headers: Mapping[str, str], now: float) -> float | None:
    """Seconds for which the server asks to be left alone, from `now` (Unix time); None if it does not say."""
    wait = _moment(headers.get("retry-after", ""), now, 0)
    if wait is None and is_rate_limit(status, headers) and _remaining(headers) in ("0", None):
        reset = headers.get("x-ratelimit-reset") or headers.get("ratelimit-reset") or ""
        wait = _moment(reset, now, _EARLIEST_UNIX_TIME)
    return wait


def backoff(attempt: int, base: float, longest: float, random: Callable[[], float]) -> float:
    """Exponential with full jitter, up to `base` × 2ⁿ: those who failed together do not come back together."""
    return random() * min(longest, base * 2.0 ** min(attempt, 32))


def retry_at(now: float, wait: float | None) -> datetime | None:
    """The moment that a wait ends."""
    return None if wait is None else datetime.fromtimestamp(now + wait, UTC)


def _remaining(headers: Mapping[str, str]) -> str | None:
    return headers.get("x-ratelimit-remaining", headers.get("ratelimit-remaining"))


def _moment(value: str, now: float, unix_from: float) -> float | None:
    """Seconds until what a header names: a number, an HTTP date (RFC 9110, section 10.2.3), an ISO date (Mastodon)."""
    value = value.strip()
    if _SECONDS.fullmatch(value):
        number = float(value)
        wait = number - now if unix_from and number >= unix_from else number
    elif (date := _date(value)) is not None:
        wait = date - now
    else:
        return None
    return min(max(wait, 0.0), _LONGEST)


def _date(value: str) -> float | None:
    for parse in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            date = parse(value)
            return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
    return None
