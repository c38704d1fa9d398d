from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from llm_twin_assets.inference.written import Detokenizer, StopStrings


def bytes_as_tokens(tokens: Sequence[int]) -> str:
    """A tokenizer whose every token is a byte, as those of byte-level models are for rare characters."""
    return bytes(tokens).decode("utf-8", "replace")


@settings(max_examples=50)
@given(st.text(alphabet=st.characters(exclude_categories=("Cs",), exclude_characters="\ufffd")))
def test_text_comes_whole_character_by_whole_character(text: str):
    detokenizer = Detokenizer(bytes_as_tokens)
    pieces = [detokenizer.add([token]) for token in text.encode()]
    assert "\ufffd" not in "".join(pieces)
    assert "".join(pieces) + detokenizer.end() == text


def test_half_a_character_at_the_end_is_not_lost_without_a_word():
    detokenizer = Detokenizer(bytes_as_tokens)
    assert detokenizer.add(list("né".encode()[:-1])) == ""
    assert detokenizer.end() == "n\ufffd"


@settings(max_examples=50)
@given(st.text("ab\n", max_size=30), st.lists(st.text("ab\n", min_size=1, max_size=4), max_size=3), st.integers(1, 5))
def test_a_text_ends_before_its_first_stop_string_however_it_is_cut(text: str, stops: list[str], size: int):
    first = min((text.find(stop) for stop in stops if stop in text), default=len(text))
    reader = StopStrings(stops)
    # Of two stop strings that overlap, the pieces decide which is seen first.
    given_away = "".join(reader.add(text[at : at + size]) for at in range(0, len(text), size)) + reader.end()
    assert text.startswith(given_away)
    assert reader.reached == any(stop in text for stop in stops)
    assert len(given_away) >= first
    assert not any(stop in given_away for stop in stops)
