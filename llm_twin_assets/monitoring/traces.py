"""Answers as Phoenix has them."""

from collections.abc import Sequence
from datetime import datetime
from http import HTTPStatus
from typing import TYPE_CHECKING

import httpx

from llm_twin_assets.inference.spans import project_of
from llm_twin_assets.monitoring.alarms import AnswerSeen
from resources.errors import TwinError

if TYPE_CHECKING:
    from phoenix.client.__generated__ import v1

# Seconds for a page of 100 spans; Dagster gives a sensor 60 in all.
_TIMEOUT = 5
# A window with more answers than this is judged by its newest.
_LIMIT = 2000


class TracesUnavailableError(TwinError):
    """Phoenix cannot be asked."""


def answers_between(url: str, author: str, start: datetime, end: datetime) -> list[AnswerSeen]:
    """The author's answers of a window; raises `TracesUnavailableError` if Phoenix or its client is not there."""
    try:
        from phoenix.client import Client
    except ImportError:
        raise TracesUnavailableError(
            "the client of Phoenix is not installed", mend="Install the extra 'monitor'."
        ) from None
    try:
        spans = Client(base_url=url).spans.get_spans(
            project_identifier=project_of(author),
            start_time=start,
            end_time=end,
            parent_id="null",
            name="answer",
            limit=_LIMIT,
            timeout=_TIMEOUT,
        )
    except httpx.HTTPStatusError as error:
        if error.response.status_code == HTTPStatus.NOT_FOUND:  # Phoenix makes a project with its first trace
            return []
        raise TracesUnavailableError(f"Phoenix answered {error.response.status_code}", where=url) from error
    except httpx.TransportError as error:
        raise TracesUnavailableError(f"Phoenix cannot be reached ({type(error).__name__})", where=url) from error
    return seen(spans)


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
