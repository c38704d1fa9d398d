import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_twin_assets.domain.minhash import SCHEME, SEED, hashed, minhash, word_pairs


def test_the_words_and_pairs_of_a_text_are_the_same_numbers_on_every_machine() -> None:
    words = hashed(["It", "began", "with", "a", "mistake"])
    assert words[:2].tolist() == [923423638, 2992381725]
    assert word_pairs(words)[:2].tolist() == [3000895793, 2016630927]
    assert minhash(word_pairs(words))[:3].tolist() == [1573797742, 1354001553, 341785805]


def test_one_word_has_no_neighbour() -> None:
    assert [len(word_pairs(hashed(["word"] * count))) for count in (0, 1, 2)] == [0, 0, 1]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 2**32 - 1), max_size=40), st.sampled_from([1, 64, 128]))
def test_the_values_are_those_of_datasketch_which_made_what_is_stored(numbers: list[int], permutations: int) -> None:
    from datasketch import MinHash  # with much of scipy

    theirs = MinHash(num_perm=permutations, seed=SEED, hashfunc=int, scheme=SCHEME)
    theirs.update_batch(numbers)
    assert minhash(np.array(numbers, np.uint32), permutations).tolist() == theirs.hashvalues.tolist()


@pytest.mark.parametrize("shared", [0.5, 0.8])
def test_the_estimate_is_near_the_jaccard_index(shared: float) -> None:
    common = int(6000 * shared)  # more than are looked at in one go
    numbers = np.arange(12000 - common, dtype=np.uint32)
    estimate = float((minhash(numbers[:6000]) == minhash(numbers[6000 - common :])).mean())
    assert abs(estimate - common / (12000 - common)) < 0.15
