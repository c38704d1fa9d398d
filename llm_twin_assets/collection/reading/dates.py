"""Dates as exports, front matter and git write them, to aware UTC."""

from datetime import UTC, date, datetime, time
from email.utils import parsedate_to_datetime


def utc(value: object) -> datetime | None:
    """A moment in UTC, None if the value says none. A time without a zone is UTC, a day its midnight."""
    if isinstance(value, str):
        return _parsed(value.strip())
    if isinstance(value, datetime):
        return _aware(value)
    if isinstance(value, date):
        return datetime.combine(value, time(), UTC)
    return None


def _parsed(text: str) -> datetime | None:
    # `2026-01-02 10:00:00 +0100` (Jekyll) and `... UTC` (LinkedIn) become ISO by closing the gap before the zone.
    compact = text.replace(" UTC", "Z").replace(" +", "+").replace(" -", "-")
    try:
        return _aware(datetime.fromisoformat(compact))
    except (ValueError, OverflowError):
        pass
    try:
        return _aware(parsedate_to_datetime(text))
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _aware(moment: datetime) -> datetime | None:
    if moment.tzinfo is None:
        return moment.replace(tzinfo=UTC)
    try:
        return moment.astimezone(UTC)
    except OverflowError:  # year 1 or 9999 beside a zone
        return None
