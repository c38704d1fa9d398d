from hypothesis import given
from hypothesis import strategies as st

from llm_twin_assets.evaluation.measures.bits_per_byte import windows


@given(st.integers(0, 5000), st.integers(2, 700))
def test_every_token_but_the_first_is_counted_once(length: int, window: int) -> None:
    counted = [token for start, end, first in windows(length, window) for token in range(first, end)]
    assert counted == list(range(1, length))


@given(st.integers(2, 5000), st.integers(2, 700))
def test_no_window_is_longer_than_allowed_and_each_has_context(length: int, window: int) -> None:
    for start, end, first in windows(length, window):
        assert end - start <= window
        assert start < first
        assert start == 0 or first - start >= window // 2
