"""Answers as Phoenix has them, by its REST interface: its own client takes some ten seconds to import."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from http import HTTPStatus
from typing import TYPE_CHECKING

import httpx

from llm_twin_assets.inference.spans import project_of
from llm_twin_assets.monitoring.alarms import AnswerSeen
from resources.errors import TwinError

if TYPE_CHECKING:
    from phoenix.client.__generated__ import v1

# The names that inference/answer.py gives its spans.
ROOT, RETRIEVAL = "answer", "retrieve"
# Seconds for a page of 100 spans; Dagster gives a sensor 60 in all.
_TIMEOUT = 5
_PAGE = 100
# A window with more answers than this is judged by its newest.
_LIMIT = 2000


class TracesUnavailableError(TwinError):
    """Phoenix cannot be asked."""


def answers_between(url: str, author: str, start: datetime, end: datetime) -> list[AnswerSeen]:
    """The author's answers of a window; raises `TracesUnavailableError` if Phoenix is not there."""
    window = {"start_time": start.isoformat(), "end_time": end.isoformat()}
    return seen(spans_of(url, author, {**window, "parent_id": "null", "name": ROOT}, _LIMIT))


def spans_of(url: str, author: str, wanted: Mapping[str, str | Sequence[str]], limit: int) -> "list[v1.Span]":
    """The author's newest spans of those that are `wanted`, in the words of `GET /v1/projects/{project}/spans`.

    Raises `TracesUnavailableError`.
    """
    try:
        return _pages(url, project_of(author), wanted, limit)
    except httpx.HTTPStatusError as error:
        if error.response.status_code == HTTPStatus.NOT_FOUND:  # Phoenix makes a project with its first trace
            return []
        raise TracesUnavailableError(f"Phoenix answered {error.response.status_code}", where=url) from error
    except (httpx.TransportError, httpx.InvalidURL) as error:
        raise TracesUnavailableError(f"Phoenix cannot be reached ({type(error).__name__})", where=url) from error


def _pages(url: str, project: str, wanted: Mapping[str, str | Sequence[str]], limit: int) -> "list[v1.Span]":
    spans: list[v1.Span] = []
    cursor: str | None = ""
    with httpx.Client(base_url=url, timeout=_TIMEOUT) as client:
        while cursor is not None and len(spans) < limit:
            here = {"limit": str(min(_PAGE, limit - len(spans))), **({"cursor": cursor} if cursor else {})}
            response = client.get(f"/v1/projects/{project}/spans", params={**wanted, **here}).raise_for_status()
            page = response.json()
            spans += page["data"]
            cursor = page.get("next_cursor") or None
    return spans


def seen(spans: "Sequence[v1.Span]") -> list[AnswerSeen]:
    """Root spans of answers as what the alarms count."""
    return [_answer(span) for span in spans]


def _answer(span: "v1.Span") -> AnswerSeen:
    # Phoenix's API gives the answer's metadata key by key, as flat attributes.
    attributes = span.get("attributes") or {}
    cause = attributes.get("metadata.cause")
    return AnswerSeen(
        degraded=attributes.get("metadata.degraded") is True,
        failed=span.get("status_code") == "ERROR",
        cause=cause if isinstance(cause, str) else None,
    )
