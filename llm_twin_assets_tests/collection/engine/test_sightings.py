from hypothesis import given
from hypothesis import strategies as st

from llm_twin_assets.collection.connector import Listed
from llm_twin_assets.collection.engine.sightings import SIGHTINGS_OF_ABSENCE, Sighting, Sightings


def visited(before, seen=(), gone=(), listed=(), *, whole=True):
    """The sightings after one visit; `seen` are pairs of document and listing."""
    visit = Sightings(before)
    for document, listing in seen:
        visit.saw(document, listing)
    for document in gone:
        visit.is_gone(document)
    for each in listed:
        visit.was_read(each)
    return {**before, **visit.present(), **(visit.absent() if whole else {})}


def missed(after, document="a") -> int:
    return after[document].missed


FIRST = visited({}, [("a", "all"), ("b", "all")], listed=[Listed("all")])


def test_one_absence_is_counted_and_a_second_makes_two() -> None:
    once = visited(FIRST, [("b", "all")], listed=[Listed("all")])
    assert (missed(once), missed(once, "b")) == (1, 0)
    twice = visited(once, [("b", "all")], listed=[Listed("all")])
    assert missed(twice) == SIGHTINGS_OF_ABSENCE


def test_a_document_that_comes_back_starts_anew() -> None:
    once = visited(FIRST, [("b", "all")], listed=[Listed("all")])
    assert missed(visited(once, [("a", "all"), ("b", "all")], listed=[Listed("all")])) == 0


def test_a_visit_that_ended_in_an_error_misses_nothing() -> None:
    assert missed(visited(FIRST, listed=[Listed("all")], whole=False)) == 0


def test_a_listing_that_never_showed_a_document_says_nothing_of_it() -> None:
    assert missed(visited(FIRST, [("x", "feed")], listed=[Listed("feed")])) == 0


def test_a_listing_that_was_not_read_says_nothing() -> None:
    assert missed(visited(FIRST)) == 0


def test_a_document_seen_in_another_listing_is_there() -> None:
    assert missed(visited(FIRST, [("a", "feed")], listed=[Listed("all"), Listed("feed")])) == 0


def test_a_confirmed_listing_is_the_second_sighting_but_never_the_first() -> None:
    again = [Listed("all", again=True)]
    assert missed(visited(FIRST, listed=again)) == 0
    once = visited(FIRST, [("b", "all")], listed=[Listed("all")])
    assert missed(visited(once, listed=again)) == 2


def test_gone_twice_is_gone() -> None:
    once = visited(FIRST, gone=["a"])
    assert missed(once) == 1
    assert missed(visited(once, gone=["a"])) == 2


def test_gone_and_missing_in_one_visit_is_one_sighting() -> None:
    assert missed(visited(FIRST, [("b", "all")], gone=["a"], listed=[Listed("all")])) == 1


sightings = st.builds(Sighting, st.frozensets(st.text(max_size=5), max_size=3), st.integers(0, 5))


@given(sightings)
def test_a_sighting_survives_the_state_table(sighting) -> None:
    assert Sighting.from_json(sighting.to_json()) == sighting


@given(st.dictionaries(st.sampled_from("abc"), sightings), st.sets(st.sampled_from("abc")), st.booleans())
def test_what_was_seen_is_never_missing(before, seen, again) -> None:
    after = visited(before, [(each, "all") for each in seen], listed=[Listed("all", again=again)])
    assert all(after[each].missed == 0 for each in seen)
