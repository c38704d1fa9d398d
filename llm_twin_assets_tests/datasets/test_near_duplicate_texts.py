import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_twin_assets.datasets.near_duplicates import clusters, join, members, signature
from llm_twin_assets_tests.datasets.made import words


def found(texts: list[str], threshold: float = 0.7) -> list[list[int]]:
    return list(members(clusters([signature(text) for text in texts], threshold)))


def test_texts_with_a_few_words_changed_are_one_cluster() -> None:
    text = words(200, "a")
    edited = text.replace(text.split()[100], "otherwise")
    assert found([text, words(200, "b"), edited, words(200, "c")]) == [[0, 2]]


def test_case_and_punctuation_make_no_difference() -> None:
    text = words(40, "a")
    assert found([text, f"**{text.upper()}**!"]) == [[0, 1]]


def test_short_texts_are_alike_only_if_they_are_the_same() -> None:
    assert found(["Happy new year!", "happy new year", "Happy new week!", "🎉", "🎉", "🙂"]) == [[0, 1], [3, 4]]


def test_alikeness_goes_along_a_chain() -> None:
    start = words(100, "a").split()
    chain = [" ".join([*start[step * 8 :], *words(step * 8, "b").split()]) for step in range(4)]
    assert found([chain[0], chain[3]]) == []
    assert found(chain) == [[0, 1, 2, 3]]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text(max_size=60), max_size=6), st.lists(st.text(max_size=60), max_size=6))
def test_what_is_together_stays_together_when_texts_are_added(before: list[str], more: list[str]) -> None:
    small = clusters([signature(text) for text in before], 0.7)
    large = clusters([signature(text) for text in [*before, *more]], 0.7)
    for one, other in ((a, b) for a in range(len(before)) for b in range(a)):
        assert small[one] != small[other] or large[one] == large[other]


def test_two_clusters_joined_are_named_after_the_first() -> None:
    labels = np.array([0, 1, 1, 3])
    join(labels, 2, 0)
    assert labels.tolist() == [0, 0, 0, 3]
    assert list(members(labels)) == [[0, 1, 2]]
