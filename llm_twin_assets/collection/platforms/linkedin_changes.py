"""One event of LinkedIn's change log: what the member wrote, edited or deleted; of everybody and all else nothing.

The log also holds reactions, messages and what others did to the member's posts: only the resources named here are
looked at.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

from llm_twin_assets.collection.connector import Found, Gone
from llm_twin_assets.collection.platforms.linkedin_export import comment_id, share_link, written

Object: TypeAlias = Mapping[str, object]

# What the export's listings are to it: never one that says that something is missing.
LISTING = "changes"
_POSTS = {"ugcPosts": "urn:li:ugcPost:", "shares": "urn:li:share:", "posts": "urn:li:share:"}
_COMMENTS = "socialActions/comments"
_WRITES = ("CREATE", "UPDATE", "PARTIAL_UPDATE")
_URN = re.compile(r"urn:li:\w+:(?:\d+|\([^)]*\))")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def change_of(event: Object, visibility: frozenset[str] = frozenset()) -> Found | Gone | None:
    """The document that an event is about as it now is; None if it is about none of the member's own words."""
    resource, actor, owner = event.get("resourceName"), event.get("actor"), event.get("owner")
    if event.get("activityStatus") == "FAILURE" or (actor and owner and actor != owner):
        return None
    activity = _patched(_object(event.get("activity")))
    if resource in _POSTS:
        return _post(event, activity, _POSTS[str(resource)], visibility)
    return _comment(event, activity) if resource == _COMMENTS else None


def _post(event: Object, activity: Object, prefix: str, visibility: frozenset[str]) -> Found | Gone | None:
    urn = _urn_of(event.get("resourceId"), prefix) or _urn_of(activity.get("id"), prefix)
    author = activity.get("author") or activity.get("owner")
    # A post in the name of a company is not in the member's own words, though the member may have pressed the button.
    if not urn or (author and event.get("owner") and author != event.get("owner")):
        return None
    state = activity.get("lifecycleState")
    if event.get("method") == "DELETE" or state == "DELETED":
        return Gone(urn)
    text = _text_of_post(activity)
    if event.get("method") not in _WRITES or state not in (None, "PUBLISHED") or not text:
        return None
    shown_to = _object(activity.get("visibility")).get("com.linkedin.ugc.MemberNetworkVisibility")
    if visibility and isinstance(shown_to, str) and shown_to.upper() not in visibility:
        return None
    return _found(urn, text, share_link(urn), event, activity, urn)


def _comment(event: Object, activity: Object) -> Found | Gone | None:
    number = str(activity.get("id") or event.get("resourceId") or "")
    place = str(event.get("resourceUri") or "")
    target = activity.get("parentComment") or activity.get("object") or next(iter(_URN.findall(place)), None)
    moment = _moment(event, activity, number)
    if not isinstance(target, str) or moment is None:
        return None
    link = share_link(target)
    stable_id = comment_id(link, f"{moment:%Y-%m-%d %H:%M:%S}")
    if event.get("method") == "DELETE":
        return Gone(stable_id)
    text = str(_object(activity.get("message")).get("text") or "").strip()
    if event.get("method") not in _WRITES or not text:
        return None
    return _found(stable_id, text, link, event, activity, number)


def _found(stable_id: str, text: str, url: str, event: Object, activity: Object, number: str) -> Found:
    found = written(stable_id, text, url, _moment(event, activity, number), LISTING)
    return replace(found, as_of=_time(event.get("capturedAt")))


def _text_of_post(activity: Object) -> str:
    """Where the three generations of the API keep the words: ugcPosts, posts, shares."""
    content = _object(_object(activity.get("specificContent")).get("com.linkedin.ugc.ShareContent"))
    said = _object(content.get("shareCommentary")).get("text") or activity.get("commentary") or activity.get("text")
    if isinstance(said, Mapping):
        said = said.get("text")
    return said.strip() if isinstance(said, str) else ""


def _moment(event: Object, activity: Object, number: str) -> datetime | None:
    """When it was published: the export's `Date` is the time that a creation was captured at, to the second."""
    if event.get("method") == "CREATE" and (captured := _time(event.get("capturedAt"))):
        return captured
    created = _object(activity.get("created")).get("time") or activity.get("firstPublishedAt")
    return _time(created) or _time_of_id(number)


def _time_of_id(number: str) -> datetime | None:
    """LinkedIn's ids hold the millisecond of their making above their lowest 22 bits."""
    digits = re.search(r"\d{18,20}$", number)
    return _time(int(digits.group()) >> 22) if digits else None


def _time(value: object) -> datetime | None:
    """Epoch milliseconds, to the second as the export has it."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < 10**14:
        return None
    return _EPOCH + timedelta(seconds=value // 1000)


def _urn_of(value: object, prefix: str) -> str | None:
    text = str(value or "")
    if text.isdigit():
        return f"{prefix}{text}"
    return text if _URN.fullmatch(text) else None


def _object(value: object) -> Object:
    return value if isinstance(value, Mapping) else {}


def _patched(activity: Object, depth: int = 0) -> Object:
    """A partial update says what it sets, at any depth, as `patch` and `$set`; take it for the thing itself."""
    if depth > 16:
        return {}
    merged: dict[str, object] = {}
    for key, value in activity.items():
        inner = _patched(value, depth + 1) if isinstance(value, Mapping) else value
        if key in ("patch", "$set") and isinstance(inner, Mapping):
            merged.update(inner)
        else:
            merged[key] = inner
    return merged
