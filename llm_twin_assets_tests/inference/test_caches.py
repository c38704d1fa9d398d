import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_twin_assets.inference.caches import CachedEncoder, LruCache


@settings(max_examples=40)
@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.text("x", max_size=8))), st.integers(0, 4), st.integers(0, 20))
def test_a_cache_never_holds_more_than_it_may_and_what_it_gives_was_put_last(puts, items, most):
    cache = LruCache[str](items, most, len)
    last = {}
    for key, value in puts:
        cache.put(key, value)
        last[key] = value
        assert len(cache._values) <= items
        assert cache._bytes <= most
    held = {key: kept for key in last if (kept := cache.get(key)) is not None}
    assert held.items() <= last.items()
    assert cache._bytes == sum(len(key) + len(value) for key, value in held.items())


def test_what_was_not_used_for_longest_goes_first():
    cache = LruCache[str](2, 100, len)
    cache.put("a", "1")
    cache.put("b", "2")
    cache.get("a")
    cache.put("c", "3")
    assert [cache.get(key) for key in "abc"] == ["1", None, "3"]
    assert (cache.hits, cache.misses) == (3, 1)


class Counting:
    """Encodes a text as its length, and counts."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def encode(self, texts):
        self.asked += texts
        return np.array([[float(len(text))] for text in texts], dtype=np.float32)


def test_a_question_is_embedded_once_and_each_vector_stands_at_its_place():
    counting = Counting()
    encoder = CachedEncoder(counting, 10, 10_000)
    assert encoder.encode(["a", "bbb", "a"]).tolist() == [[1], [3], [1]]
    assert encoder.encode(["cc", "bbb"]).tolist() == [[2], [3]]
    assert counting.asked == ["a", "bbb", "cc"]
    assert encoder.familiarity("a") == 1.0
