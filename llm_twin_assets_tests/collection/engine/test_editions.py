from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from llm_twin_assets.collection.engine.documents import Origin, Scrubbing, raw_document
from llm_twin_assets.collection.engine.editions import Verdict, judge, known_of
from llm_twin_assets.domain.document import Category
from llm_twin_assets_tests.collection.scripted import article

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TEXT = "A loom is a machine for weaving cloth and tapestry."


def document(text: str = TEXT, listing: str = "export", source: str = "s", **more: object):
    found = article(1, text, listing=listing, **more)
    return raw_document(found, Origin("maya", "web", source), Scrubbing(()), NOW)[0]


def test_a_document_that_nobody_knows_is_new() -> None:
    assert judge(None, document()) is Verdict.NEW


def test_the_same_way_brings_the_newer_edition() -> None:
    known = known_of(document())
    assert judge(known, document()) is Verdict.UNCHANGED
    assert judge(known, document(TEXT + " And more.")) is Verdict.CHANGED


def test_the_same_words_written_down_otherwise_by_another_way_change_nothing() -> None:
    known = known_of(document())
    assert judge(known, document(f"**{TEXT}**", "feed")) is Verdict.KEPT


def test_an_address_that_was_missing_is_taken_from_another_way() -> None:
    known = known_of(document(url=None))
    assert judge(known, document(f"*{TEXT}*", "feed")) is Verdict.CHANGED


@pytest.mark.parametrize(("days", "verdict"), [(1, Verdict.CHANGED), (-1, Verdict.KEPT)])
def test_of_two_ways_with_other_words_the_later_edition_stands(days, verdict) -> None:
    known = known_of(document(as_of=NOW))
    found = document("Entirely other words stand in this edition.", "feed", as_of=NOW + timedelta(days=days))
    assert judge(known, found) is verdict


def test_what_a_paywall_lets_through_never_replaces_the_whole_but_is_replaced_by_it() -> None:
    whole, part = document(), document("A loom is a machine", "archive", excerpt=True, as_of=NOW + timedelta(days=9))
    assert judge(known_of(whole), part) is Verdict.KEPT
    assert judge(known_of(part), whole) is Verdict.CHANGED


def test_a_row_of_an_earlier_version_takes_what_it_is_given() -> None:
    known = replace(known_of(document()), source="", words_hash="", as_of=None)
    assert judge(known, document("Other words.", "feed")) is Verdict.CHANGED


def test_another_category_is_a_change() -> None:
    known = known_of(document())
    assert judge(known, document(category=Category.POST)) is Verdict.CHANGED
