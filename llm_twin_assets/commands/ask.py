"""Ask the running service."""

import os
from typing import TypedDict

import httpx

from llm_twin_assets.commands.console import OUT
from resources.errors import TwinError


class Cited(TypedDict):
    """A citation as the service returns it, as far as it is shown."""

    marker: int
    title: str
    url: str | None
    document_id: str
    start: int
    end: int


class Answered(TypedDict):
    """The service's answer, as far as it is shown."""

    answer: str
    citations: list[Cited]
    release: str
    trace_id: str
    trace_url: str | None
    degraded: bool
    reason: str | None


class ServiceError(TwinError):
    """The service is not there, or refused the question."""


def ask(question: str, author: str | None, service_url: str) -> Answered:
    """POST /v1/answer, with the key in `TWIN_API_KEY` if there is one; raises `ServiceError` with what was said."""
    key = os.environ.get("TWIN_API_KEY")
    try:
        response = httpx.post(
            f"{service_url}/v1/answer",
            json={"question": question, **({"author": author} if author else {})},
            headers={"Authorization": f"Bearer {key}"} if key else None,
            timeout=120,
        )
    except httpx.TransportError as error:
        raise ServiceError(
            f"no answer ({type(error).__name__})", where=service_url, mend="Start the service with `make up`."
        ) from None
    if response.is_error:
        raise ServiceError(_said(response), where=service_url)
    answered: Answered = response.json()
    return answered


def show(answered: Answered) -> None:
    """The answer, what it rests on, and where its trace is."""
    OUT.print(answered["answer"], markup=False)
    if answered["degraded"]:
        OUT.print(f"[yellow]degraded: {answered['reason']}[/]")
    for cited in answered["citations"]:
        place = cited["url"] or cited["document_id"]
        OUT.print(f"[dim]\\[{cited['marker']}] {cited['title']} — {place} ({cited['start']}:{cited['end']})[/]")
    OUT.print(f"[dim]release {answered['release']}, trace {answered['trace_url'] or answered['trace_id']}[/]")


def _said(response: httpx.Response) -> str:
    try:
        return str(response.json()["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return f"the service answered {response.status_code}"
