"""Answers as Phoenix has them, by its REST interface: its own client takes some ten seconds to import."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING

import httpx

from llm_twin_assets.inference.spans import project_of
from resources.errors import TwinError
from resources.tls import trusted

if TYPE_CHECKING:
    from phoenix.client.__generated__ import v1

# The names that inference/answer.py gives its spans.
ROOT, RETRIEVAL = "answer", "retrieve"
# Seconds for a page of 100 spans; Dagster gives a sensor 60 in all.
_TIMEOUT = 5
_PAGE = 100


class TracesUnavailableError(TwinError):
    """Phoenix cannot be asked."""


def spans_of(url: str, author: str, wanted: Mapping[str, str | Sequence[str]], limit: int) -> "list[v1.Span]":
    """The author's first spans of those that are `wanted`, in the words of `GET /v1/projects/{project}/spans`.

    The newest come first, unless `order` says otherwise. Raises `TracesUnavailableError`.
    """
    try:
        return _pages(url, project_of(author), wanted, limit)
    except httpx.HTTPStatusError as error:
        if error.response.status_code == HTTPStatus.NOT_FOUND:  # Phoenix makes a project with its first trace
            return []
        raise TracesUnavailableError(f"Phoenix answered {error.response.status_code}", where=url) from error
    except (ValueError, KeyError, TypeError) as error:
        raise TracesUnavailableError("what answers is not Phoenix", where=url) from error
    except (httpx.TransportError, httpx.InvalidURL) as error:
        raise TracesUnavailableError(f"Phoenix cannot be reached ({type(error).__name__})", where=url) from error


def _pages(url: str, project: str, wanted: Mapping[str, str | Sequence[str]], limit: int) -> "list[v1.Span]":
    spans: list[v1.Span] = []
    cursor: str | None = ""
    with httpx.Client(base_url=url, timeout=_TIMEOUT, verify=trusted()) as client:
        while cursor is not None and len(spans) < limit:
            here = {"limit": str(min(_PAGE, limit - len(spans))), **({"cursor": cursor} if cursor else {})}
            response = client.get(f"/v1/projects/{project}/spans", params={**wanted, **here}).raise_for_status()
            page = response.json()
            spans += page["data"]
            cursor = page.get("next_cursor") or None
    return spans
