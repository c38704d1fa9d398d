from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resources.http.errors import BrokenError
from resources.sse import EventReader

STREAM = (
    'data: {"a": "é"}\r\n\r\n: a comment\n\nevent: x\ndata:first\r\ndata: second\r\rid: 3\n\ndata: [DONE]\n\ndata: cut'
)
EVENTS = ['{"a": "é"}', "first\nsecond", "[DONE]"]


@settings(max_examples=50)
@given(st.lists(st.integers(0, len(STREAM.encode())), max_size=6))
def test_events_are_the_same_wherever_the_connection_cuts_them(cuts: list[int]):
    raw = STREAM.encode()
    borders = [0, *sorted(cuts), len(raw)]
    reader = EventReader()
    found = [event for start, end in pairwise(borders) for event in reader.feed(raw[start:end])]
    assert found == EVENTS


@settings(max_examples=50)
@given(st.lists(st.binary(max_size=40), max_size=6))
def test_whatever_comes_is_text_or_nothing(pieces: list[bytes]):
    reader = EventReader()
    for piece in pieces:
        for event in reader.feed(piece):
            assert event.encode()


def test_an_event_without_an_end_is_given_up():
    reader = EventReader()
    reader.feed(b"data: " + b"x" * 2**19)
    with pytest.raises(BrokenError):
        reader.feed(b"x" * 2**20)
