import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_twin_assets.lineage.graph import Edge, Key, Kind, Lineage, LineageError, Node


def key(kind: Kind, name: str, author: str = "maya") -> Key:
    return Key(kind, author, name)


RELEASE, MODEL = key(Kind.RELEASE, "maya-000001"), key(Kind.MODEL, "twin-maya/1")
DATASET, SNAPSHOT = key(Kind.DATASET, "d4" * 32), key(Kind.SNAPSHOT, "snapshot-0123456789ab")
LEARNT, FOUND = key(Kind.DOCUMENT, "0344fb84-3613"), key(Kind.DOCUMENT, "07de1c51-fdc5")
EDGES = (
    Edge(RELEASE, MODEL, "answers with"),
    Edge(RELEASE, SNAPSHOT, "searches"),
    Edge(MODEL, DATASET, "trained on"),
    Edge(DATASET, LEARNT, "made of (train)"),
    Edge(SNAPSHOT, LEARNT, "holds"),
    Edge(SNAPSHOT, FOUND, "holds"),
)
GRAPH = Lineage.of(
    [Node(LEARNT, ("https://example.org/learnt", "notes/learnt.md")), Node(MODEL, ("1",))],
    EDGES,
)


def test_a_release_came_of_everything_below_it() -> None:
    assert GRAPH.ancestors(RELEASE) == {MODEL, DATASET, SNAPSHOT, LEARNT, FOUND}
    assert GRAPH.descendants(RELEASE) == set()


def test_a_document_that_is_only_searched_led_to_no_model() -> None:
    assert GRAPH.descendants(FOUND) == {SNAPSHOT, RELEASE}


def test_what_is_around_a_thing_is_neither_sibling_nor_another_way_in() -> None:
    part = GRAPH.around(MODEL)
    assert set(part.nodes) == {MODEL, DATASET, LEARNT, RELEASE}
    assert Edge(RELEASE, SNAPSHOT, "searches") not in part.edges


def test_one_direction_leaves_the_other_out() -> None:
    assert set(GRAPH.around(MODEL, down=False).nodes) == {MODEL, DATASET, LEARNT}
    assert set(GRAPH.around(MODEL, up=False).nodes) == {MODEL, RELEASE}
    assert GRAPH.around(FOUND, down=False).edges == ()


@pytest.mark.parametrize(
    "name",
    ["0344fb84-3613", "0344fb", "https://example.org/learnt", "notes/learnt.md", "document:0344fb84-3613"],
)
def test_a_document_is_found_by_id_url_and_path(name: str) -> None:
    assert GRAPH.find(name) == LEARNT


def test_a_model_is_found_by_its_bare_version() -> None:
    assert GRAPH.find("1") == MODEL
    assert GRAPH.find("twin-maya/1") == MODEL


def test_a_document_is_meant_and_not_its_raw_form_of_the_same_id() -> None:
    raw = key(Kind.RAW, LEARNT.id)
    graph = Lineage.of([], [Edge(LEARNT, raw, "cleaned from")])
    assert graph.find(LEARNT.id) == LEARNT
    assert graph.find(f"raw document:{LEARNT.id}") == raw


def test_what_is_not_on_record_is_an_error_that_says_what_may_be_asked_for() -> None:
    with pytest.raises(LineageError, match=r"'0344f' is not on record.*Name a release"):
        GRAPH.find("0344f")  # too short to be the beginning of something


def test_a_name_of_two_things_is_an_error_that_lists_them() -> None:
    both = Lineage.of([Node(MODEL, ("1",)), Node(key(Kind.MODEL, "twin-ben/1", "ben"), ("1",))], [])
    with pytest.raises(LineageError, match=r"model:twin-ben/1 of ben, model:twin-maya/1 of maya.*--author"):
        both.find("1")


def test_what_is_said_of_a_thing_in_two_records_counts_both() -> None:
    [node] = Lineage.of(
        [Node(MODEL, ("1",), {"method": "lora"}), Node(MODEL, ("c8",), {"seconds": "9"})], []
    ).nodes.values()
    assert (node.aliases, node.details) == (("1", "c8"), {"method": "lora", "seconds": "9"})


EDGES_OF_NUMBERS = st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8)).filter(lambda pair: pair[0] > pair[1]))


@settings(max_examples=50)
@given(EDGES_OF_NUMBERS)
def test_whatever_came_of_a_thing_counts_it_among_what_it_came_of(pairs: list[tuple[int, int]]) -> None:
    graph = Lineage.of([], [Edge(key(Kind.MODEL, str(a)), key(Kind.MODEL, str(b)), "of") for a, b in pairs])
    for each in graph.nodes:
        assert all(each in graph.descendants(other) for other in graph.ancestors(each))
        part = graph.around(each)
        assert set(part.nodes) == {each} | graph.ancestors(each) | graph.descendants(each)
        assert all({edge.child, edge.parent} <= set(part.nodes) for edge in part.edges)
