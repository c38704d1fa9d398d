"""How long documents wait for a release that can find them."""

from datetime import UTC, datetime, timedelta

from llm_twin_assets.domain.release import Release
from llm_twin_assets.monitoring.searchable import Published, Searchable, searchable

START = datetime(2026, 11, 1, tzinfo=UTC)
HOUR = 3600.0


def at(days: float) -> datetime:
    return START + timedelta(days=days)


def released(number: int, days: float) -> Release:
    return Release(
        release_id=f"maya-{number:06d}", author="maya", author_name="Maya", sequence=number, model_name="twin-maya",
        model_version="1", model_digest="m", model_path="models/1", base="b", dataset="d",
        snapshot=f"snapshot-{number}", embedder="e", embedder_digest="e", prompt_digest="p", approval_sequence=1,
        approver="Noor", released_at=at(days),
    )  # fmt: skip


HELD = {"snapshot-1": {"old"}, "snapshot-2": {"old", "a"}, "snapshot-3": {"old", "a", "b"}}


def waits(published: dict[str, float], *releases: float, now: float) -> Searchable:
    past = [released(number, days) for number, days in enumerate(releases, start=1)]
    documents = [Published(name, at(days)) for name, days in published.items()]
    return searchable(documents, past, lambda snapshot: frozenset(HELD[snapshot]), at(now))


def test_a_document_waits_until_the_first_release_that_holds_it() -> None:
    found = waits({"a": 1.0, "b": 1.5}, 0, 2, 3, now=10)
    assert found == Searchable(waiting=0, median=(24 + 36) / 2 * HOUR, longest=36 * HOUR)


def test_one_that_no_release_holds_has_waited_until_now() -> None:
    found = waits({"a": 1.0, "missing": 4.0}, 0, 2, now=10)
    assert found == Searchable(waiting=1, median=(24 + 144) / 2 * HOUR, longest=144 * HOUR)


def test_what_is_older_than_the_twin_or_than_a_month_does_not_count() -> None:
    assert waits({"old": -100.0}, 0, now=10) == Searchable()
    assert waits({"a": 1.0}, 0, 2, now=40) == Searchable()
    assert waits({"tomorrow": 11.0}, 0, now=10) == Searchable()


def test_nothing_waits_for_a_twin_that_was_never_released() -> None:
    assert waits({"a": 1.0}, now=10) == Searchable()
