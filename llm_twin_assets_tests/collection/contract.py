"""What every connector has to keep, whatever the platform: one assertion for all."""

import asyncio
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from llm_twin_assets.collection.connector import (
    Collectable,
    Connector,
    Found,
    Gone,
    Listed,
    Quarantined,
    Remember,
    Seen,
    SourceOptions,
)
from llm_twin_assets.collection.visit import Person, Visit
from llm_twin_assets.domain.identity import Json
from llm_twin_assets_tests.collection.web import Web
from resources.http import HttpClient, HttpPolicy

NOW = datetime(2026, 1, 1, tzinfo=UTC)
MAYA = Person("maya", "Maya Lindqvist", ("maya@example.com",))


def policy(web: Web | None = None) -> HttpPolicy:
    """In a hurry, and allowed to ask the local server."""
    return HttpPolicy(
        requests_per_second=1e6,
        concurrency_per_host=8,
        retries=1,
        backoff=0.01,
        allowed=(web.host, *web.neighbours) if web else (),
    )


def visited(
    connector: Connector[SourceOptions],
    options: SourceOptions,
    memory: Mapping[str, Json] | None = None,
    web: Web | None = None,
    now: datetime = NOW,
    person: Person = MAYA,
) -> list[Collectable]:
    """Every event of one visit."""

    async def run() -> list[Collectable]:
        async with HttpClient(policy(web)) as client:
            visit = Visit(person, now, client, memory or {})
            return [event async for event in connector.collect(options, visit)]

    return asyncio.run(run())


def remembered(events: list[Collectable], before: Mapping[str, Json] | None = None) -> dict[str, Json]:
    """The memory that the next visit gets."""
    memory = dict(before or {})
    for event in events:
        if isinstance(event, Remember):
            # Through JSON, as the state table keeps it.
            memory[event.key] = json.loads(json.dumps(event.value))
    return {key: value for key, value in memory.items() if value is not None}


def assert_connector(
    connector: Connector[SourceOptions], options: SourceOptions, web: Web | None = None
) -> list[Collectable]:
    """One visit and a second one over an unchanged source; returns the events of the first."""
    first = visited(connector, options, web=web)
    found = [event for event in first if isinstance(event, Found)]
    assert found, f"{connector.platform} found nothing: {first}"
    for document in found:
        _assert_document(connector, document)
    by_id: dict[str, set[str]] = {}
    for document in found:
        by_id.setdefault(document.stable_id, set()).add(document.content)
    assert all(len(contents) == 1 for contents in by_id.values()), "one identity, two contents"
    memory = remembered(first)

    asked_before = len(web.requests) if web else 0
    second = visited(connector, options, memory, web)
    known = {(document.stable_id, document.content) for document in found}
    for event in second:
        assert not isinstance(event, Found) or (event.stable_id, event.content) in known, f"found anew: {event}"
        assert not isinstance(event, Gone), f"gone without a reason: {event}"
        assert not isinstance(event, Seen) or event.stable_id in by_id, f"saw what was never found: {event}"
    _assert_nothing_missing(first, second)
    if web and web.requests:
        assert len(web.requests) - asked_before <= asked_before, "an unchanged source costs more than the first visit"
    return first


def _assert_document(connector: Connector[SourceOptions], document: Found) -> None:
    assert document.category in connector.categories, f"{document.category} is not declared"
    assert document.stable_id.strip() == document.stable_id
    assert document.stable_id
    assert document.content.strip(), f"{document.stable_id} is empty"
    assert document.media_type.count("/") == 1
    if document.published_at:
        assert document.published_at.utcoffset() == timedelta(0), f"{document.published_at} is not UTC"
    assert (document.dated_by == "nothing") == (document.published_at is None), document.stable_id
    if document.url:
        assert document.url.startswith(("https://", "http://")), document.url
    if document.category == "code":
        assert document.code_language
        assert document.path or document.code_language == "diff"


def _assert_nothing_missing(first: list[Collectable], second: list[Collectable]) -> None:
    """A listing that is read to its end again shows what it showed before."""
    for listed in second:
        if not isinstance(listed, Listed) or listed.again:
            continue
        before = {e.stable_id for e in first if isinstance(e, Found | Seen) and e.listing == listed.listing}
        after = {e.stable_id for e in second if isinstance(e, Found | Seen) and e.listing == listed.listing}
        assert before <= after, f"{listed.listing!r} lost {sorted(before - after)}"


def quarantined(events: list[Collectable]) -> list[Quarantined]:
    return [event for event in events if isinstance(event, Quarantined)]
